/** What the page of one run asks a server: its pieces, edits, replays, and artifacts. */

import type { IApi, IRoutes } from '../api';
import type { IChange, IJob, IPieces, IRecipe } from './pieces';

/** Names and values of a question; several values ask for several things. */
export type Asked = Readonly<Record<string, string | number | readonly string[] | null>>;

/** One run of one store, by the server of an `IApi`. */
export class RunApi {
  constructor(
    readonly api: IApi & IRoutes,
    readonly store: string,
    readonly run: string
  ) {}

  /** A piece of the page. */
  async piece<K extends keyof IPieces>(name: K, asked: Asked = {}): Promise<IPieces[K]> {
    const response = await this.api.request('GET', this.path('page', name), pairs(asked));
    return (await response.json()) as IPieces[K];
  }

  /** Lays a change over the run. */
  async edit(change: IChange): Promise<void> {
    await this.api.request('PATCH', this.path(), [], change);
  }

  /** Takes an edit back; taking back an undo does it again. */
  async undo(edit: string): Promise<void> {
    await this.api.request('PATCH', this.path('edits'), [], { undo: edit });
  }

  /** The content of an artifact, where it is not too large to show. */
  async artifact(name: string, step: number | null = null): Promise<Blob> {
    const asked = pairs({ name, step });
    return (await this.api.request('GET', this.path('artifact'), asked)).blob();
  }

  /** The address under which an artifact is saved. */
  download(name: string, step: number | null = null): string {
    return this.api.address(this.path('artifact'), pairs({ name, step, download: 1 }));
  }

  /** The cells behind the result, the grade, and what the last replay said. */
  async recipe(): Promise<IRecipe> {
    return (await this.api.request('GET', this.path('recipe'))).json() as Promise<IRecipe>;
  }

  /** Begins a replay; returns its job. An `ApiError` 403 has the code that is not trusted. */
  async replay(wishes: { trust: boolean; allow_writes: boolean }): Promise<string> {
    const response = await this.api.request('POST', this.path('replay'), [], wishes);
    return ((await response.json()) as { job: string }).job;
  }

  /** How far a replay is; with `cancel` it is ended first. */
  async job(job: string, cancel = false): Promise<IJob> {
    const path = ['stores', this.store, 'replays', job];
    const response = await this.api.request(cancel ? 'DELETE' : 'GET', path);
    return (await response.json()) as IJob;
  }

  /** Below the run's own route. */
  path(...rest: string[]): string[] {
    return ['stores', this.store, 'runs', this.run, ...rest];
  }
}

function pairs(asked: Asked): [string, string][] {
  return Object.entries(asked).flatMap(([key, value]): [string, string][] =>
    value === null
      ? []
      : Array.isArray(value)
        ? (value as string[]).map((one): [string, string] => [key, one])
        : [[key, String(value)]]
  );
}
