/** Where columns stand, and which of them are in sight. Pure functions. */

import type { IColumn, IRow } from '../api';
import { TICK_WIDTH, fit, forRows, isTight } from '../columns';
import type { IView } from './view';
import { chosen, isPlain } from './view';

/** Narrower tables show what fits; wider ones scroll. */
export const NARROW = 480;

/** What a name takes where columns scroll anyway. */
const ROOMY_NAME = 200;

/** Columns with their widths: the pinned ones, then those that scroll. */
export interface ILaid {
  pinned: readonly IColumn[];
  rest: readonly IColumn[];
  /** Columns that a narrow table has no room for. */
  hidden: number;
  /** Whether there is no room for changes since the previous attempts. */
  still: boolean;
  /** The width of all, tick box included. */
  width: number;
}

/** The part of the columns that is in sight, as a grid template. */
export interface IWindow {
  columns: readonly IColumn[];
  pinned: number;
  template: string;
}

/** Chooses and measures the columns for a width. */
export function lay(
  view: IView,
  columns: readonly IColumn[],
  others: readonly IColumn[],
  rows: readonly IRow[],
  width: number,
  grouped = false
): ILaid {
  const asked = chosen(view, columns, others);
  // Among columns that somebody chose, none is left out for being told by another.
  const still = width < NARROW && isTight(rows, width);
  const all = view.columns === null ? forRows(asked, rows, grouped, still) : asked;
  if (width < NARROW && isPlain(view)) {
    const { columns: fitting } = fit(all, width);
    const own = total(fitting);
    const hidden = all.length - fitting.length;
    return placed(stretched(fitting, width - own), view, hidden, still);
  }
  const roomy = all.map(column =>
    column.kind === 'name' && width >= NARROW && view.widths[column.key] === undefined
      ? { ...column, width: Math.max(column.width, ROOMY_NAME) }
      : column
  );
  return placed(stretched(roomy, width - total(roomy)), view, 0, still);
}

function total(columns: readonly IColumn[]): number {
  return columns.reduce((sum, column) => sum + column.width, TICK_WIDTH);
}

/** The name takes what is left over, or gives up what is too much in a narrow table. */
function stretched(columns: readonly IColumn[], left: number): readonly IColumn[] {
  const narrow = left < 0 && columns.length <= 3;
  if (left <= 0 && !narrow) {
    return columns;
  }
  return columns.map(column =>
    column.kind === 'name' ? { ...column, width: Math.max(60, column.width + left) } : column
  );
}

function placed(
  columns: readonly IColumn[],
  view: IView,
  hidden: number,
  still: boolean
): ILaid {
  const isPinned = (column: IColumn): boolean => view.pinned.includes(column.key);
  return {
    pinned: columns.filter(isPinned),
    rest: columns.filter(column => !isPinned(column)),
    hidden,
    still,
    width: total(columns)
  };
}

/** The columns between two places of the scrolling part, with room for the others around them. */
export function windowed(laid: ILaid, from: number, to: number): IWindow {
  const widths = (columns: readonly IColumn[]): number[] => columns.map(one => one.width);
  const sum = (columns: readonly IColumn[]): number =>
    columns.reduce((all, column) => all + column.width, 0);
  const shown = laid.rest.slice(from, to);
  const tracks = [
    TICK_WIDTH,
    ...widths(laid.pinned),
    sum(laid.rest.slice(0, from)),
    ...widths(shown),
    sum(laid.rest.slice(to))
  ];
  return {
    columns: [...laid.pinned, ...shown],
    pinned: laid.pinned.length,
    template: tracks.map(track => `${track}px`).join(' ')
  };
}

/** The places of the columns that are in sight, with a few beyond on each side. */
export function inSight(
  laid: ILaid,
  scrolled: number,
  width: number,
  beyond = 2
): [number, number] {
  const pinned = laid.pinned.reduce((sum, column) => sum + column.width, TICK_WIDTH);
  const end = scrolled + Math.max(0, width - pinned);
  let left = 0;
  let from = laid.rest.length;
  let to = 0;
  laid.rest.forEach((column, place) => {
    const right = left + column.width;
    if (right > scrolled && left < end) {
      from = Math.min(from, place);
      to = place + 1;
    }
    left = right;
  });
  return [Math.max(0, Math.min(from, to) - beyond), Math.min(laid.rest.length, to + beyond)];
}

/** How far each pinned column stands from the left edge. */
export function pinnedAt(laid: ILaid): number[] {
  let left = TICK_WIDTH;
  return laid.pinned.map(column => {
    const at = left;
    left += column.width;
    return at;
  });
}
