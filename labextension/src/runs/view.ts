/** How somebody has arranged a table of runs: what is kept for each experiment. */

import type { IColumn } from '../api';

/** An arrangement; replaced, never changed. */
export interface IView {
  /** Keys in their order; null for those that differ, chosen by themselves. */
  columns: readonly string[] | null;
  /** Keys of columns that stay in sight when the others scroll. */
  pinned: readonly string[];
  /** Widths in px that somebody gave. */
  widths: Readonly<Record<string, number>>;
  /** Keys to sort by, `-` for falling. */
  sort: readonly string[];
  /** `experiment`, `twin`, `status`, `params.x` or `tags.x`; null for no groups. */
  group: string | null;
}

export const NARROWEST = 48;
export const WIDEST = 800;

export const PLAIN_VIEW: IView = {
  columns: null,
  pinned: ['name'],
  widths: {},
  sort: ['-started'],
  group: null
};

/** A kept arrangement; whatever of it cannot be read keeps its default. */
export function readView(kept: unknown): IView {
  if (typeof kept !== 'object' || kept === null) {
    return PLAIN_VIEW;
  }
  const { columns, pinned, widths, sort, group } = kept as Record<string, unknown>;
  return {
    columns: texts(columns),
    pinned: texts(pinned) ?? PLAIN_VIEW.pinned,
    widths: readWidths(widths),
    sort: texts(sort) ?? PLAIN_VIEW.sort,
    group: typeof group === 'string' ? group : null
  };
}

function texts(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.every(one => typeof one === 'string') ? value : null;
}

function readWidths(value: unknown): Record<string, number> {
  if (typeof value !== 'object' || value === null) {
    return {};
  }
  const pairs = Object.entries(value).filter(([, width]) => Number.isFinite(width));
  return Object.fromEntries(pairs.map(([key, width]) => [key, within(Number(width))]));
}

/** A width that a column may have. */
export function within(width: number): number {
  return Math.round(Math.min(WIDEST, Math.max(NARROWEST, width)));
}

/** The columns that are shown, those that stay in sight first, with the widths that were given. */
export function chosen(
  view: IView,
  columns: readonly IColumn[],
  others: readonly IColumn[]
): IColumn[] {
  const known = new Map([...others, ...columns].map(column => [column.key, column]));
  const keys = view.columns ?? columns.map(column => column.key);
  const shown = keys.map(key => known.get(key)).filter(column => column !== undefined);
  const first = shown.filter(column => view.pinned.includes(column.key));
  const rest = shown.filter(column => !view.pinned.includes(column.key));
  return [...first, ...rest].map(column => {
    const width = view.widths[column.key];
    return width === undefined ? column : { ...column, width };
  });
}

/** Keys that rows must have besides those which are shown at first. */
export function needed(view: IView): string[] {
  const sorted = view.sort.map(sort => sort.replace(/^-/, ''));
  const group = view.group === null ? [] : [view.group];
  return [...new Set([...(view.columns ?? []), ...sorted, ...group])].filter(key =>
    /^(params|metrics)\.|^(twin|user|host|git\.)/.test(key)
  );
}

/** With a column shown or hidden; a new one comes last. */
export function toggled(view: IView, shown: readonly IColumn[], key: string): IView {
  const keys = shown.map(column => column.key);
  const columns = keys.includes(key) ? keys.filter(one => one !== key) : [...keys, key];
  return { ...view, columns };
}

/** With a column so many places further to the right, or to the left for a negative number. */
export function moved(view: IView, shown: readonly IColumn[], key: string, by: number): IView {
  const keys = shown.map(column => column.key);
  const from = keys.indexOf(key);
  const to = Math.max(0, Math.min(keys.length - 1, from + by));
  if (from < 0 || from === to) {
    return view;
  }
  keys.splice(to, 0, ...keys.splice(from, 1));
  return { ...view, columns: keys };
}

/** With a column that stays in sight, or no longer. */
export function pinToggled(view: IView, key: string): IView {
  const pinned = view.pinned.includes(key)
    ? view.pinned.filter(one => one !== key)
    : [...view.pinned, key];
  return { ...view, pinned };
}

/** Whether the columns are as nobody has touched them. */
export function isPlain(view: IView): boolean {
  const { pinned } = PLAIN_VIEW;
  return (
    view.columns === null &&
    Object.keys(view.widths).length === 0 &&
    view.pinned.join() === pinned.join()
  );
}
