/** Which of the runs we hold are shown, and in what order. Pure functions. */

import type { IRow } from '../api';
import { tagsText, valueText } from '../formats';
import { params } from '../packed';

/** Which runs: those at work, those put aside, or those in the trash. */
export type Shelf = 'runs' | 'archived' | 'trash';

/** What narrows the runs that we hold. */
export interface INarrowing {
  /** Words that must all be found. */
  search: string;
  /** An experiment or a folder of experiments; empty for all. */
  folder: string;
  shelf: Shelf;
}

const texts = new WeakMap<IRow, string>();

/** The rows that are asked for, in their order. */
export function narrowed(rows: readonly IRow[], asked: INarrowing): readonly IRow[] {
  const words = asked.search.toLowerCase().split(/\s+/).filter(Boolean);
  const { folder, shelf } = asked;
  if (words.length === 0 && folder === '' && shelf === 'runs') {
    return rows;
  }
  return rows.filter(
    row =>
      isIn(row.experiment, folder) &&
      (shelf !== 'archived' || row.archived) &&
      words.every(word => searched(row).includes(word))
  );
}

/** Whether an experiment is a folder's or below it. */
export function isIn(experiment: string, folder: string): boolean {
  return folder === '' || experiment === folder || experiment.startsWith(`${folder}/`);
}

/** What the quick search looks at: name, number, experiment, status, tags, note, params. */
function searched(row: IRow): string {
  let text = texts.get(row);
  if (text === undefined) {
    const parts = [
      row.number === null ? row.name : `${row.name} #${row.number}`,
      row.experiment,
      row.status,
      row.error?.type ?? '',
      tagsText(row.tags ?? {}),
      valueText(row.note ?? '', 2000),
      row.id,
      ...params(row)
    ];
    text = parts.join('\n').toLowerCase();
    texts.set(row, text);
  }
  return text;
}

/**
 * The rows in an order that nobody sees jump: those that were there keep their order, a new one
 * stands before the one that it comes before.
 */
export function steady(before: readonly IRow[], wanted: readonly IRow[]): IRow[] {
  const now = new Map(wanted.map(row => [row.id, row]));
  const known = new Set(before.map(row => row.id));
  const arriving = new Map<string | null, IRow[]>();
  let waiting: IRow[] = [];
  for (const row of wanted) {
    if (!known.has(row.id)) {
      waiting.push(row);
    } else if (waiting.length > 0) {
      arriving.set(row.id, waiting);
      waiting = [];
    }
  }
  const kept = before.map(row => now.get(row.id)).filter(row => row !== undefined);
  return [...kept.flatMap(row => [...(arriving.get(row.id) ?? []), row]), ...waiting];
}

/** The ids between two rows of a list, both included. */
export function between(rows: readonly IRow[], from: number, to: number): string[] {
  const [first, last] = from < to ? [from, to] : [to, from];
  return rows.slice(first, last + 1).map(row => row.id);
}
