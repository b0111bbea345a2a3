/** What all parts of a comparison share: the runs, who is in focus, the crosshair, the page's doings. */

import { createContext, useContext, useSyncExternalStore } from 'react';

import type { IComparing, IStyle } from './api';

/** What the application around can do for a comparison; absent where it cannot. */
export interface IActions {
  /** Opens the page of a run. */
  openRun?: (store: string, run: string) => void;
  /** Puts a line of Python into a new cell of the notebook; false where none is open. */
  insert?: (code: string) => boolean;
}

/** Given at the root by whoever hosts comparisons. */
export const Actions = createContext<IActions>({});

/** The x that is pointed at, which all charts of curves mark. */
export class Crosshair {
  get x(): number | null {
    return this._x;
  }

  set(x: number | null): void {
    if (x !== this._x) {
      this._x = x;
      this._listeners.forEach(listener => listener());
    }
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  };

  private readonly _listeners = new Set<() => void>();
  private _x: number | null = null;
}

/** The x that is pointed at; the component renders again when it moves. */
export function useCrosshair(crosshair: Crosshair): number | null {
  return useSyncExternalStore(crosshair.subscribe, () => crosshair.x);
}

/** One comparison. */
export interface IShared {
  /** Null where nothing serves the store: what is known is shown as it is. */
  comparing: IComparing | null;
  store: string;
  refs: readonly string[];
  labels: readonly string[];
  styles: readonly IStyle[];
  /** Label of the run that the others are measured against. */
  baseline: string | null;
  /** Labels of the runs that stand out; empty for all. */
  focus: readonly string[];
  setFocus: (labels: readonly string[]) => void;
  crosshair: Crosshair;
  /** Grows whenever the runs changed. */
  version: number;
}

/** Provided by `Compare`. */
export const Shared = createContext<IShared | null>(null);

/** The comparison that the component is part of. */
export function useShared(): IShared {
  const shared = useContext(Shared);
  if (!shared) {
    throw new Error('A part of a comparison needs a <Shared.Provider>');
  }
  return shared;
}
