/** The lines of a chart of curves as numbers: what stands at an x, and zooming. Pure functions. */

import type { Columns } from './api';

/** One run's line, sorted by x. */
export interface ILine {
  run: string;
  x: Float64Array;
  /** NaN where the value is not finite; `odd` has its name there. */
  value: Float64Array;
  smooth: Float64Array | null;
  odd: Map<number, string>;
}

/** What a line has at an x. */
export interface IReading {
  run: string;
  x: number;
  /** The value in words where it is not finite. */
  odd: string | null;
  value: number;
  smooth: number | null;
}

/** The rows that Vega draws. */
export function rowsOf(columns: Columns): Record<string, unknown>[] {
  const names = Object.keys(columns);
  const count = Math.max(0, ...Object.values(columns).map(column => column.length));
  const rows: Record<string, unknown>[] = [];
  for (let place = 0; place < count; place++) {
    const row: Record<string, unknown> = {};
    for (const name of names) {
      row[name] = columns[name]?.[place];
    }
    rows.push(row);
  }
  return rows;
}

/** The lines of a chart of curves, in the order of the runs. */
export function linesOf(columns: Columns): ILine[] {
  const places = new Map<string, number[]>();
  (columns.run ?? []).forEach((run, place) => {
    const known = places.get(run as string);
    if (known) {
      known.push(place);
    } else {
      places.set(run as string, [place]);
    }
  });
  return [...places].map(([run, own]) => lineOf(run, own, columns));
}

function lineOf(run: string, places: number[], columns: Columns): ILine {
  const { x = [], value = [], smooth, odd } = columns;
  const order = [...places].sort((a, b) => (x[a] as number) - (x[b] as number));
  const numbers = (column: unknown[]): Float64Array =>
    Float64Array.from(order, place => (column[place] as number | null) ?? NaN);
  const names = order
    .map((place, at) => [at, odd?.[place]] as const)
    .filter((pair): pair is readonly [number, string] => typeof pair[1] === 'string');
  return {
    run,
    x: numbers(x),
    value: numbers(value),
    smooth: smooth ? numbers(smooth) : null,
    odd: new Map(names)
  };
}

/** The place of the point whose x is nearest; -1 for a line without points. */
export function nearest(x: Float64Array, wanted: number): number {
  const xAt = (place: number): number => x[place] ?? NaN;
  let low = 0;
  let high = x.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xAt(middle) < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low > 0 && wanted - xAt(low - 1) <= xAt(low) - wanted
    ? low - 1
    : low < x.length
      ? low
      : -1;
}

/** The x of the point of any line that is nearest; null where there are no points. */
export function snap(lines: readonly ILine[], wanted: number): number | null {
  let best: number | null = null;
  for (const line of lines) {
    const place = nearest(line.x, wanted);
    const x = line.x[place];
    if (x !== undefined && (best === null || Math.abs(x - wanted) < Math.abs(best - wanted))) {
      best = x;
    }
  }
  return best;
}

/** What every line that reaches an x has there: its nearest point. */
export function readings(lines: readonly ILine[], x: number): IReading[] {
  return lines
    .filter(line => x >= first(line) && x <= last(line))
    .map(line => {
      const place = nearest(line.x, x);
      return {
        run: line.run,
        x: line.x[place] ?? NaN,
        odd: line.odd.get(place) ?? null,
        value: line.value[place] ?? NaN,
        smooth: line.smooth?.[place] ?? null
      };
    });
}

/** The next x of any line in a direction, where the keyboard goes. */
export function step(lines: readonly ILine[], from: number, by: 1 | -1): number | null {
  let best: number | null = null;
  for (const line of lines) {
    const x = by > 0 ? line.x.find(one => one > from) : line.x.filter(one => one < from).at(-1);
    if (x !== undefined && (best === null || (best - x) * by > 0)) {
      best = x;
    }
  }
  return best;
}

/** Both ends of what all lines have. */
export function extent(lines: readonly ILine[]): [number, number] | null {
  const there = lines.filter(line => line.x.length > 0);
  if (there.length === 0) {
    return null;
  }
  return [Math.min(...there.map(first)), Math.max(...there.map(last))];
}

/** The ends of a line; NaN, which compares with nothing, for one without points. */
function first(line: ILine): number {
  return line.x[0] ?? NaN;
}

function last(line: ILine): number {
  return line.x[line.x.length - 1] ?? NaN;
}

/** A range made smaller (factor below 1) or larger around a place in it, never beyond `all`. */
export function zoomed(
  range: readonly [number, number],
  at: number,
  factor: number,
  all: readonly [number, number]
): [number, number] | null {
  const from = Math.max(all[0], at - (at - range[0]) * factor);
  const to = Math.min(all[1], at + (range[1] - at) * factor);
  return (from <= all[0] && to >= all[1]) || !(to > from) ? null : [from, to];
}

/** Four significant digits, as Python writes numbers. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  }
  if (Number.isInteger(value) && Math.abs(value) < 1e6) {
    return String(value);
  }
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  if (exponent < -4 || exponent >= 4) {
    const [digits, power = ''] = value.toExponential(3).split('e');
    const sign = power.startsWith('-') ? '-' : '+';
    const size = power.replace(/^[+-]/, '').padStart(2, '0');
    return `${String(Number(digits))}e${sign}${size}`;
  }
  return String(Number(value.toPrecision(4)));
}

/** An x as people read it: steps whole, times as durations or moments. */
export function xText(x: number, axis: string): string {
  if (axis === 'time') {
    return new Date(x).toLocaleString();
  }
  if (axis === 'relative') {
    const seconds = Math.round(x);
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor(seconds / 60) % 60;
    return seconds < 60
      ? `${numberText(x)} s`
      : hours > 0
        ? `${hours} h ${String(minutes).padStart(2, '0')} min`
        : `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  }
  return axis === 'step' ? x.toLocaleString('en') : numberText(x);
}
