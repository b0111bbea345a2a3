/** What may come next in a filter. Pure functions. */

import type { IColumn, IRow } from '../api';
import { textOf, valueOf } from '../packed';

/** Something to insert, and what it is. */
export interface IOption {
  text: string;
  detail: string;
}

/** Options for the part of the text between two places. */
export interface ICompletion {
  from: number;
  to: number;
  options: readonly IOption[];
}

/** The names and values that a filter may speak of. */
export interface IVocabulary {
  columns: readonly IColumn[];
  rows: readonly IRow[];
}

/** The attributes of a run, as Python's `where` knows them. */
const ATTRIBUTES: readonly [string, string][] = [
  ['metrics.', 'last value; .min .max .last .count'],
  ['params.', 'what went in'],
  ['tags.', 'bare: the run has the tag'],
  ['status', 'running, finished, failed, …'],
  ['name', 'text'],
  ['number', 'of the attempt'],
  ['started', 'e.g. > "-7d"'],
  ['ended', 'e.g. > "-7d"'],
  ['duration', 'seconds'],
  ['experiment', 'text'],
  ['notebook', 'path'],
  ['error', 'text; .type .message'],
  ['star', 'starred'],
  ['archived', 'put aside'],
  ['note', 'text'],
  ['user', 'text'],
  ['host', 'text'],
  ['series', 'text'],
  ['replay', 'verdict'],
  ['grade', 'A to F']
];
const WORDS: readonly [string, string][] = [
  ['and', ''],
  ['or', ''],
  ['not', ''],
  ['in', 'in [..]'],
  ['is None', 'missing']
];
const STATISTICS = ['min', 'max', 'last', 'count'];
const STATUSES = ['running', 'finished', 'failed', 'interrupted', 'lost'];
const MOST = 50;
const PLAIN = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/;

/** What completes the text at the caret. */
export function complete(text: string, caret: number, known: IVocabulary): ICompletion {
  const before = text.slice(0, caret);
  const to = caret + (/^[\w.]*/.exec(text.slice(caret))?.[0].length ?? 0);
  const value =
    /([\w.]+|\w+\["[^"]*"\])\s*(?:==|!=|in)\s*\[?\s*(?:"[^"]*"\s*,\s*)*("[^"]*)?$/.exec(before);
  if (value && value[2] !== undefined) {
    const begun = value[2].slice(1);
    return pick(values(value[1] ?? '', known), `"${begun}`, caret - begun.length - 1, caret);
  }
  if (value && !/\bin\s*$/.test(before)) {
    return pick(values(value[1] ?? '', known), '', caret, caret);
  }
  if (/"[^"]*$/.test(before.replace(/"[^"]*"/g, ''))) {
    return { from: caret, to: caret, options: [] }; // in a text of the person's own
  }
  const word = /[\w.]*$/.exec(before)?.[0] ?? '';
  const from = caret - word.length;
  if (word.includes('.')) {
    return pick(keys(word, known), word, from, to);
  }
  if (wantsOperator(before.slice(0, from))) {
    return word === '' ? { from, to, options: [] } : pick(pairs(WORDS), word, from, to);
  }
  return pick([...pairs(ATTRIBUTES), ...pairs(WORDS.slice(2, 3))], word, from, to);
}

/** Whether an attribute or a value stands just before, so that no other can follow. */
function wantsOperator(before: string): boolean {
  return /(?:[\w\])"])\s+$/.test(before) && !/\b(?:and|or|not|in)\s+$/.test(before);
}

function pairs(known: readonly [string, string][]): IOption[] {
  return known.map(([text, detail]) => ({ text, detail }));
}

function keys(word: string, { columns }: IVocabulary): IOption[] {
  const root = word.slice(0, word.indexOf('.'));
  const own = columns.filter(column => column.key.startsWith(`${root}.`));
  const statistic = own.find(column => column.key === word.slice(0, word.lastIndexOf('.')));
  if (root === 'metrics' && statistic) {
    return STATISTICS.map(name => ({ text: `${statistic.key}.${name}`, detail: '' }));
  }
  return own.map(column => ({ text: written(column.key), detail: '' }));
}

/** A key as the language writes it: `params["max depth"]` where a name cannot say it. */
export function written(key: string): string {
  const dot = key.indexOf('.');
  const rest = key.slice(dot + 1);
  return dot < 0 || PLAIN.test(rest) ? key : `${key.slice(0, dot)}[${JSON.stringify(rest)}]`;
}

function values(attribute: string, { rows, columns }: IVocabulary): IOption[] {
  if (attribute === 'status') {
    return STATUSES.map(status => ({ text: `"${status}"`, detail: '' }));
  }
  const key = attribute.replace(/\["([^"]*)"\]/, '.$1');
  const kind = columns.find(column => column.key === key)?.kind ?? 'text';
  const found = new Map<string, number>();
  for (const row of rows) {
    const value = key === 'name' ? row.name : valueOf(row, key);
    if (value === undefined || value === null || typeof value === 'object') {
      continue;
    }
    const shown =
      typeof value === 'string' ? JSON.stringify(value) : literal(value, row, key, kind);
    found.set(shown, (found.get(shown) ?? 0) + 1);
    if (found.size > 1000) {
      break;
    }
  }
  return [...found]
    .sort((a, b) => b[1] - a[1])
    .map(([text, count]) => ({ text, detail: `${count}` }));
}

function literal(value: unknown, row: IRow, key: string, kind: IColumn['kind']): string {
  return typeof value === 'boolean' ? textOf(row, { key, kind }) : String(value);
}

/** An option as somebody may begin to type it: `metrics.val/loss`. */
function spoken({ text }: IOption): string {
  return text.toLowerCase().replace(/^(\w+)\["/, '$1.');
}

/** The options that begin with what is there, then those that contain it. */
function pick(all: readonly IOption[], begun: string, from: number, to: number): ICompletion {
  const wanted = begun.toLowerCase();
  const last = wanted.replace(/^[a-z]+\./, '');
  const starts = all.filter(option => spoken(option).startsWith(wanted));
  const contains = all.filter(
    option => !starts.includes(option) && option.text.toLowerCase().includes(last)
  );
  const options = [...starts, ...(last === '' ? [] : contains)].slice(0, MOST);
  const done = options.length === 1 && options[0]?.text === begun;
  return { from, to, options: done ? [] : options };
}

/** The text with an option in its place, and where the caret stands then. */
export function insert(
  text: string,
  completion: ICompletion,
  option: IOption
): { text: string; caret: number } {
  const before = text.slice(0, completion.from) + option.text;
  return { text: before + text.slice(completion.to), caret: before.length };
}
