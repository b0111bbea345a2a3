/** The command and toolbar button that put `%%track` on the active cell, or take it off. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import { trackbookIcon } from '../icon';
import { TARGET } from '../sources';
import { stopCapturing } from '../strip/undo';
import { trackLine } from '../strip/track';

/** Id of the command. */
export const TRACK_CELL = 'trackbook:track-cell';

const LOAD = '%load_ext trackbook';

/** How long a busy kernel is waited for, in ms. */
const PATIENCE = 1000;

/** Adds the command; the button in the toolbar is in the settings' schema. */
export function addTracking(
  app: JupyterFrontEnd,
  notebooks: INotebookTracker,
  trans: TranslationBundle
): void {
  const { commands } = app;
  const tracked = (): boolean => trackLine(sourceOf(notebooks)) !== null;
  commands.addCommand(TRACK_CELL, {
    label: args => (args.toolbar ? '' : trans.__('Track This Cell')),
    caption: () =>
      tracked() ? trans.__('Stop tracking this cell') : trans.__('Track this cell'),
    icon: args => (args.toolbar ? trackbookIcon : undefined),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          toolbar: { type: 'boolean', description: 'Whether the command is a toolbar button' }
        }
      }
    },
    isEnabled: () => notebooks.activeCell?.model.type === 'code',
    isToggleable: true,
    isToggled: tracked,
    execute: async () => {
      const panel = notebooks.currentWidget;
      if (toggle(notebooks) && panel && !(await isLoaded(panel))) {
        offerToLoad(panel, trans);
      }
    }
  });
  const changed = (): void => commands.notifyCommandChanged(TRACK_CELL);
  let watched: { disconnect: () => void } | null = null;
  notebooks.activeCellChanged.connect((_, cell) => {
    watched?.disconnect();
    const signal = cell?.model.contentChanged;
    signal?.connect(changed);
    watched = signal ? { disconnect: () => void signal.disconnect(changed) } : null;
    changed();
  });
}

function sourceOf(notebooks: INotebookTracker): string {
  const { model } = notebooks.activeCell ?? {};
  return model?.type === 'code' ? model.sharedModel.getSource() : '';
}

/** Adds the line to the active cell or removes it, as one step of undo; whether it is there. */
function toggle(notebooks: INotebookTracker): boolean {
  const cell = notebooks.activeCell;
  if (cell?.model.type !== 'code') {
    return false;
  }
  const { sharedModel } = cell.model;
  const place = trackLine(sharedModel.getSource());
  stopCapturing(sharedModel);
  if (place) {
    sharedModel.updateSource(place.start, place.end + 1, '');
  } else {
    sharedModel.updateSource(0, 0, '%%track\n');
  }
  return !place;
}

/** Whether the kernel has Trackbook, or a cell of the notebook loads it. */
async function isLoaded(panel: NotebookPanel): Promise<boolean> {
  const cells = panel.content.widgets.map(cell => cell.model.sharedModel.getSource());
  if (cells.some(source => source.includes(LOAD))) {
    return true;
  }
  const kernel = panel.sessionContext.session?.kernel;
  if (!kernel) {
    return false;
  }
  const busy = new Promise<null>(resolve => setTimeout(() => resolve(null), PATIENCE));
  try {
    const reply = await Promise.race([kernel.requestCommInfo({ target_name: TARGET }), busy]);
    // A kernel that is busy cannot be asked; it gets the benefit of the doubt.
    return reply?.content.status !== 'ok' || Object.keys(reply.content.comms).length > 0;
  } catch {
    return false;
  }
}

function offerToLoad(panel: NotebookPanel, trans: TranslationBundle): void {
  const insert = (): void => {
    panel.content.model?.sharedModel.insertCell(0, { cell_type: 'code', source: LOAD });
  };
  Notification.info(trans.__('Trackbook is not loaded in this notebook: run %1 once.', LOAD), {
    autoClose: 10_000,
    actions: [{ label: trans.__('Insert the line'), callback: insert }]
  });
}
