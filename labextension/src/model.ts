/** The runs of one store: fetched, kept current by revisions, selected and filtered. */

import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IApi, IColumn, IQuery, IRevision, IRow, IStore, IStores, ITable } from './api';
import { ApiError } from './api';
import { order } from './columns';
import type { IHeld } from './revision';
import { NOTHING, judge, merge } from './revision';

/** Time between looks at the server when no event comes, in ms. */
export const BACKSTOP = 30_000;

/** `absent`: the server has no Trackbook; `offline`: it does not answer. */
export type Phase = 'loading' | 'ready' | 'absent' | 'offline';

/** Everything a view shows; replaced, never changed. */
export interface IState {
  phase: Phase;
  /** Why the server is offline. */
  message: string;
  stores: readonly IStore[];
  store: IStore | null;
  columns: readonly IColumn[];
  rows: readonly IRow[];
  total: number;
  where: string;
  /** The server's sentence about the filter, empty when it is fine. */
  whereError: string;
  sort: string;
  selected: ReadonlySet<string>;
}

/** Where a model starts: a store, a query, and rows that are known already. */
export interface IModelOptions {
  store?: string;
  query?: IQuery | null;
  table?: ITable | null;
  /** Only these runs, in this order. */
  refs?: readonly string[] | null;
}

/** Keeps the runs of a store current and tells views when they change. */
export class RunsModel {
  constructor(api: IApi, options: IModelOptions = {}) {
    this._api = api;
    this._query = { ...options.query };
    this._fixed = options.store ?? null;
    this._refs = options.refs ?? null;
    this._state = {
      phase: options.table ? 'ready' : 'loading',
      message: '',
      stores: [],
      store: null,
      columns: options.table?.columns ?? [],
      rows: options.table?.rows ?? [],
      total: options.table?.total ?? 0,
      where: options.query?.where ?? '',
      whereError: '',
      sort: options.query?.sort ?? (options.refs ? '' : '-started'),
      selected: new Set()
    };
    api.revisions.connect(this._onRevision, this);
  }

  /** Emitted after each change of `state`. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get state(): IState {
    return this._state;
  }

  /** Looks for the store of the notebook at `path` from now on. */
  follow(path: string): void {
    if (path !== this._path || !this._state.store) {
      this._path = path;
      this._resolved = false;
      void this.refresh();
    }
  }

  /** Shows the store with this id until another notebook is followed. */
  choose(id: string): void {
    const store = this._state.stores.find(one => one.id === id) ?? null;
    this._enter(store);
    void this.refresh();
  }

  /** Filters by an expression; a bad one keeps the rows and sets `whereError`. */
  setWhere(where: string): void {
    if (where !== this._state.where) {
      this._set({ where });
      this._query.where = where;
      this._held = NOTHING;
      void this.refresh();
    }
  }

  /** Sorts the rows that are here; nothing is fetched. */
  setSort(sort: string): void {
    this._set({ sort, rows: order(this._state.rows, sort) });
  }

  /** Ticks or unticks a run. */
  toggle(id: string): void {
    const selected = new Set(this._state.selected);
    if (!selected.delete(id)) {
      selected.add(id);
    }
    this._set({ selected });
  }

  /** Unticks all runs. */
  clear(): void {
    this._set({ selected: new Set() });
  }

  /** A hidden view asks for nothing; a shown one catches up first. */
  setVisible(visible: boolean): void {
    clearInterval(this._timer);
    this._visible = visible;
    if (visible) {
      this._timer = setInterval(() => void this.refresh(), BACKSTOP);
      void this.refresh();
    }
  }

  /** Asks the server for changes; with `all` for everything. One question at a time. */
  async refresh(all = false): Promise<void> {
    if (all) {
      this._held = NOTHING;
      this._resolved = false;
    }
    if (!this._visible || this._disposed) {
      return;
    }
    this._again = true;
    if (this._busy) {
      return;
    }
    this._busy = true;
    try {
      while (this._again && !this._disposed) {
        this._again = false;
        await this._look();
      }
    } finally {
      this._busy = false;
    }
  }

  dispose(): void {
    this._disposed = true;
    clearInterval(this._timer);
    Signal.clearData(this);
  }

  private async _look(): Promise<void> {
    try {
      if (!this._resolved) {
        await this._resolve();
      }
      if (this._state.store) {
        await this._fetch(this._state.store.id);
      } else {
        this._set({ phase: this._fixed ? this._state.phase : 'ready' });
      }
    } catch (error) {
      this._fail(error);
    }
  }

  private async _resolve(): Promise<void> {
    const path = this._path;
    const found: IStores = await this._api.stores(path);
    if (path !== this._path) {
      this._again = true; // another notebook came to the front meanwhile
      return;
    }
    this._resolved = true;
    const wanted = this._fixed ?? found.current;
    this._set({ stores: found.stores });
    this._enter(found.stores.find(store => store.id === wanted) ?? null);
  }

  private _enter(store: IStore | null): void {
    if (store?.id !== this._state.store?.id) {
      const fresh = this._fixed ? {} : { rows: [], columns: [], total: 0 };
      this._held = NOTHING;
      this._set({ store, ...fresh, phase: store && !this._fixed ? 'loading' : 'ready' });
      this.clear();
    }
  }

  private async _fetch(store: string): Promise<void> {
    const { where } = this._state;
    const reply = await this._api.runs(store, this._query, this._held.revision);
    if (where !== this._state.where || store !== this._state.store?.id) {
      this._again = true; // the question changed while the answer was on its way
      return;
    }
    const held = merge(this._held, reply);
    this._held = held ?? NOTHING;
    if (!held) {
      this._again = true;
      return;
    }
    const ids = new Set(held.rows.map(row => row.id));
    const rows = this._arrange(held.rows);
    const kept = [...this._state.selected].filter(id => ids.has(id) || where !== '');
    this._set({
      phase: 'ready',
      message: '',
      whereError: '',
      columns: held.columns,
      rows,
      total: this._refs ? rows.length : held.rows.length,
      selected: new Set(kept)
    });
  }

  /** The rows that are wanted, in the order that is wanted. */
  private _arrange(rows: readonly IRow[]): IRow[] {
    const { sort } = this._state;
    if (this._refs) {
      const byId = new Map(rows.map(row => [row.id, row]));
      const wanted = this._refs.map(id => byId.get(id)).filter(row => row !== undefined);
      return sort === '' ? wanted : order(wanted, sort);
    }
    // In the order that was asked for the server has sorted, and it knows more to sort by.
    const sorted = sort === this._query.sort ? [...rows] : order(rows, sort);
    return sorted.slice(0, this._query.limit ?? Infinity);
  }

  private _fail(error: unknown): void {
    const status = error instanceof ApiError ? error.status : 0;
    const message = error instanceof Error ? error.message : String(error);
    if (status === 400) {
      this._set({ phase: 'ready', whereError: message });
    } else if (status === 404) {
      this._set({ phase: this._resolved ? 'ready' : 'absent' });
      this._resolved = false; // the store went away, or there is no extension: look anew later
    } else {
      this._set({ phase: 'offline', message });
    }
  }

  private _onRevision(_: IApi, news: IRevision): void {
    if (!this._fixed && !this._state.stores.some(store => store.id === news.store)) {
      this._resolved = false;
      void this.refresh();
    } else if (news.store === this._state.store?.id) {
      const verdict = judge(this._held.revision, news.revision);
      if (verdict !== 'known') {
        this._held = verdict === 'all' ? NOTHING : this._held;
        void this.refresh();
      }
    }
  }

  private _set(change: Partial<IState>): void {
    this._state = { ...this._state, ...change };
    this._changed.emit();
  }

  private _again = false;
  private readonly _api: IApi;
  private _busy = false;
  private readonly _changed = new Signal<this, void>(this);
  private _disposed = false;
  private readonly _fixed: string | null;
  private _held: IHeld = NOTHING;
  private _path = '';
  private readonly _query: IQuery;
  private readonly _refs: readonly string[] | null;
  private _resolved = false;
  private _state: IState;
  private _timer: ReturnType<typeof setInterval> | undefined;
  private _visible = false;
}
