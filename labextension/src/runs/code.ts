/** A view of the table as the pandas code that makes it. Pure functions. */

import type { IColumn } from '../api';
import type { Shelf } from './arrange';

/** What the code is to say. */
export interface ICoded {
  /** Where the store is, null for the notebook's own. */
  store: string | null;
  where: string;
  folder: string;
  shelf: Shelf;
  search: string;
  sort: readonly string[];
  group: string | null;
  columns: readonly IColumn[];
  /** The metric that all runs are judged by. */
  headline: string | null;
  /** Only these runs; empty for all. */
  selected: readonly string[];
}

const FRAME = new Set(['name', 'number', 'experiment', 'status', 'started', 'duration']);
const SEEDS = String.raw`(^|[._\- ])(seed|random_state|random_seed|rng)$|seed$`;

/** Lines of Python that show the same runs, in the same order, with the same columns. */
export function pandasCode(view: ICoded): string {
  const lines = ['import trackbook as tb', '', `runs = ${asked(view)}.to_pandas()`];
  if (view.folder !== '') {
    const folder = text(view.folder);
    lines.push(`runs = runs[(runs["experiment"] + "/").str.startswith(${folder} + "/")]`);
  }
  if (view.selected.length > 0) {
    lines.push(`runs = runs[runs["run_id"].isin(${list(view.selected)})]`);
  } else if (view.search.trim() !== '') {
    lines.push(...searched(view.search));
  }
  const sort = view.sort.map(one => column(one, view)).filter(one => one !== null);
  if (sort.length > 0 && view.group === null) {
    const keys = sort.map(one => one.key);
    const ways = sort.map(one => (one.falling ? 'False' : 'True'));
    lines.push(
      `runs = runs.reindex(columns=runs.columns.union(${list(keys)}, sort=False))`,
      `runs = runs.sort_values(${list(keys)}, ascending=[${ways.join(', ')}])`
    );
  }
  return [...lines, ...(view.group === null ? shown(view) : grouped(view))].join('\n');
}

function asked({ store, where, shelf }: ICoded): string {
  const from = store === null ? 'tb' : `tb.open_store(${text(store)})`;
  const conditions = [where.trim(), shelf === 'archived' ? 'archived' : ''].filter(Boolean);
  const whole =
    conditions.length > 1
      ? conditions.map(one => `(${one})`).join(' and ')
      : (conditions[0] ?? '');
  const given = whole === '' ? [] : [text(whole)];
  return `${from}.runs(${[...given, ...(shelf === 'archived' ? ['archived=True'] : [])].join(', ')})`;
}

function searched(search: string): string[] {
  const words = search.trim().toLowerCase().split(/\s+/);
  return [
    'text = runs.astype(str).agg(" ".join, axis=1).str.lower()',
    ...words.map(
      word => `runs = runs[text.reindex(runs.index).str.contains(${text(word)}, regex=False)]`
    )
  ];
}

function shown(view: ICoded): string[] {
  const keys = columnKeys(view);
  return [`runs.reindex(columns=${list(keys)})`];
}

function columnKeys(view: ICoded): string[] {
  const keys = view.columns
    .map(one => column(one.key, view)?.key)
    .filter(key => key !== undefined);
  return [...new Set(keys.flatMap(key => (key === 'name' ? ['name', 'number'] : [key])))];
}

function grouped(view: ICoded): string[] {
  const numbers = view.columns
    .filter(one => one.kind === 'metric' || one.kind === 'duration')
    .map(one => column(one.key, view)?.key)
    .filter(key => key !== undefined);
  const measured = list([...new Set(numbers)]);
  const by = view.group ?? '';
  const lines: string[] = [];
  let keys = list([by]);
  if (by === 'twin') {
    lines.push(
      'import re',
      `params = runs.filter(like="params.").columns`,
      `same = [key for key in params if not re.search(r"${SEEDS}", key)]`,
      'runs[same] = runs[same].astype(str)'
    );
    keys = '["experiment", "name", *same]';
  }
  return [
    ...lines,
    `runs.groupby(${keys}, dropna=False)[${measured}].agg(["mean", "std", "count"])`
  ];
}

/** The column of a data frame that has what a column of the table has; null for none. */
function column(sort: string, { headline }: ICoded): { key: string; falling: boolean } | null {
  const falling = sort.startsWith('-');
  const key = falling ? sort.slice(1) : sort;
  if (key === 'headline') {
    return headline === null ? null : { key: `metrics.${headline}`, falling };
  }
  const known = FRAME.has(key) || /^(params|metrics|tags)\./.test(key);
  return known ? { key, falling } : null;
}

function text(value: string): string {
  return JSON.stringify(value);
}

function list(values: readonly string[]): string {
  return `[${values.map(text).join(', ')}]`;
}
