/** What the attempt strips need from a server. */

import type { ISignal } from '@lumino/signaling';

import type { IApi, IRevision, IStores } from '../api';
import type { ServerApi } from '../server';

/** One attempt at a cell: its dot, and what the dot's card says. */
export interface IAttempt {
  id: string;
  name: string;
  number: number | null;
  status: string;
  started: number;
  duration: string;
  headline: { key: string; text: string; delta: string; better: boolean | null } | null;
  /** From 0, the worst of the series, to 1, the best; null without such a value. */
  shade: number | null;
  /** What differs from the attempt before, one text each. */
  changed: string[];
  error: string | null;
  star: boolean;
  /** Whether the cell's source was kept. */
  source: boolean;
}

/** The attempts of one series; without any, the series is gone. */
export interface IStrip {
  series: string;
  /** The NAME of `%%track NAME`; null where the cell itself is the series. */
  name: string | null;
  /** The cell that made the newest attempt. */
  cell: string | null;
  started: number;
  total: number;
  key: string | null;
  best: string | null;
  attempts: IAttempt[];
}

/** All strips of a notebook, or those that changed since a revision. */
export interface IAttemptsReply {
  revision: string;
  full: boolean;
  strips: IStrip[];
}

/** The whole of what strips ask of a server. */
export interface IAttemptsApi {
  stores(path: string): Promise<IStores>;
  attempts(store: string, path: string, since: string | null): Promise<IAttemptsReply>;
  /** The source of the cell that made a run; null where none was kept. */
  source(store: string, run: string): Promise<string | null>;
  readonly revisions: ISignal<IApi, IRevision>;
}

/** `IAttemptsApi` over the Jupyter server. */
export function attemptsApi(server: ServerApi): IAttemptsApi {
  return {
    stores: path => server.stores(path),
    attempts: (store, path, since) =>
      server.ask(['stores', store, 'attempts'], { path, since }),
    source: async (store, run) => {
      const path = ['stores', store, 'runs', run, 'source'];
      return (await server.ask<{ source: string | null }>(path)).source;
    },
    revisions: server.revisions
  };
}
