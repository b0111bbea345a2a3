/** The runs of one store as somebody has arranged, selected and edited them. */

import type { IApi, ICurve, IEdited, IRow } from './api';
import { order } from './columns';
import { RunsFeed } from './feed';
import type { INarrowing } from './runs/arrange';
import { narrowed, steady } from './runs/arrange';
import type { IView } from './runs/view';
import { needed, readView } from './runs/view';
import type { IEditing, IModelOptions, IViews } from './state';

export { BACKSTOP } from './feed';
export type { IEditing, IModelOptions, INotice, IState, IViews, Phase } from './state';

/** Keeps the runs of a store current and tells views when they change. */
export class RunsModel extends RunsFeed {
  constructor(api: IApi, options: IModelOptions = {}) {
    super(api, options);
    this._views = options.views ?? null;
  }

  /** Narrows to words, a folder of experiments, or another shelf. */
  narrow(change: Partial<INarrowing>): void {
    const { shelf, folder } = this.state;
    this.set({ ...change });
    if (this.state.folder !== folder) {
      void this._loadView();
    }
    if (this.state.shelf !== shelf) {
      this.query.archived = this.state.shelf === 'archived';
      this.query.trash = this.state.shelf === 'trash';
      this.clear();
      this.askAnew();
    }
    this.show();
  }

  /** Arranges the table otherwise, and keeps that for this experiment. */
  arrange(change: Partial<IView>): void {
    const view = { ...this.state.view, ...change };
    this._views?.save(this._viewKey(), view);
    this._take(view);
  }

  /** Sorts the rows that are here; nothing is fetched. */
  setSort(sort: readonly string[]): void {
    this.arrange({ sort });
  }

  /** While it is held, rows that are seen keep their places whatever arrives. */
  hold(held: boolean): void {
    if (held !== this._isHeld) {
      this._isHeld = held;
      if (!held) {
        this.show();
      }
    }
  }

  /** Ticks or unticks a run. */
  toggle(id: string): void {
    const selected = new Set(this.state.selected);
    if (!selected.delete(id)) {
      selected.add(id);
    }
    this.set({ selected });
  }

  /** Ticks just these runs, or these besides. */
  select(ids: readonly string[], besides = false): void {
    this.set({ selected: new Set([...(besides ? this.state.selected : []), ...ids]) });
  }

  /** Unticks all runs. */
  clear(): void {
    this.set({ selected: new Set() });
  }

  /** The table that somebody used last; of several that show this model, it is edited there. */
  lastUsed = '';

  /** Makes a run the one that keys and menus act on. */
  setCurrent(id: string | null): void {
    if (id !== this.state.current) {
      this.set({ current: id });
    }
  }

  /** The ticked runs where the current one is among them or there is none, else the current one. */
  get targets(): string[] {
    const { current, selected } = this.state;
    return current === null || selected.has(current) ? [...selected] : [current];
  }

  /** The small curves of runs. */
  curves(ids: readonly string[]): Promise<Record<string, ICurve | null>> {
    const store = this.state.store?.id;
    return store === undefined ? Promise.resolve({}) : this.api.curves(store, ids);
  }

  /** Begins to edit a field of a run in its row; null ends it without a change. */
  setEditing(editing: IEditing | null): void {
    this.set({ editing });
  }

  /** Lays a change over runs and says so; the notice has what undoes it. */
  async edit(
    ids: readonly string[],
    change: Record<string, unknown>,
    said: string
  ): Promise<void> {
    await this._edited(said, false, store => this.api.edit(store, ids, change));
  }

  /** Takes back what the notice tells of; done twice it is as before. */
  async undo(): Promise<void> {
    const { notice } = this.state;
    if (notice && !notice.failed) {
      const { said, edits, undone } = notice;
      await this._edited(said, !undone, store => this.api.undo(store, edits));
    }
  }

  /** Takes the notice away. */
  dismiss(): void {
    this.set({ notice: null });
  }

  protected entered(): void {
    void this._loadView();
  }

  /** Shows the rows that are wanted; with `live` none that is looked at changes its place. */
  protected show(live = false): void {
    const before = this.state.rows;
    const wanted = this._arranged();
    const rows = live && this._isHeld ? steady(before, wanted) : wanted;
    const total = this.refs ? rows.length : this.state.held.length;
    this.set({ rows, total });
  }

  /** The rows that are wanted, in the order that is wanted. */
  private _arranged(): readonly IRow[] {
    const { view, held } = this.state;
    if (this.refs) {
      const byId = new Map(held.map(row => [row.id, row]));
      const wanted = this.refs.map(id => byId.get(id)).filter(row => row !== undefined);
      return view.sort.length === 0 ? wanted : order(wanted, view.sort);
    }
    // In the order that was asked for the server has sorted, and it knows more to sort by.
    const given = this.query.sort && view.sort === this.givenSort;
    const rows = narrowed(held, this.state);
    const sorted = given ? rows : order(rows, view.sort);
    return sorted.slice(0, this.query.limit ?? Infinity);
  }

  private _viewKey(): string {
    return `${this.state.store?.id ?? ''}/${this.state.folder}`;
  }

  private async _loadView(): Promise<void> {
    if (this._views && this.state.store) {
      const key = this._viewKey();
      const kept = await this._views.load(key);
      if (key === this._viewKey()) {
        this._take(readView(kept));
      }
    }
  }

  private _take(view: IView): void {
    const known = needed(this.state.view);
    this.set({ view });
    this.show();
    if (needed(view).some(key => !known.includes(key)) && this.hasAsked) {
      this.askAnew();
    }
  }

  private async _edited(
    said: string,
    undone: boolean,
    work: (store: string) => Promise<IEdited>
  ): Promise<void> {
    const store = this.state.store?.id;
    if (store === undefined) {
      return;
    }
    try {
      const { edits, problems } = await work(store);
      const [problem] = Object.values(problems);
      const failed = Object.keys(edits).length === 0 && problem !== undefined;
      const told = problem === undefined ? said : failed ? problem : `${said} (${problem})`;
      this.set({ notice: { said: told, edits, undone, failed } });
      void this.refresh();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.set({ notice: { said: message, edits: {}, undone: false, failed: true } });
    }
  }

  private _isHeld = false;
  private readonly _views: IViews | null;
}
