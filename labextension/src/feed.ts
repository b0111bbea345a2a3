/** The runs of one store: fetched, kept current by revisions. */

import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IApi, IQuery, IRevision, IStore, IStores } from './api';
import { ApiError } from './api';
import type { IHeld } from './revision';
import { NOTHING, judge, merge } from './revision';
import { PLAIN_VIEW, needed } from './runs/view';
import type { IModelOptions, IState } from './state';

/** Time between looks at the server when no event comes, in ms. */
export const BACKSTOP = 30_000;

const EMPTY = { rows: [], held: [], columns: [], others: [], total: 0, folder: '', search: '' };

/** The runs of one store, kept current while somebody looks. */
export abstract class RunsFeed {
  constructor(api: IApi, options: IModelOptions = {}) {
    this.api = api;
    this.query = { ...options.query };
    this._fixed = options.store ?? null;
    this.refs = options.refs ?? null;
    const { table, query } = options;
    const given = (query?.sort ?? '').split(',').map(key => key.trim());
    const sort = query?.sort ? given : options.refs ? [] : PLAIN_VIEW.sort;
    this._state = {
      phase: table ? 'ready' : 'loading',
      message: '',
      stores: [],
      store: null,
      own: null,
      columns: table?.columns ?? [],
      others: [],
      held: table?.rows ?? [],
      rows: table?.rows ?? [],
      total: table?.total ?? 0,
      where: query?.where ?? '',
      whereError: '',
      wherePlace: null,
      search: '',
      folder: '',
      shelf: 'runs',
      view: { ...PLAIN_VIEW, sort },
      selected: new Set(),
      current: null,
      editing: null,
      notice: null
    };
    this.givenSort = sort;
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
      this.set({ where });
      this.query.where = where;
      this.askAnew();
    }
  }

  /** A hidden view asks for nothing; a shown one catches up first. Any of several `who` counts. */
  setVisible(visible: boolean, who = ''): void {
    clearInterval(this._timer);
    if (visible) {
      this._visible.add(who);
    } else {
      this._visible.delete(who);
    }
    if (this._visible.size > 0) {
      this._timer = setInterval(() => void this.refresh(), BACKSTOP);
      if (visible) {
        void this.refresh();
      }
    }
  }

  /** Shows the rows that are held now; `live` where they changed by themselves. */
  protected abstract show(live?: boolean): void;

  /** Another store was entered, or none. */
  protected abstract entered(): void;

  /** Asks the server for changes; with `all` for everything. One question at a time. */
  async refresh(all = false): Promise<void> {
    if (all) {
      this._held = NOTHING;
      this._resolved = false;
    }
    if (this._visible.size === 0 || this._disposed) {
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
        this.set({ phase: this._fixed ? this._state.phase : 'ready' });
      }
    } catch (error) {
      this._fail(error);
    }
  }

  private async _resolve(): Promise<void> {
    const path = this._path;
    const found: IStores = await this.api.stores(path);
    if (path !== this._path) {
      this._again = true; // another notebook came to the front meanwhile
      return;
    }
    this._resolved = true;
    const wanted = this._fixed ?? found.current;
    this.set({ stores: found.stores, own: found.own });
    this._enter(found.stores.find(store => store.id === wanted) ?? null);
  }

  private _enter(store: IStore | null): void {
    if (store?.id !== this._state.store?.id) {
      const fresh = this._fixed ? {} : { ...EMPTY, selected: new Set<string>(), current: null };
      this._held = NOTHING;
      this.set({ store, ...fresh, phase: store && !this._fixed ? 'loading' : 'ready' });
      this.entered();
    }
  }

  private async _fetch(store: string): Promise<void> {
    const query = this.query;
    const asked = JSON.stringify(query);
    const wanted = { ...query, with: needed(this._state.view) };
    const reply = await this.api.runs(store, wanted, this._held.revision);
    if (asked !== JSON.stringify(query) || store !== this._state.store?.id) {
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
    const kept = [...this._state.selected].filter(id => ids.has(id) || query.where);
    this.set({
      phase: 'ready',
      message: '',
      whereError: '',
      wherePlace: null,
      columns: held.columns,
      others: held.others,
      held: held.rows,
      selected: new Set(kept)
    });
    this.show(true);
  }

  /** Asks for everything, as for the first time. */
  protected askAnew(): void {
    this._held = NOTHING;
    void this.refresh();
  }

  /** Whether there has been an answer to the question as it is. */
  protected get hasAsked(): boolean {
    return this._held.revision !== null;
  }

  private _fail(error: unknown): void {
    const status = error instanceof ApiError ? error.status : 0;
    const message = error instanceof Error ? error.message : String(error);
    if (status === 400) {
      const told = error instanceof ApiError ? error.told.position : null;
      const wherePlace = typeof told === 'number' ? told : null;
      this.set({ phase: 'ready', whereError: message, wherePlace });
    } else if (status === 404) {
      this.set({ phase: this._resolved ? 'ready' : 'absent' });
      this._resolved = false; // the store went away, or there is no extension: look anew later
    } else {
      this.set({ phase: 'offline', message });
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

  protected set(change: Partial<IState>): void {
    this._state = { ...this._state, ...change };
    this._changed.emit();
  }

  private _again = false;
  protected readonly api: IApi;
  private _busy = false;
  private readonly _changed = new Signal<this, void>(this);
  private _disposed = false;
  private readonly _fixed: string | null;
  protected readonly givenSort: readonly string[];
  private _held: IHeld = NOTHING;
  private _path = '';
  protected readonly query: IQuery;
  protected readonly refs: readonly string[] | null;
  private _resolved = false;
  private _state: IState;
  private _timer: ReturnType<typeof setInterval> | undefined;
  private readonly _visible = new Set<string>();
}
