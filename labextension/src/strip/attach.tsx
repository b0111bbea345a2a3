/** Puts the attempt strips under the cells of every notebook; documents are not touched. */

import type { INotebookTracker, Notebook, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { PanelLayout } from '@lumino/widgets';
import React from 'react';

import { Locale } from '../locale';
import type { IAttemptsApi, IStrip } from './api';
import { StripModel } from './model';
import { Strip } from './strip';

/** A cell of a notebook. */
export type Cell = Notebook['widgets'][number];

/** What the dots of all strips do. */
export interface IStripActions {
  open(store: string, run: string): void;
  restore(store: string, run: string, cell: Cell): void;
}

/** What strips need from the application. */
export interface IStripContext {
  api: IAttemptsApi;
  trans: TranslationBundle;
  actions: IStripActions;
  localPath: (path: string) => string;
}

const strips = new WeakMap<NotebookPanel, StripModel>();

/** The attempts at the cells of a notebook, where they are watched. */
export function stripsOf(panel: NotebookPanel): StripModel | null {
  return strips.get(panel) ?? null;
}

/** Serves all notebooks, those that are open and those that will be. */
export function attachStrips(notebooks: INotebookTracker, context: IStripContext): void {
  notebooks.forEach(panel => watch(panel, context));
  notebooks.widgetAdded.connect((_, panel) => watch(panel, context));
  const catchUp = (): void => {
    notebooks.forEach(panel => strips.get(panel)?.catchUp());
  };
  notebooks.currentChanged.connect(catchUp);
  document.addEventListener('visibilitychange', catchUp);
}

function watch(panel: NotebookPanel, context: IStripContext): void {
  const path = (): string => context.localPath(panel.context.path);
  const looked = (): boolean => panel.isVisible && document.visibilityState === 'visible';
  const model = new StripModel(context.api, path, looked);
  strips.set(panel, model);
  panel.disposed.connect(() => model.dispose());
  panel.context.pathChanged.connect(() => model.follow());
  const widgets = new WeakMap<Cell, CellStrip>();
  const attach = (): void => {
    for (const cell of panel.content.widgets) {
      if (cell.model.type === 'code' && !widgets.has(cell)) {
        const widget = new CellStrip(cell, model, panel, context);
        widgets.set(cell, widget);
        void cell.ready.then(() => widget.join());
      }
    }
  };
  void panel.context.ready.then(() => {
    attach();
    panel.content.modelContentChanged.connect(attach);
    model.follow();
  });
}

/** The strip of one cell; takes no room while there are no attempts. */
class CellStrip extends ReactWidget {
  constructor(
    private readonly _cell: Cell,
    private readonly _model: StripModel,
    private readonly _panel: NotebookPanel,
    private readonly _context: IStripContext
  ) {
    super();
    this.addClass('tb-CellStrip');
    this.hide();
    _model.changed.connect(this._look, this);
    _cell.disposed.connect(() => this.dispose());
  }

  /** Takes its place in the cell: after the outputs, before the footer. */
  join(): void {
    if (!this._cell.isDisposed && !this.isDisposed) {
      const layout = this._cell.layout as PanelLayout;
      layout.insertWidget(layout.widgets.length - 1, this);
      this._look();
    }
  }

  dispose(): void {
    this._model.changed.disconnect(this._look, this);
    super.dispose();
  }

  protected render(): React.JSX.Element | null {
    const { _strip: strip, _model: model, _cell: cell, _panel: panel } = this;
    const { trans, actions } = this._context;
    const { store } = model;
    if (!strip || !store) {
      return null;
    }
    return (
      <Locale.Provider value={trans}>
        <Strip
          store={store}
          strip={strip}
          onOpen={run => actions.open(store, run)}
          onRestore={run => actions.restore(store, run, cell)}
          onLeave={() => panel.content.node.focus()}
        />
      </Locale.Provider>
    );
  }

  private _look(): void {
    const { id, sharedModel } = this._cell.model;
    const strip = this._model.strip(id, sharedModel.getSource());
    if (strip !== this._strip) {
      this._strip = strip;
      this.setHidden(strip === null);
      this.update();
    }
  }

  private _strip: IStrip | null = null;
}
