/** Renderers for cell outputs: our own bundles, and Vega-Lite 6, which Lab does not know. */

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import React from 'react';

import type { IApi, IComparison, IQuery, ITable, Spec } from './api';
import { Chart } from './chart';
import type { IActions } from './compare/shared';
import { Actions } from './compare/shared';
import { LiveCompare } from './live';
import { Locale } from './locale';
import { RunsModel } from './model';
import { RunsOutput } from './output';

/** The type of what `tb.runs()` and `tb.compare()` display. */
export const BUNDLE_TYPE = 'application/vnd.trackbook.v1+json';

/** Altair 6 writes the first; the second is how such types are usually spelled. */
export const VEGALITE_TYPES = [
  'application/vnd.vegalite.v6.json',
  'application/vnd.vegalite.v6+json'
];

/** The content of our MIME type. */
export interface IBundle {
  version: number;
  kind: 'runs' | 'compare';
  store: string;
  query: IQuery | null;
  refs: string[] | null;
  table: ITable | null;
  comparison: IComparison | null;
}

/** What the renderers need from the application. */
export interface IContext {
  api: IApi;
  trans: TranslationBundle;
  compare: (store: string, refs: string[]) => void;
  /** What a comparison can have the application do. */
  actions: IActions;
}

/** The factory for our own bundles; ahead of the HTML that every bundle carries too. */
export function bundleFactory(context: IContext): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [BUNDLE_TYPE],
    defaultRank: 40,
    createRenderer: options => new BundleRenderer(options.mimeType, context)
  };
}

/** The factory for Vega-Lite 6 charts of anybody. */
export function vegaLiteFactory(
  mimeTypes: string[],
  context: IContext
): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes,
    defaultRank: 45,
    createRenderer: options => new VegaLiteRenderer(options.mimeType, context)
  };
}

abstract class Renderer extends ReactWidget implements IRenderMime.IRenderer {
  constructor(
    protected readonly mimeType: string,
    protected readonly context: IContext
  ) {
    super();
    this.addClass('tb-Output');
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.take(model.data[this.mimeType] as unknown);
    this.update();
    return this.renderPromise ?? Promise.resolve();
  }

  protected abstract take(data: unknown): void;

  protected abstract content(): React.JSX.Element | null;

  protected render(): React.JSX.Element {
    return (
      <Locale.Provider value={this.context.trans}>
        <Actions.Provider value={this.context.actions}>{this.content()}</Actions.Provider>
      </Locale.Provider>
    );
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.shown(true);
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.shown(this.isVisible);
  }

  protected onBeforeHide(message: Message): void {
    this.shown(false);
    super.onBeforeHide(message);
  }

  protected onBeforeDetach(message: Message): void {
    this.shown(false);
    super.onBeforeDetach(message);
  }

  protected shown(_visible: boolean): void {
    this.update();
  }
}

class BundleRenderer extends Renderer {
  dispose(): void {
    this._model?.dispose();
    super.dispose();
  }

  protected take(data: unknown): void {
    const bundle = data as IBundle;
    this._bundle = bundle;
    this._model?.dispose();
    this._model = null;
    if (bundle.kind === 'runs') {
      const { store, query, table, refs } = bundle;
      this._model = new RunsModel(this.context.api, { store, query, table, refs });
      this._model.setVisible(this.isVisible);
    }
  }

  protected content(): React.JSX.Element | null {
    const bundle = this._bundle;
    if (this._model) {
      return <RunsOutput model={this._model} onCompare={this.context.compare} />;
    }
    return (
      bundle && (
        <LiveCompare
          api={this.context.api}
          store={bundle.store}
          refs={bundle.refs ?? bundle.comparison?.refs ?? []}
          known={bundle.comparison}
          visible={this.isVisible}
        />
      )
    );
  }

  protected shown(visible: boolean): void {
    this._model?.setVisible(visible);
    super.shown(visible);
  }

  private _bundle: IBundle | null = null;
  private _model: RunsModel | null = null;
}

class VegaLiteRenderer extends Renderer {
  protected take(data: unknown): void {
    this._spec = data as Spec;
  }

  protected content(): React.JSX.Element | null {
    return this._spec && <Chart spec={this._spec} />;
  }

  private _spec: Spec | null = null;
}
