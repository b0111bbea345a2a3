/** `IComparing` over our routes. */

import type { IRoutes } from '../api';
import type { IAsk, IChartReply, ICodeReply, IComparing, IImages } from './api';

type Query = Record<string, string>;

/** The routes of a comparison on the server that this page came from. */
export class ServerComparing implements IComparing {
  constructor(private readonly _routes: IRoutes) {}

  async chart(
    store: string,
    refs: readonly string[],
    ask: IAsk,
    how: { width: number; spec: boolean; legend?: boolean }
  ): Promise<IChartReply> {
    const answer = await this._get(['stores', store, 'compare', 'chart'], {
      refs: refs.join(','),
      kind: ask.kind,
      key: ask.key,
      options: JSON.stringify(ask.options),
      width: String(Math.round(how.width)),
      spec: how.spec ? '1' : '0',
      legend: how.legend ? '1' : '0'
    });
    return (await answer.json()) as IChartReply;
  }

  async code(store: string, left: string, right: string): Promise<ICodeReply> {
    const answer = await this._get(['stores', store, 'compare', 'code'], {
      refs: `${left},${right}`
    });
    return (await answer.json()) as ICodeReply;
  }

  async images(store: string, refs: readonly string[]): Promise<IImages[]> {
    const answer = await this._get(['stores', store, 'compare', 'images'], {
      refs: refs.join(',')
    });
    return ((await answer.json()) as { images: IImages[] }).images;
  }

  async image(store: string, run: string, name: string, step: number | null): Promise<Blob> {
    const at: Query = step === null ? {} : { step: String(step) };
    const answer = await this._get(['stores', store, 'runs', run, 'image'], { name, ...at });
    return answer.blob();
  }

  private _get(path: string[], query: Query): Promise<Response> {
    return this._routes.request('GET', path, Object.entries(query));
  }
}
