/** The small curves in a table's cells: asked for together, kept, and drawn. */

import React, { createContext, useContext, useEffect, useReducer } from 'react';

import type { ICurve, IRow } from '../api';
import { floatText } from '../formats';
import { useTrans } from '../locale';

const WIDTH = 72;
const HEIGHT = 18;
/** Waiting for other cells that come into sight, in ms. */
const TOGETHER = 60;
/** A running curve is asked for again after so long at the earliest, in ms. */
const AGAIN = 3000;
const MOST = 100;

type Ask = (ids: readonly string[]) => Promise<Record<string, ICurve | null>>;

interface IKept {
  curve: ICurve | null;
  stamp: string;
  time: number;
}

/** The curves of one store, by run. */
export class Curves {
  constructor(private readonly _ask: Ask) {}

  /** The curve of a run as far as it is known; asks for it where it is not, or has grown. */
  get(row: IRow): ICurve | null {
    const stamp = `${row.ended ?? ''}/${String(row.headline?.value)}`;
    const kept = this._kept.get(row.id);
    const old = kept !== undefined && kept.stamp !== stamp && Date.now() - kept.time > AGAIN;
    if (kept === undefined || old) {
      this._wanted.set(row.id, stamp);
      this._timer ??= setTimeout(() => void this._fetch(), TOGETHER);
    }
    return kept?.curve ?? null;
  }

  /** Calls back when curves arrive; returns what ends that. */
  listen(listener: () => void): () => void {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  }

  private async _fetch(): Promise<void> {
    this._timer = undefined;
    const wanted = [...this._wanted].slice(0, MOST);
    wanted.forEach(([id]) => this._wanted.delete(id));
    if (this._wanted.size > 0) {
      this._timer = setTimeout(() => void this._fetch(), TOGETHER);
    }
    let found: Record<string, ICurve | null> = {};
    try {
      found = await this._ask(wanted.map(([id]) => id));
    } catch {
      // Without an answer the cells stay empty until the rows change.
    }
    for (const [id, stamp] of wanted) {
      const curve = found[id] ?? this._kept.get(id)?.curve ?? null;
      this._kept.set(id, { curve, stamp, time: Date.now() });
    }
    this._listeners.forEach(listener => listener());
  }

  private readonly _kept = new Map<string, IKept>();
  private readonly _listeners = new Set<() => void>();
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private readonly _wanted = new Map<string, string>();
}

/** The curves that the table's cells draw; null where there are none to ask for. */
export const CurvesOf = createContext<Curves | null>(null);

/** A run's curve; empty until it is known and where there is none. */
export function CurveCell({ row }: { row: IRow }): React.JSX.Element | null {
  const trans = useTrans();
  const curves = useContext(CurvesOf);
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => curves?.listen(again), [curves]);
  const curve = curves?.get(row) ?? null;
  if (!curve) {
    return null;
  }
  const last = curve.values[curve.values.length - 1] ?? 0;
  const told = trans.__('%1, last %2', curve.key, floatText(last));
  return (
    <svg
      className="tb-Sparkline"
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={told}
    >
      <title>{told}</title>
      <path d={pathOf(curve.values)} />
    </svg>
  );
}

/** The line through values, as high as the cell. */
export function pathOf(values: readonly number[]): string {
  const low = Math.min(...values);
  const range = Math.max(...values) - low;
  const x = (place: number): number => 1 + (place / (values.length - 1)) * (WIDTH - 2);
  const y = (value: number): number =>
    range > 0 ? HEIGHT - 2 - ((value - low) / range) * (HEIGHT - 4) : HEIGHT / 2;
  return values
    .map((value, place) => `${place ? 'L' : 'M'}${x(place).toFixed(1)} ${y(value).toFixed(1)}`)
    .join('');
}
