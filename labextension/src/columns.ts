/** Which columns fit, in which order rows stand, how a change reads. Pure functions. */

import type { IColumn, IRow } from './api';

/** Width of the tick box at the start of each row, in px. */
export const TICK_WIDTH = 26;

/** Width of the note that columns are hidden, which itself needs a wide table. */
export const MORE_WIDTH = 36;

const WIDE = 480;

/** What the headline takes, without and with the change since the previous attempt. */
const HEADLINE_WIDTH = { still: 78, moving: 112 };

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

/** The rows by a column's value, `-key` for falling; empty values always come last. */
export function order(rows: readonly IRow[], sort: string): IRow[] {
  const falling = sort.startsWith('-');
  const key = falling ? sort.slice(1) : sort;
  const sign = falling ? -1 : 1;
  return [...rows].sort((a, b) => {
    const left = sortable(a, key);
    const right = sortable(b, key);
    if (left === null || right === null) {
      return (left === null ? 1 : 0) - (right === null ? 1 : 0) || b.started - a.started;
    }
    return sign * ascending(left, right) || b.started - a.started;
  });
}

/** What a click on a column's title asks for: numbers best read falling first. */
export function nextSort(sort: string, column: IColumn): string {
  const now = sortOf(column, sort);
  if (now !== 'none') {
    return now === 'descending' ? column.key : `-${column.key}`;
  }
  return column.align === 'right' || column.kind === 'time' ? `-${column.key}` : column.key;
}

function sortable(row: IRow, key: string): number | string | null {
  switch (key) {
    case 'name':
      return `${row.name} ${String(row.number ?? 0).padStart(6, '0')}`;
    case 'started':
      return row.started;
    case 'headline':
      return plain(row.headline?.value);
    default: {
      const cell = row.cells[key];
      return cell === undefined ? null : plain(cell.value, cell.text);
    }
  }
}

/** Numbers and text as they are, not-a-number nowhere, anything else by its text. */
function plain(value: unknown, text = ''): number | string | null {
  if (typeof value === 'boolean') {
    return Number(value);
  }
  if (typeof value === 'number' || (typeof value === 'string' && value !== '')) {
    return value;
  }
  if (typeof value === 'object' && value !== null && '$float' in value) {
    return value.$float === 'inf' ? Infinity : value.$float === '-inf' ? -Infinity : null;
  }
  return text || null;
}

function ascending(left: number | string, right: number | string): number {
  if (typeof left === 'number' && typeof right === 'number') {
    return left < right ? -1 : left > right ? 1 : 0;
  }
  return String(left).localeCompare(String(right), undefined, { numeric: true });
}

/** `+0.012`, `−0.5`, `±0`; empty where there is no change to speak of. */
export function deltaText(delta: unknown): string {
  if (typeof delta !== 'number' || !Number.isFinite(delta)) {
    return '';
  }
  if (delta === 0) {
    return '±0';
  }
  const size = String(Number(Math.abs(delta).toPrecision(2)));
  return (delta > 0 ? '+' : '\u2212') + size;
}

/** The metric by which all runs are judged, null where there are several or none. */
export function judgedBy(rows: readonly IRow[]): string | null {
  const keys = new Set(rows.map(row => row.headline?.key).filter(key => key !== undefined));
  return keys.size === 1 ? ([...keys][0] as string) : null;
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
export function forRows(columns: readonly IColumn[], rows: readonly IRow[]): IColumn[] {
  const metric = judgedBy(rows);
  // The name of an error stands where a failed run has no metric, and is as long as both.
  const wide = anyMoved(rows) || rows.some(row => row.error && !row.headline);
  const width = wide ? HEADLINE_WIDTH.moving : HEADLINE_WIDTH.still;
  return columns
    .filter(column => metric === null || column.key !== `metrics.${metric}`)
    .map(column =>
      column.key === 'headline' ? { ...column, width, title: metric ?? column.title } : column
    );
}

/** How a column is sorted now. */
export function sortOf(column: IColumn, sort: string): 'ascending' | 'descending' | 'none' {
  const key = sort.replace(/^-/, '');
  const own = column.key === 'headline' ? `metrics.${column.title}` : column.key;
  if (key !== column.key && key !== own) {
    return 'none';
  }
  return sort.startsWith('-') ? 'descending' : 'ascending';
}
