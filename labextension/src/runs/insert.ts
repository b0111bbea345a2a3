/** The table as it stands, as a new cell of the notebook. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { INotebookTracker } from '@jupyterlab/notebook';
import { NotebookActions } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import { judgedBy } from '../columns';
import type { RunsModel } from '../model';
import { pandasCode } from './code';
import { chosen } from './view';

interface IInsertContext {
  app: JupyterFrontEnd;
  model: RunsModel;
  trans: TranslationBundle;
  notebooks: INotebookTracker | null;
}

/** Adds the command. */
export function addInsertion(context: IInsertContext): void {
  const { app, model, trans, notebooks } = context;
  app.commands.addCommand('trackbook:insert-code', {
    label: trans.__('Insert This View as pandas Code'),
    caption: trans.__('A cell below the active one makes the same table as a data frame'),
    describedBy: { args: { type: 'object', properties: {} } },
    isEnabled: () => Boolean(notebooks?.currentWidget) && model.state.store !== null,
    execute: () => {
      const panel = notebooks?.currentWidget;
      if (!panel) {
        return;
      }
      const { state } = model;
      const { store, view } = state;
      const code = pandasCode({
        ...state,
        store: store === null || store.id === state.own ? null : store.path,
        sort: view.sort,
        group: view.group,
        headline: judgedBy(state.rows),
        columns: chosen(view, state.columns, state.others),
        selected: [...state.selected]
      });
      NotebookActions.insertBelow(panel.content);
      panel.content.activeCell?.model.sharedModel.setSource(code);
      app.shell.activateById(panel.id);
      panel.content.activate();
    }
  });
}
