/** The attempt strips of one notebook: fetched, and kept current by revisions. */

import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IApi, IRevision } from '../api';
import { judge } from '../revision';
import type { IAttemptsApi, IStrip } from './api';
import { trackName } from './track';

/** Knows the attempts at each cell of the notebook at a path. */
export class StripModel {
  constructor(
    private readonly _api: IAttemptsApi,
    private readonly _path: () => string,
    private readonly _looked: () => boolean
  ) {
    _api.revisions.connect(this._onRevision, this);
  }

  /** Emitted when any strip may have changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Id of the store that the notebook writes to; null while it is not known. */
  get store(): string | null {
    return this._store;
  }

  /** The strip of a cell: that of the name it tracks, else that of its newest run. */
  strip(cell: string, source: string): IStrip | null {
    const strips = [...this._strips.values()];
    const name = trackName(source);
    const named = name === null ? null : strips.find(strip => strip.name === name);
    return (
      named ??
      strips
        .filter(strip => strip.cell === cell)
        .reduce<IStrip | null>(
          (last, strip) => (last && last.started > strip.started ? last : strip),
          null
        )
    );
  }

  /** Looks which store the notebook has, and at all of its strips. */
  follow(): void {
    this._store = null;
    void this.refresh();
  }

  /** Catches up with what was missed while nobody looked. */
  catchUp(): void {
    if (this._stale) {
      void this.refresh();
    }
  }

  /** Asks for what changed; one question at a time. */
  async refresh(): Promise<void> {
    this._stale = true;
    if (!this._looked() || this._busy) {
      return;
    }
    this._busy = true;
    try {
      while (this._stale && !this._disposed) {
        this._stale = false;
        await this._look();
      }
    } catch {
      // The panel says what is wrong with the server; strips stay as they are.
      this._stale = true;
      this._store = null;
    } finally {
      this._busy = false;
    }
  }

  dispose(): void {
    this._disposed = true;
    Signal.clearData(this);
  }

  private async _look(): Promise<void> {
    const path = this._path();
    if (this._store === null) {
      const found = await this._api.stores(path);
      this._store = found.current;
      this._revision = null;
    }
    if (this._store === null) {
      return;
    }
    const reply = await this._api.attempts(this._store, path, this._revision);
    if (path !== this._path()) {
      this._store = null; // renamed meanwhile
      this._stale = true;
      return;
    }
    if (reply.full) {
      this._strips.clear();
    }
    this._revision = reply.revision;
    for (const strip of reply.strips) {
      if (strip.total > 0) {
        this._strips.set(strip.series, strip);
      } else {
        this._strips.delete(strip.series);
      }
    }
    if (reply.full || reply.strips.length > 0) {
      this._changed.emit();
    }
  }

  private _onRevision(_: IApi, news: IRevision): void {
    if (news.store !== this._store) {
      // The first run of a notebook may make its store.
      if (this._strips.size === 0) {
        this.follow();
      }
    } else if (judge(this._revision, news.revision) !== 'known') {
      void this.refresh();
    }
  }

  private _busy = false;
  private readonly _changed = new Signal<this, void>(this);
  private _disposed = false;
  private _revision: string | null = null;
  private _stale = true;
  private _store: string | null = null;
  private readonly _strips = new Map<string, IStrip>();
}
