/** The command that opens the page of a run, one tab a run; tabs come back after a reload. */

import type { ILayoutRestorer } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IApi, IRoutes } from '../api';
import { trackbookIcon } from '../icon';
import { place } from '../place';
import { RunApi } from './api';
import type { IRunHost } from './host';
import type { ILabParts } from './lab';
import { labHost } from './lab';
import { RunWidget } from './widget';

/** Opens the page of a run: `{store, run}`. */
export const OPEN_RUN = 'trackbook:open-run';

const NAMESPACE = 'trackbook-run';
const ARGS = {
  type: 'object',
  properties: {
    store: { type: 'string', description: 'Id of the store' },
    run: { type: 'string', description: 'Id of the run' }
  },
  required: ['store', 'run']
} as const;

/** Adds the command and its tabs. */
export function addRunPage(
  parts: ILabParts,
  api: IApi & IRoutes,
  trans: TranslationBundle,
  restorer: ILayoutRestorer | null,
  compare: (store: string, refs: string[]) => void
): void {
  const { commands } = parts.app;
  const host = labHost(parts, {
    compare,
    openRun: (store, run) => void commands.execute(OPEN_RUN, { store, run })
  });
  const tabs = new WidgetTracker<MainAreaWidget<RunWidget>>({ namespace: NAMESPACE });
  commands.addCommand(OPEN_RUN, {
    label: trans.__('Open Run'),
    caption: trans.__('Show everything about one run in a tab'),
    icon: trackbookIcon,
    describedBy: { args: ARGS },
    isEnabled: args => typeof args.store === 'string' && typeof args.run === 'string',
    execute: ({ store, run }) => {
      if (typeof store === 'string' && typeof run === 'string') {
        show(parts, tabs, new RunApi(api, store, run), host, trans);
      }
    }
  });
  void restorer?.restore(tabs, {
    command: OPEN_RUN,
    args: tab => ({ store: tab.content.api.store, run: tab.content.api.run }),
    name: tab => `${tab.content.api.store}/${tab.content.api.run}`
  });
}

function show(
  { app: { shell } }: ILabParts,
  tabs: WidgetTracker<MainAreaWidget<RunWidget>>,
  api: RunApi,
  host: IRunHost,
  trans: TranslationBundle
): void {
  const id = `${NAMESPACE}-${api.store}-${api.run}`;
  let tab = tabs.find(one => one.id === id && !one.isDisposed);
  if (!tab) {
    tab = new MainAreaWidget({ content: new RunWidget(api, host, trans) });
    tab.id = id;
    tab.toolbar.hide();
    void tabs.add(tab);
  }
  place(shell, tab);
}
