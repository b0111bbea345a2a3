/** Runs in groups: by a column, or those that are the same but for the seed. Pure functions. */

import type { IColumn, IRow } from '../api';
import { numberIn, valueText } from '../formats';
import { valueOf } from '../packed';

/** Mean, sample standard deviation (null for one value) and number of the values. */
export interface ISpread {
  mean: number;
  spread: number | null;
  n: number;
}

/** Runs that belong together. */
export interface IGroup {
  key: string;
  label: string;
  rows: readonly IRow[];
}

/** A line of the table: a group's, or a run's. */
export type Line = { group: IGroup; open: boolean } | { row: IRow; inGroup: boolean };

/** The groups of sorted rows; by what is sorted by where that is a number, else as they come. */
export function grouped(
  rows: readonly IRow[],
  by: string,
  sort: readonly string[]
): readonly IGroup[] {
  const found = new Map<string, IRow[]>();
  for (const row of rows) {
    const key = keyOf(row, by);
    const known = found.get(key);
    if (known) {
      known.push(row);
    } else {
      found.set(key, [row]);
    }
  }
  const groups = [...found].map(([key, members]) => ({
    key,
    label: labelOf(members[0] as IRow, by, key),
    rows: members
  }));
  return byMean(groups, sort[0] ?? '');
}

function keyOf(row: IRow, by: string): string {
  if (by === 'name' || by === 'experiment' || by === 'status') {
    return row[by];
  }
  const value = valueOf(row, by);
  if (value === undefined || value === null) {
    return '';
  }
  return value === '' ? '✓' : valueText(value, 200);
}

function labelOf(row: IRow, by: string, key: string): string {
  if (by === 'twin') {
    return row.name;
  }
  const name = by.replace(/^(params|tags|metrics)\./, '');
  if (by.startsWith('tags.')) {
    return key === '' ? `not ${name}` : key === '✓' ? name : `${name}=${key}`;
  }
  return by.includes('.') ? `${name} = ${key || '–'}` : key || '–';
}

function byMean(groups: IGroup[], sort: string): readonly IGroup[] {
  const key = sort.replace(/^-/, '');
  if (!/^(metrics\.|params\.|headline$|duration$)/.test(key)) {
    return groups;
  }
  const sign = sort.startsWith('-') ? -1 : 1;
  const means = new Map(groups.map(group => [group, spreadOf(group.rows, key)?.mean]));
  return [...groups].sort((a, b) => {
    const [left, right] = [means.get(a), means.get(b)];
    if (left === undefined || right === undefined) {
      return Number(left === undefined) - Number(right === undefined);
    }
    return sign * (left - right);
  });
}

/** What the numbers of a column are among rows; null where there are none. */
export function spreadOf(rows: readonly IRow[], key: string): ISpread | null {
  const values = rows
    .map(row => numberIn(valueOf(row, key)))
    .filter((value): value is number => value !== null && Number.isFinite(value));
  const n = values.length;
  if (n === 0) {
    return null;
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, spread: n > 1 ? Math.sqrt(squares / (n - 1)) : null, n };
}

/** The one text that all rows have in a column; null where they differ. */
export function shared(rows: readonly IRow[], text: (row: IRow) => string): string | null {
  const first = rows[0] ? text(rows[0]) : '';
  return rows.every(row => text(row) === first) ? first : null;
}

/** The lines of a table; the runs of a closed group are left out. */
export function lines(groups: readonly IGroup[], closed: ReadonlySet<string>): Line[] {
  return groups.flatMap(group => {
    const open = !closed.has(group.key);
    const rows: Line[] = open ? group.rows.map(row => ({ row, inGroup: true })) : [];
    return [{ group, open }, ...rows];
  });
}

/** What runs can be grouped by: fixed ways, then params and tags. */
export function ways(columns: readonly IColumn[]): string[] {
  const keys = columns.map(column => column.key);
  return keys.filter(key => key.startsWith('params.') || key.startsWith('tags.'));
}
