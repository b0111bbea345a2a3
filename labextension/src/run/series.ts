/** The charts of a page: asked for in handfuls as they come into view, then only their data. */

import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { Spec } from '../api';
import type { RunApi } from './api';
import { messageOf } from './piece';

/** Waiting time in which charts that come into view are gathered, in ms. */
const GATHER = 40;
/** The server draws no more in one answer. */
const MOST = 24;

interface IHeld {
  kind: string;
  spec: Spec;
}

/** Holds the charts of one run by metric. */
export class ChartShelf {
  constructor(private readonly _api: RunApi) {}

  /** Emitted when a chart changes. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The server's sentence, empty when all is well. */
  get trouble(): string {
    return this._trouble;
  }

  /** A chart as last heard of. */
  get(key: string): Spec | null {
    return this._held.get(key)?.spec ?? null;
  }

  /** A chart is in view until what is returned is called. */
  show(key: string): () => void {
    this._inView.add(key);
    this._gather(key);
    return () => this._inView.delete(key);
  }

  /** The run changed: what is in view is asked for again, the rest when it comes into view. */
  turn(version: string): void {
    if (version !== this._version) {
      const first = this._version === '';
      this._version = version;
      if (!first) {
        this._stale = new Set(this._held.keys());
        this._inView.forEach(key => this._gather(key));
      }
    }
  }

  private _gather(key: string): void {
    if (this._held.has(key) && !this._stale.has(key)) {
      return;
    }
    this._wanted.add(key);
    this._timer ??= setTimeout(() => void this._ask(), GATHER);
  }

  private async _ask(): Promise<void> {
    const keys = [...this._wanted].slice(0, MOST);
    keys.forEach(key => {
      this._wanted.delete(key);
      this._stale.delete(key);
    });
    const fresh = keys.filter(key => !this._held.has(key));
    const known = keys.filter(key => this._held.has(key));
    try {
      await this._fetch(fresh, true);
      await this._fetch(known, false);
      this._trouble = '';
    } catch (error) {
      this._trouble = messageOf(error);
    }
    this._timer = undefined;
    if (this._wanted.size > 0) {
      this._timer = setTimeout(() => void this._ask(), GATHER);
    }
    this._changed.emit();
  }

  private async _fetch(keys: string[], whole: boolean): Promise<void> {
    if (keys.length === 0) {
      return;
    }
    const asked = { key: keys, spec: whole ? 1 : 0 };
    const { charts } = await this._api.piece('charts', asked);
    const changed: string[] = [];
    for (const [key, { kind, spec, data }] of Object.entries(charts)) {
      const held = this._held.get(key);
      if (spec) {
        this._held.set(key, { kind, spec });
      } else if (held?.kind === kind) {
        this._held.set(key, { kind, spec: { ...held.spec, data } });
      } else {
        changed.push(key); // dots have become too many
      }
    }
    await this._fetch(changed, true);
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _held = new Map<string, IHeld>();
  private readonly _inView = new Set<string>();
  private _stale = new Set<string>();
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _trouble = '';
  private _version = '';
  private readonly _wanted = new Set<string>();
}
