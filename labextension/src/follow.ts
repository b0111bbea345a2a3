/** Keeps the panel on the store of the notebook that the user works in. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';

import type { RunsModel } from './model';

/** Follows the current notebook, also through renames, unless the settings say not to. */
export function followNotebooks(
  app: JupyterFrontEnd,
  model: RunsModel,
  notebooks: INotebookTracker,
  settings: Promise<ISettingRegistry.ISettings> | null
): void {
  let wanted = true;
  const look = (): void => {
    const path = notebooks.currentWidget?.context.path ?? '';
    model.follow(wanted ? app.serviceManager.contents.localPath(path) : '');
  };
  const watch = (_: INotebookTracker, panel: NotebookPanel): void => {
    panel.context.pathChanged.connect(look);
  };
  notebooks.forEach(panel => watch(notebooks, panel));
  notebooks.widgetAdded.connect(watch);
  notebooks.currentChanged.connect(look);
  look();
  settings
    ?.then(loaded => {
      const read = (): void => {
        wanted = loaded.get('followNotebook').composite !== false;
        look();
      };
      loaded.changed.connect(read);
      read();
    })
    .catch(() => {
      // Without its schema the setting keeps its default.
    });
}
