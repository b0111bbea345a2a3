/** The commands of an attempt: open its run, restore its code, compare it with the newest. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ServerApi } from '../server';
import type { IAttemptsApi } from './api';
import { attemptsApi } from './api';
import type { Cell } from './attach';
import { attachStrips } from './attach';

/** The ids of the commands of an attempt. */
export const AttemptCommands = {
  open: 'trackbook:open-attempt',
  restore: 'trackbook:restore-attempt',
  compare: 'trackbook:compare-attempt'
} as const;

const DOT = '.tb-Attempt';
const OPEN_RUN = 'trackbook:open-run';
const COMPARE = 'trackbook:compare';
const HOLE = '<redacted:';
const ARGS = {
  type: 'object',
  properties: {
    store: {
      type: 'string',
      description: 'Id of the store; default: that of the dot pointed at'
    },
    run: { type: 'string', description: 'Id of the run; default: that of the dot pointed at' },
    cell: { type: 'string', description: 'Id of the cell; default: the cell of the dot' }
  }
} as const;

/** The strips of all notebooks, and the commands behind their dots. */
export function addStrips(
  app: JupyterFrontEnd,
  notebooks: INotebookTracker,
  server: ServerApi,
  trans: TranslationBundle
): void {
  const { commands, serviceManager } = app;
  const api = attemptsApi(server);
  const actions = {
    open: (store: string, run: string) => void commands.execute(OPEN_RUN, { store, run }),
    restore: (store: string, run: string, cell: Cell) =>
      void commands.execute(AttemptCommands.restore, { store, run, cell: cell.model.id })
  };
  attachStrips(notebooks, {
    api,
    trans,
    actions,
    localPath: path => serviceManager.contents.localPath(path)
  });
  addCommands(app, notebooks, api, trans);
  // Before the cell's own items.
  for (const [at, command] of Object.values(AttemptCommands).entries()) {
    app.contextMenu.addItem({ command, selector: DOT, rank: at - 10 });
  }
  app.contextMenu.addItem({ type: 'separator', selector: DOT, rank: -1 });
}

interface IPointed {
  store: string;
  run: string;
  /** The attempt's strip, where a dot was pointed at. */
  strip: Element | null;
  cell: string | null;
}

function addCommands(
  app: JupyterFrontEnd,
  notebooks: INotebookTracker,
  api: IAttemptsApi,
  trans: TranslationBundle
): void {
  const { commands } = app;
  const pointed = (args: Record<string, unknown>): IPointed | null => {
    const dot = app.contextMenuHitTest(node => node.matches(DOT)) ?? null;
    const store = args.store ?? dot?.dataset.store;
    const run = args.run ?? dot?.dataset.runId;
    const cell = args.cell ?? cellOf(notebooks, dot)?.model.id ?? null;
    return typeof store === 'string' && typeof run === 'string'
      ? { store, run, cell: cell as string | null, strip: dot?.parentElement ?? null }
      : null;
  };
  commands.addCommand(AttemptCommands.open, {
    label: trans.__('Open Run'),
    describedBy: { args: ARGS },
    execute: args => {
      const at = pointed(args);
      return at && commands.execute(OPEN_RUN, { store: at.store, run: at.run });
    }
  });
  commands.addCommand(AttemptCommands.compare, {
    label: trans.__('Compare with Newest Attempt'),
    describedBy: { args: ARGS },
    execute: args => {
      const at = pointed(args);
      const newest = at?.strip?.querySelector<HTMLElement>(`${DOT}:nth-last-of-type(1)`);
      const refs = [at?.run, newest?.dataset.runId].filter(ref => ref !== undefined);
      return at && commands.execute(COMPARE, { store: at.store, refs: [...new Set(refs)] });
    }
  });
  commands.addCommand(AttemptCommands.restore, {
    label: trans.__('Restore This Code'),
    caption: trans.__('Put the code of this attempt into the cell; undo brings yours back'),
    describedBy: { args: ARGS },
    execute: async args => {
      const at = pointed(args);
      const cell = notebooks.currentWidget?.content.widgets.find(
        one => one.model.id === at?.cell
      );
      if (at && cell) {
        restore(cell, await api.source(at.store, at.run), trans);
      }
    }
  });
}

/** Replaces the source of a cell in one step that undo takes back. */
export function restore(cell: Cell, source: string | null, trans: TranslationBundle): void {
  const { sharedModel } = cell.model;
  if (source === null) {
    Notification.warning(trans.__('The code of this attempt was not kept.'), {
      autoClose: 5000
    });
    return;
  }
  if (sharedModel.getSource() === source) {
    Notification.info(trans.__('The cell has this code already.'), { autoClose: 3000 });
    return;
  }
  // What was typed just before must stay a step of its own.
  (
    sharedModel as { undoManager?: { stopCapturing?: () => void } | null }
  ).undoManager?.stopCapturing?.();
  sharedModel.setSource(source);
  const text = source.includes(HOLE)
    ? trans.__('Code restored. Secrets were never kept: fill in the <redacted> places.')
    : trans.__('Code restored.');
  Notification.success(text, {
    autoClose: 5000,
    actions: [{ label: trans.__('Undo'), callback: () => sharedModel.undo() }]
  });
}

function cellOf(notebooks: INotebookTracker, dot: HTMLElement | null): Cell | null {
  const cells = notebooks.currentWidget?.content.widgets ?? [];
  return (dot && cells.find(cell => cell.node.contains(dot))) ?? null;
}
