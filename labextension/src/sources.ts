/** Tells kernels that asked for it what only the front end knows: path and unsaved sources. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PageConfig } from '@jupyterlab/coreutils';
import type { INotebookTracker, Notebook, NotebookPanel } from '@jupyterlab/notebook';
import { NotebookActions } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import type { JSONObject } from '@lumino/coreutils';

/** The comm target that a kernel with Trackbook loaded opens. */
export const TARGET = 'trackbook';

/** Type and source of a cell. */
export type Cell = [type: string, source: string];

/** What a kernel learns before it executes a cell. */
export interface ISources {
  path: string;
  root: string;
  cell: string | null;
  order: string[];
  sources: Record<string, Cell>;
}

/** What one kernel was told of one notebook; only what differs is told again. */
export class Told {
  private _sources = new Map<string, Cell>();

  /** The cells that are new or changed since the last time. */
  changed(cells: Map<string, Cell>): Record<string, Cell> {
    const changed: Record<string, Cell> = {};
    for (const [id, cell] of cells) {
      const before = this._sources.get(id);
      if (!before || before[0] !== cell[0] || before[1] !== cell[1]) {
        changed[id] = cell;
      }
    }
    this._sources = cells;
    return changed;
  }
}

/** Serves the kernels of all notebooks. */
export function tellSources(app: JupyterFrontEnd, notebooks: INotebookTracker): void {
  const links = new Map<string, { comm: Kernel.IComm; told: Map<string, Told> }>();
  const untold = new Map<string, string>(); // the last cell that ran before a kernel was joined

  const tell = (panel: NotebookPanel, cell: string | null): void => {
    const kernel = panel.sessionContext.session?.kernel?.id ?? '';
    const link = links.get(kernel);
    if (!link || link.comm.isDisposed) {
      untold.set(kernel, cell ?? '');
      return;
    }
    const path = app.serviceManager.contents.localPath(panel.context.path);
    let told = link.told.get(panel.id);
    if (!told) {
      link.told.clear(); // a kernel remembers one notebook
      told = new Told();
      link.told.set(panel.id, told);
    }
    const cells = sourcesOf(panel.content);
    const message: ISources = {
      path,
      root: PageConfig.getOption('serverRoot'),
      cell,
      order: [...cells.keys()],
      sources: told.changed(cells)
    };
    link.comm.send(message as unknown as JSONObject);
  };

  const join = (
    panel: NotebookPanel,
    kernel: Kernel.IKernelConnection,
    comm: Kernel.IComm
  ): void => {
    links.set(kernel.id, { comm, told: new Map() });
    comm.onClose = () => {
      links.delete(kernel.id);
    };
    tell(panel, untold.get(kernel.id) || null);
    untold.delete(kernel.id);
  };

  const listen = (panel: NotebookPanel, kernel: Kernel.IKernelConnection | null): void => {
    if (!kernel) {
      return;
    }
    kernel.registerCommTarget(TARGET, comm => join(panel, kernel, comm));
    void rejoin(kernel, comm => join(panel, kernel, comm));
  };

  const watch = (_: INotebookTracker, panel: NotebookPanel): void => {
    panel.sessionContext.kernelChanged.connect((_, change) => listen(panel, change.newValue));
    listen(panel, panel.sessionContext.session?.kernel ?? null);
  };
  notebooks.forEach(panel => watch(notebooks, panel));
  notebooks.widgetAdded.connect(watch);
  NotebookActions.executionScheduled.connect((_, { notebook, cell }) => {
    const panel = notebooks.find(one => one.content === notebook);
    if (panel) {
      tell(panel, cell.model.id);
    }
  });
}

/** After a reload of the page: the kernel's comm is still open and has lost its other end. */
async function rejoin(
  kernel: Kernel.IKernelConnection,
  join: (comm: Kernel.IComm) => void
): Promise<void> {
  try {
    const reply = await kernel.requestCommInfo({ target_name: TARGET });
    if (reply.content.status === 'ok') {
      for (const id of Object.keys(reply.content.comms)) {
        if (!kernel.hasComm(id)) {
          join(kernel.createComm(TARGET, id));
        }
      }
    }
  } catch {
    // The kernel has gone; a new one opens a comm of its own.
  }
}

function sourcesOf(notebook: Notebook): Map<string, Cell> {
  const cells = new Map<string, Cell>();
  for (const { model } of notebook.widgets) {
    cells.set(model.id, [model.type, model.sharedModel.getSource()]);
  }
  return cells;
}
