/** Puts code into the notebook that is open. */

import type { INotebookTracker } from '@jupyterlab/notebook';
import { NotebookActions } from '@jupyterlab/notebook';

const IMPORT = 'import trackbook as tb';

/** A new cell with this code below the active one; false where no notebook is open. */
export function placeCell(notebooks: INotebookTracker, code: string): boolean {
  const panel = notebooks.currentWidget;
  const notebook = panel?.content;
  if (!panel || !notebook?.model) {
    return false;
  }
  const known = notebook.widgets.some(cell => cell.model.sharedModel.source.includes(IMPORT));
  NotebookActions.insertBelow(notebook);
  const cell = notebook.activeCell;
  if (!cell) {
    return false;
  }
  NotebookActions.changeCellType(notebook, 'code');
  notebook.activeCell?.model.sharedModel.setSource(known ? code : `${IMPORT}\n\n${code}`);
  return true;
}
