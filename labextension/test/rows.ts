import { Signal } from '@lumino/signaling';

import type {
  IApi,
  IColumn,
  IComparison,
  ICurve,
  IEdited,
  IQuery,
  IRevision,
  IRow,
  IRunsReply,
  IStores
} from '../src/api';

/** A run as the server describes it. */
export function row(id: string, given: Partial<IRow> = {}): IRow {
  return {
    id,
    name: 'forest',
    number: 1,
    status: 'finished',
    experiment: 'default',
    started: 0,
    ended: null,
    star: false,
    archived: false,
    notebook: null,
    cell: null,
    headline: null,
    error: null,
    cells: {},
    ...given
  };
}

/** A column as the server describes it. */
export function column(key: string, width: number, priority: number): IColumn {
  const kind = key === 'name' || key === 'status' ? key : 'number';
  return {
    key,
    title: key,
    kind,
    align: kind === 'number' ? 'right' : 'left',
    width,
    priority
  };
}

/** A reply with these rows. */
export function reply(
  revision: string,
  full: boolean,
  rows: IRow[],
  removed: string[] = []
): IRunsReply {
  const columns = [column('name', 150, 1)];
  return {
    revision,
    full,
    table: { columns, rows, total: rows.length },
    removed
  };
}

/** A server in this process: answers from a list of revisions, as the real one would. */
export class LocalApi implements IApi {
  readonly revisions: Signal<IApi, IRevision> = new Signal<IApi, IRevision>(this);
  readonly asked: (string | null)[] = [];
  found: IStores = {
    stores: [{ id: 's', path: '~/work', name: 'work' }],
    own: 's',
    current: 's'
  };
  failure: Error | null = null;

  private _start = 'a';
  private _history: { id: string; row: IRow | null }[] = [];

  /** Records a run, or its removal, and announces it. */
  write(id: string, value: IRow | null, announce = true): void {
    this._history.push({ id, row: value });
    if (announce) {
      this.announce();
    }
  }

  announce(): void {
    this.revisions.emit({ store: 's', revision: this.revision });
  }

  /** A restart keeps the runs and forgets the revisions. */
  restart(): void {
    this._start += 'a';
  }

  get revision(): string {
    return `${this._start}.${this._history.length}`;
  }

  async stores(): Promise<IStores> {
    this._check();
    return this.found;
  }

  async runs(_store: string, _query: IQuery, since?: string | null): Promise<IRunsReply> {
    this.asked.push(since ?? null);
    this._check();
    const [start, count] = (since ?? '.0').split('.');
    const full = start !== this._start;
    const part = this._history.slice(full ? 0 : Number(count));
    const last = new Map(part.map(entry => [entry.id, entry.row]));
    const rows = [...last.values()].filter(value => value !== null);
    const removed = [...last].filter(([, value]) => value === null).map(([id]) => id);
    return reply(this.revision, full, rows, full ? [] : removed);
  }

  /** The changes that were asked for, and those that were taken back. */
  readonly edited: {
    ids: readonly string[];
    change: Record<string, unknown>;
  }[] = [];
  readonly undone: Record<string, string>[] = [];

  async edit(
    _store: string,
    ids: readonly string[],
    change: Record<string, unknown>
  ): Promise<IEdited> {
    this._check();
    this.edited.push({ ids, change });
    return {
      edits: Object.fromEntries(ids.map(id => [id, `${id}-edit`])),
      problems: {}
    };
  }

  async undo(_store: string, edits: Record<string, string>): Promise<IEdited> {
    this._check();
    this.undone.push(edits);
    return { edits, problems: {} };
  }

  async curves(): Promise<Record<string, ICurve | null>> {
    return {};
  }

  async compare(): Promise<IComparison> {
    this._check();
    return { refs: [], title: '', runs: [], sections: [], same: 0, charts: [] };
  }

  private _check(): void {
    if (this.failure) {
      throw this.failure;
    }
  }
}
