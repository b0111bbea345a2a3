/** Which columns fit, and in which order rows stand. Pure functions. */

import type { IColumn, IRow } from './api';
import { deltaText, numberIn, valueText } from './formats';
import { textOf, valueOf } from './packed';

export { deltaText } from './formats';

/** Width of the tick box at the start of each row, in px. */
export const TICK_WIDTH = 26;

/** Width of the note that columns are hidden, which itself needs a wide table. */
export const MORE_WIDTH = 36;

const WIDE = 480;

/** What a letter takes, what is around a name, and the most that a name may ask for, in px. */
const LETTER = 7;
const NAME_AROUND = 38;
const LONGEST_NAME = 140;

/** What the headline takes, without and with the change since the previous attempt. */
const HEADLINE_WIDTH = { still: 80, moving: 126 };

/** The columns for a width, in their own order, and how many had no room. */
export interface IFit {
  columns: IColumn[];
  /** 0 also where the table is too narrow to mention it. */
  hidden: number;
}

/**
 * Chooses columns by priority until the width is used up.
 *
 * Priority 1 is always shown. The status has its dot beside the name, so its column, which
 * spells it out, waits until there is room for it.
 */
export function fit(columns: readonly IColumn[], width: number): IFit {
  const all = choose(columns, width);
  const left = count(columns) - count(all);
  if (left === 0 || width < WIDE) {
    return { columns: all, hidden: 0 };
  }
  const fewer = choose(columns, width - MORE_WIDTH);
  return { columns: fewer, hidden: count(columns) - count(fewer) };
}

function choose(columns: readonly IColumn[], width: number): IColumn[] {
  const rank = (column: IColumn): number => (column.kind === 'status' ? 2 : column.priority);
  const wanted = [...columns].sort((a, b) => rank(a) - rank(b));
  const chosen = new Set<IColumn>();
  let used = TICK_WIDTH;
  for (const column of wanted) {
    used += column.width;
    if (rank(column) > 1 && used > width) {
      break; // a lower priority never overtakes a higher one
    }
    chosen.add(column);
  }
  return columns.filter(column => chosen.has(column));
}

function count(columns: readonly IColumn[]): number {
  return columns.filter(column => column.kind !== 'status').length;
}

/**
 * The rows by several columns' values, `-key` for falling; empty values always come last. Where
 * all are equal, the newest run comes first.
 */
export function order(rows: readonly IRow[], sorts: readonly string[]): IRow[] {
  const rules = sorts.map(sort => ({
    key: sort.replace(/^-/, ''),
    sign: sort.startsWith('-') ? -1 : 1
  }));
  const made = rows.map(row => ({ row, by: rules.map(rule => sortable(row, rule.key)) }));
  made.sort((a, b) => {
    for (let place = 0; place < rules.length; place++) {
      const left = a.by[place] ?? null;
      const right = b.by[place] ?? null;
      if (left === null || right === null) {
        if (left !== right) {
          return left === null ? 1 : -1;
        }
        continue;
      }
      const found = ascending(left, right);
      if (found !== 0) {
        return (rules[place]?.sign ?? 1) * found;
      }
    }
    return b.row.started - a.row.started;
  });
  return made.map(one => one.row);
}

/**
 * What a click on a column's title asks for: numbers best read falling first. With `more` the
 * column is sorted by after those that are sorted by already; a third such click takes it out.
 */
export function nextSort(
  sorts: readonly string[],
  column: IColumn,
  more = false
): readonly string[] {
  const now = sortOf(column, sorts);
  const first = column.align === 'right' || column.kind === 'time' ? 'descending' : 'ascending';
  const turned = now === 'descending' ? 'ascending' : 'descending';
  const next = (way: string): string => (way === 'descending' ? `-${column.key}` : column.key);
  if (!more) {
    return [next(now === 'none' ? first : turned)];
  }
  const place = sorts.findIndex(sort => means(sort, column));
  if (place < 0) {
    return [...sorts, next(first)];
  }
  if (now === first) {
    return sorts.map((sort, index) => (index === place ? next(turned) : sort));
  }
  return sorts.length > 1 ? sorts.filter((_, index) => index !== place) : sorts;
}

function sortable(row: IRow, key: string): number | string | null {
  if (key === 'name') {
    return `${row.name} ${String(row.number ?? 0).padStart(6, '0')}`;
  }
  if (key === 'tags') {
    return textOf(row, { key, kind: 'tags' }) || null;
  }
  return plain(valueOf(row, key));
}

/** Numbers and text as they are, not-a-number nowhere, anything else by its text. */
function plain(value: unknown): number | string | null {
  if (value === null || value === undefined || value === '') {
    return null;
  }
  if (typeof value === 'string') {
    return value;
  }
  const number = numberIn(value);
  return number === null ? valueText(value) : Number.isNaN(number) ? null : number;
}

function ascending(left: number | string, right: number | string): number {
  if (typeof left === 'number' && typeof right === 'number') {
    return left < right ? -1 : left > right ? 1 : 0;
  }
  return String(left).localeCompare(String(right), undefined, { numeric: true });
}

/** The metric by which all runs are judged, null where there are several or none. */
export function judgedBy(rows: readonly IRow[]): string | null {
  const keys = new Set(rows.map(row => row.headline?.key).filter(key => key !== undefined));
  return keys.size === 1 ? ([...keys][0] as string) : null;
}

/** Whether names would be cut off for the sake of changes since the previous attempts. */
export function isTight(rows: readonly IRow[], width: number): boolean {
  const longest = rows
    .slice(0, 200)
    .reduce((most, row) => Math.max(most, row.name.length + String(row.number).length), 0);
  const wanted = Math.min(LONGEST_NAME, NAME_AROUND + longest * LETTER);
  return width - TICK_WIDTH - HEADLINE_WIDTH.moving < wanted;
}

/** Whether any run moved from its previous attempt. */
export function anyMoved(rows: readonly IRow[]): boolean {
  return rows.some(row => deltaText(row.headline?.delta) !== '');
}

/**
 * The columns as these rows need them: the headline takes no more room than its numbers, and
 * when all are judged by one metric, it bears the metric's name and sorts as it, and the metric
 * needs no second column.
 */
export function forRows(
  columns: readonly IColumn[],
  rows: readonly IRow[],
  grouped = false,
  still = false
): IColumn[] {
  const metric = judgedBy(rows);
  // The name of an error stands where a failed run has no metric, and is as long as both.
  const wide =
    !still && (grouped || anyMoved(rows) || rows.some(row => row.error && !row.headline));
  const width = wide ? HEADLINE_WIDTH.moving : HEADLINE_WIDTH.still;
  return columns
    .filter(column => metric === null || column.key !== `metrics.${metric}`)
    .map(column =>
      column.key === 'headline'
        ? { ...column, width, title: metric ?? column.title }
        : grouped && column.kind === 'metric'
          ? { ...column, width: Math.max(column.width, HEADLINE_WIDTH.moving) }
          : column
    );
}

/** How a column is sorted now. */
export function sortOf(
  column: IColumn,
  sorts: readonly string[]
): 'ascending' | 'descending' | 'none' {
  const sort = sorts.find(one => means(one, column));
  return sort === undefined ? 'none' : sort.startsWith('-') ? 'descending' : 'ascending';
}

/** Its place among several columns that are sorted by, from 1; 0 where it is alone or not. */
export function sortPlace(column: IColumn, sorts: readonly string[]): number {
  return sorts.length > 1 ? sorts.findIndex(one => means(one, column)) + 1 : 0;
}

function means(sort: string, column: IColumn): boolean {
  const key = sort.replace(/^-/, '');
  return key === column.key || (column.key === 'headline' && key === `metrics.${column.title}`);
}
