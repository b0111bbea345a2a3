/** `IApi` over the Jupyter server. */

import { URLExt } from '@jupyterlab/coreutils';
import type { Event, ServiceManager } from '@jupyterlab/services';
import { ServerConnection } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';

import type {
  IApi,
  IColumn,
  IComparison,
  ICurve,
  IEdited,
  IQuery,
  IRevision,
  IRoutes,
  IRunsReply,
  IStores
} from './api';
import { ApiError } from './api';
import type { IComparing } from './compare/api';
import { ServerComparing } from './compare/server';
import type { IPacked } from './packed';
import { unpack } from './packed';

/** Id of the event which says that a store changed. */
export const REVISION_SCHEMA = 'https://schema.trackbook.dev/revision/v1';

interface ILayout {
  layout: string;
  columns: IColumn[];
  others: IColumn[];
}

interface IPackedReply extends Omit<IRunsReply, 'table'> {
  table: {
    columns: IColumn[] | null;
    others: IColumn[] | null;
    layout: string;
    total: number;
    packed: IPacked;
  };
}

interface ICurves {
  curves: Record<string, ICurve | null>;
}

/** The Trackbook routes and events of the Jupyter server that this page came from. */
export class ServerApi implements IApi, IRoutes {
  constructor(services: Pick<ServiceManager.IManager, 'serverSettings' | 'events'>) {
    this._settings = services.serverSettings;
    this.comparing = new ServerComparing(this);
    services.events.stream.connect(this._onEvent, this);
  }

  readonly comparing: IComparing;

  get revisions(): Signal<IApi, IRevision> {
    return this._revisions;
  }

  stores(path: string): Promise<IStores> {
    return this.ask(['stores'], { path });
  }

  async runs(store: string, query: IQuery, since?: string | null): Promise<IRunsReply> {
    const kept = since ? this._layouts.get(store) : undefined;
    const reply = await this.ask<IPackedReply>(['stores', store, 'runs'], {
      form: 'packed',
      since,
      layout: kept?.layout,
      where: query.where,
      experiment: query.experiment,
      sort: query.sort,
      archived: query.archived ? '1' : null,
      trash: query.trash ? '1' : null,
      with: query.with?.length ? JSON.stringify(query.with) : null
    });
    const { columns, others, layout, total, packed } = reply.table;
    const known = columns && others ? { layout, columns, others } : kept;
    if (!known) {
      throw new ApiError(500, 'the server sent runs without columns');
    }
    this._layouts.set(store, known);
    const all = [...known.columns, ...known.others];
    return {
      ...reply,
      table: {
        columns: known.columns,
        others: known.others,
        total,
        rows: unpack(packed, all)
      }
    };
  }

  edit(
    store: string,
    ids: readonly string[],
    change: Record<string, unknown>
  ): Promise<IEdited> {
    return this._patch(['stores', store, 'runs'], { ids, change });
  }

  undo(store: string, edits: Record<string, string>): Promise<IEdited> {
    return this._patch(['stores', store, 'edits'], { undo: edits });
  }

  async curves(store: string, ids: readonly string[]): Promise<Record<string, ICurve | null>> {
    const query = { runs: ids.join(',') };
    const reply = await this.ask<ICurves>(['stores', store, 'curves'], query);
    return reply.curves;
  }

  compare(store: string, refs: readonly string[]): Promise<IComparison> {
    return this.ask(['stores', store, 'compare'], { refs: refs.join(',') });
  }

  async request(
    method: string,
    path: readonly string[],
    query: readonly (readonly [string, string])[] = [],
    body?: unknown
  ): Promise<Response> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(
        this.address(path, query),
        { method, ...sent },
        this._settings
      );
    } catch (error) {
      throw new ApiError(0, error instanceof Error ? error.message : String(error));
    }
    if (!response.ok) {
      throw await problemOf(response);
    }
    return response;
  }

  address(path: readonly string[], query: readonly (readonly [string, string])[]): string {
    const parts = path.map(encodeURIComponent);
    const url = URLExt.join(this._settings.baseUrl, 'trackbook', ...parts);
    const search = new URLSearchParams(query.map(([key, value]) => [key, value])).toString();
    return search ? `${url}?${search}` : url;
  }

  /** The JSON that a route answers; what is empty in the query is left out of it. */
  async ask<T>(
    path: string[],
    query: Record<string, string | null | undefined> = {}
  ): Promise<T> {
    const given = Object.entries(query).filter(([, value]) => value) as [string, string][];
    const response = await this.request('GET', path, given);
    return (await response.json()) as T;
  }

  private async _patch<T>(path: string[], body: unknown): Promise<T> {
    const response = await this.request('PATCH', path, [], body);
    return (await response.json()) as T;
  }

  private _onEvent(_: unknown, event: Event.Emission): void {
    const { schema_id, store, revision } = event as Record<string, unknown>;
    if (
      schema_id === REVISION_SCHEMA &&
      typeof store === 'string' &&
      typeof revision === 'string'
    ) {
      this._revisions.emit({ store, revision });
    }
  }

  /** The columns as last told, so that they need not be told again. */
  private readonly _layouts = new Map<string, ILayout>();
  private readonly _revisions = new Signal<IApi, IRevision>(this);
  private readonly _settings: ServerConnection.ISettings;
}

/** The server's own sentence and what else it said; else the status line. */
async function problemOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const told = JSON.parse(text) as Record<string, unknown>;
    if (typeof told.message === 'string' && told.message) {
      return new ApiError(response.status, told.message, told);
    }
  } catch {
    // Not JSON: a proxy or a server without our extension answered.
  }
  return new ApiError(response.status, response.statusText || `HTTP ${response.status}`);
}
