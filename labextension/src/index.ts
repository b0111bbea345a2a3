/** The JupyterLab plugin: wires panel, comparison tab, commands and output renderers. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { placeCell } from './compare/placing';
import type { IActions } from './compare/shared';
import type { ICompared } from './compare/tab';
import { compareTab } from './compare/tab';
import { readView } from './compare/view';
import { trackbookIcon } from './icon';
import { followNotebooks } from './follow';
import { VEGALITE_TYPES, bundleFactory, vegaLiteFactory } from './mime';
import { RunsModel } from './model';
import { OPEN_RUN, addRunPage } from './run/plugin';
import { ServerApi } from './server';
import { tellSources } from './sources';
import { addStrips } from './strip/commands';
import { PANEL_ID, PanelWidget } from './widgets';

const PLUGIN_ID = 'trackbook:plugin';

/** The ids of our commands. */
export const CommandIds = {
  openPanel: 'trackbook:open-panel',
  compare: 'trackbook:compare',
  refresh: 'trackbook:refresh'
} as const;

const NO_ARGS = { type: 'object', properties: {} } as const;
const COMPARE_ARGS = {
  type: 'object',
  properties: {
    store: { type: 'string', description: 'Id of the store; default: the one in the panel' },
    refs: {
      type: 'array',
      items: { type: 'string' },
      description: 'Ids of the runs; default: those that are ticked in the panel'
    },
    view: {
      type: 'object',
      description:
        'What to see: curves {x, smoothing, log}, baseline (id of a run), relations, hidden; default: as before'
    }
  }
} as const;

const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'Shows and compares the runs that Trackbook records.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [
    ILayoutRestorer,
    ICommandPalette,
    ISettingRegistry,
    ITranslator,
    INotebookTracker,
    IEditorServices,
    IDefaultFileBrowser
  ],
  activate
};

export default plugin;

function activate(
  app: JupyterFrontEnd,
  rendermime: IRenderMimeRegistry,
  restorer: ILayoutRestorer | null,
  palette: ICommandPalette | null,
  settings: ISettingRegistry | null,
  translator: ITranslator | null,
  notebooks: INotebookTracker | null,
  editors: IEditorServices | null,
  browser: IDefaultFileBrowser | null
): void {
  const trans = (translator ?? nullTranslator).load('trackbook');
  const api = new ServerApi(app.serviceManager);
  const model = new RunsModel(api);
  const compare = (store: string, refs: string[]): void => {
    void app.commands.execute(CommandIds.compare, { store, refs });
  };
  const panel = new PanelWidget(model, trans, compare);
  app.shell.add(panel, 'left', { rank: 700 });
  restorer?.add(panel, PANEL_ID);

  addRunPage({ app, rendermime, editors, browser }, api, trans, restorer, compare);
  const actions: IActions = {
    openRun: (store, run) => void app.commands.execute(OPEN_RUN, { store, run }),
    ...(notebooks ? { insert: code => placeCell(notebooks, code) } : {})
  };
  const { compare: command } = CommandIds;
  const showCompared = compareTab(app, command, api, trans, actions, restorer);
  addCommands(app, model, trans, showCompared);
  for (const command of Object.values(CommandIds)) {
    palette?.addItem({ command, category: 'Trackbook' });
  }

  const context = { api, trans, compare, actions };
  rendermime.addFactory(bundleFactory(context));
  // Whoever else renders Vega-Lite 6 goes first; one that registers later replaces ours.
  const free = VEGALITE_TYPES.filter(type => !rendermime.mimeTypes.includes(type));
  rendermime.addFactory(vegaLiteFactory(free, context));

  if (notebooks) {
    tellSources(app, notebooks);
    addStrips(app, notebooks, api, trans);
    followNotebooks(app, model, notebooks, settings?.load(PLUGIN_ID) ?? null);
  } else {
    model.follow('');
  }
}

function addCommands(
  { commands, shell }: JupyterFrontEnd,
  model: RunsModel,
  trans: TranslationBundle,
  showCompared: (compared: ICompared) => void
): void {
  commands.addCommand(CommandIds.openPanel, {
    label: trans.__('Show Runs'),
    caption: trans.__('Show the runs of this notebook in the side panel'),
    icon: trackbookIcon,
    describedBy: { args: NO_ARGS },
    execute: () => shell.activateById(PANEL_ID)
  });
  commands.addCommand(CommandIds.compare, {
    label: trans.__('Compare Selected Runs'),
    icon: trackbookIcon,
    describedBy: { args: COMPARE_ARGS },
    isEnabled: args => 'refs' in args || model.state.selected.size > 1,
    execute: args => {
      const store = (args.store as string | undefined) ?? model.state.store?.id;
      const refs = (args.refs as string[] | undefined) ?? [...model.state.selected];
      if (store && refs.length > 0) {
        const view = args.view === undefined ? {} : { view: readView(args.view) };
        showCompared({ store, refs, ...view });
      }
    }
  });
  commands.addCommand(CommandIds.refresh, {
    label: trans.__('Refresh Runs'),
    describedBy: { args: NO_ARGS },
    execute: () => model.refresh(true)
  });
  model.changed.connect(() => commands.notifyCommandChanged(CommandIds.compare));
}
