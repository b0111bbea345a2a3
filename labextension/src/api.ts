/** What the views need from a server: the JSON it speaks and one small interface. */

import type { ISignal } from '@lumino/signaling';

import type { IComparing, IMeasure, IStyle } from './compare/api';

/** The kinds of column that Python names; the front end knows no meaning beyond these. */
export type ColumnKind =
  | 'name'
  | 'status'
  | 'number'
  | 'metric'
  | 'param'
  | 'time'
  | 'duration'
  | 'tags'
  | 'text'
  | 'curve'
  | 'replay'
  | 'grade';

/** One column of a table of runs, as `views.columns` defines it. */
export interface IColumn {
  key: string;
  title: string;
  kind: ColumnKind;
  align: 'left' | 'right';
  /** Wanted width in px. */
  width: number;
  /** 1 is shown in the narrowest panel, higher numbers only where there is room. */
  priority: number;
  /** False where all runs have the same value. */
  differs?: boolean;
}

/** A value with the text that Python made of it. */
export interface ICell {
  text: string;
  value: unknown;
}

/** The metric a run is judged by, with the change since its previous attempt. */
export interface IHeadline {
  key: string;
  value: unknown;
  text: string;
  delta: unknown;
  better: boolean | null;
}

/** One run of a table. */
export interface IRow {
  id: string;
  name: string;
  number: number | null;
  status: string;
  experiment: string;
  started: number;
  ended: number | null;
  star: boolean;
  archived: boolean;
  notebook: string | null;
  cell: string | null;
  headline: IHeadline | null;
  error: { type: string; message: string } | null;
  /** How the kernel of a lost run died, where the server saw it. */
  death?: string | null;
  note?: string;
  tags?: Record<string, unknown>;
  cells: Record<string, ICell | undefined>;
}

/** A table of runs. */
export interface ITable {
  columns: IColumn[];
  /** Columns that are not shown at first and can be chosen. */
  others?: IColumn[];
  rows: IRow[];
  total: number;
}

/** The runs of a store, or what changed in them since a revision. */
export interface IRunsReply {
  revision: string;
  full: boolean;
  table: ITable;
  removed: string[];
}

/** One line of a comparison: a key and its value in each run. */
export interface IComparedRow {
  key: string;
  cells: ICell[];
  differs: boolean;
  /** Whether a person set it, rather than a framework's defaults: never folded. */
  chosen?: boolean;
  /** Position of the best value, where there is a best one. */
  best: number | null;
}

/** A Vega-Lite specification, which the front end draws and does not read. */
export type Spec = Record<string, unknown>;

/** Runs side by side. */
export interface IComparison {
  refs: string[];
  title: string;
  runs: IRow[];
  sections: { title: string; rows: IComparedRow[] }[];
  same: number;
  /** Unified diff of the runs' code against the first one's; empty where nothing differs. */
  diff?: string;
  /** What each run is called, unique among them. */
  labels?: string[];
  charts: { id: string; title: string; spec: Spec }[];
  /** How each run is drawn. */
  styles?: IStyle[];
  /** The metrics that have curves (or one point a run), the most telling first. */
  metrics?: { key: string; kind: string }[];
  /** What runs can be charted by. */
  measures?: IMeasure[];
}

/** A store that the server may show. */
export interface IStore {
  id: string;
  path: string;
  name: string;
}

/** The stores, and which of them belongs to the notebook that was asked for. */
export interface IStores {
  stores: IStore[];
  /** The store of the notebook that was named. */
  own: string | null;
  /** The store to show: the notebook's, else the one used last. */
  current: string | null;
}

/** Which runs are wanted; every field is optional. */
export interface IQuery {
  where?: string | null;
  experiment?: string | null;
  sort?: string | null;
  limit?: number | null;
  archived?: boolean | null;
  /** The runs in the trash in place of the others. */
  trash?: boolean;
  /** Keys of columns that are wanted besides those that are shown at first. */
  with?: readonly string[];
}

/** What edits were made, by run, so that they can be undone, and what could not be. */
export interface IEdited {
  edits: Record<string, string>;
  problems: Record<string, string>;
}

/** A small curve for a cell. */
export interface ICurve {
  key: string;
  values: number[];
}

/** News that a store has reached a revision. */
export interface IRevision {
  store: string;
  revision: string;
}

/** The whole of what views ask of a server. */
export interface IApi {
  /** The registered stores; `current` is the one of the notebook at `path`. */
  stores(path: string): Promise<IStores>;
  /** The runs that match, or only the changes since a revision. */
  runs(store: string, query: IQuery, since?: string | null): Promise<IRunsReply>;
  /** Lays a change over runs. */
  edit(
    store: string,
    ids: readonly string[],
    change: Record<string, unknown>
  ): Promise<IEdited>;
  /** Undoes edits, by run; of an undo, redoes it. */
  undo(store: string, edits: Record<string, string>): Promise<IEdited>;
  /** The curves of runs; null for one that has none. */
  curves(store: string, ids: readonly string[]): Promise<Record<string, ICurve | null>>;
  /** The named runs side by side. */
  compare(store: string, refs: readonly string[]): Promise<IComparison>;
  /** The charts, code and images of comparisons; absent where nothing serves them. */
  readonly comparing?: IComparing;
  /** Emitted when any store changes. */
  readonly revisions: ISignal<IApi, IRevision>;
}

/** For parts of the front end that have routes of their own. */
export interface IRoutes {
  /** What one of our routes answers, whatever it is. */
  request(
    method: string,
    path: readonly string[],
    query?: readonly (readonly [string, string])[],
    body?: unknown
  ): Promise<Response>;
  /** The address of a route, for links that save a file. */
  address(path: readonly string[], query: readonly (readonly [string, string])[]): string;
}

/** An answer that is not success; `status` 0 means that there was no answer. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** All that the server said, where it said more than a sentence. */
    readonly told: Readonly<Record<string, unknown>> = {}
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** Where in a filter it is wrong, from 0; null where that says nothing. */
  get position(): number | null {
    return typeof this.told.position === 'number' ? this.told.position : null;
  }
}
