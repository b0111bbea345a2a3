/** What a view of runs shows, and where it starts. */

import type { IColumn, IQuery, IRow, IStore, ITable } from './api';
import type { INarrowing } from './runs/arrange';
import type { IView } from './runs/view';

/** `absent`: the server has no Trackbook; `offline`: it does not answer. */
export type Phase = 'loading' | 'ready' | 'absent' | 'offline';

/** What was done to runs, with the edits that an undo takes back. */
export interface INotice {
  /** A sentence; after an undo it is the same one. */
  said: string;
  edits: Record<string, string>;
  undone: boolean;
  failed: boolean;
}

/** The field of a run that is being edited in its row. */
export interface IEditing {
  id: string;
  field: 'name' | 'tags' | 'note';
}

/** Everything a view shows; replaced, never changed. */
export interface IState extends INarrowing {
  phase: Phase;
  /** Why the server is offline. */
  message: string;
  stores: readonly IStore[];
  store: IStore | null;
  /** The store of the notebook that is followed. */
  own: string | null;
  columns: readonly IColumn[];
  /** Columns that can be chosen besides. */
  others: readonly IColumn[];
  /** All runs that were asked for. */
  held: readonly IRow[];
  /** Those that are shown, in their order. */
  rows: readonly IRow[];
  total: number;
  where: string;
  /** The server's sentence about the filter, empty when it is fine. */
  whereError: string;
  /** Where in the filter the error is. */
  wherePlace: number | null;
  view: IView;
  selected: ReadonlySet<string>;
  /** The run that keys and menus act on. */
  current: string | null;
  editing: IEditing | null;
  notice: INotice | null;
}

/** Where arrangements are kept between sessions. */
export interface IViews {
  load(key: string): Promise<unknown>;
  save(key: string, view: IView): void;
}

/** Where a model starts: a store, a query, and rows that are known already. */
export interface IModelOptions {
  store?: string;
  query?: IQuery | null;
  table?: ITable | null;
  /** Only these runs, in this order. */
  refs?: readonly string[] | null;
  views?: IViews | null;
}
