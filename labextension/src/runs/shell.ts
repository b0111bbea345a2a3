/** The table's place in the Lab shell: its tab, its menu, and where arrangements are kept. */

import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { IStateDB } from '@jupyterlab/statedb';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONValue } from '@lumino/coreutils';
import { Menu } from '@lumino/widgets';
import type { Widget } from '@lumino/widgets';

import { place } from '../place';
import type { IViews } from '../state';
import { TableCommands } from './commands';

/** The commands of the table that the palette offers. */
export const PALETTE = [
  TableCommands.openTable,
  TableCommands.insertCode,
  TableCommands.undo
] as const;

const OPEN_RUN = 'trackbook:open-run';
const TABLE_ID = 'trackbook-table';

/** Opens a run's page where there is one, else the run by itself in the comparison. */
export function openRun(
  app: JupyterFrontEnd,
  compare: (store: string, refs: string[]) => void,
  store: string,
  run: string
): void {
  if (app.commands.hasCommand(OPEN_RUN)) {
    void app.commands.execute(OPEN_RUN, { store, run });
  } else {
    compare(store, [run]);
  }
}

/** Arrangements in Lab's own state, by store and experiment. */
export function keepViews(state: IStateDB): IViews {
  const at = (key: string): string => `trackbook:view/${key}`;
  return {
    load: key => state.fetch(at(key)),
    save: (key, view) => {
      void state.save(at(key), { ...view } as unknown as ReadonlyPartialJSONValue);
    }
  };
}

/** What opens the one tab with the table, which comes back after a reload. */
export function tableTab(
  app: JupyterFrontEnd,
  make: () => Widget,
  restorer: ILayoutRestorer | null
): () => void {
  const { shell } = app;
  const tabs = new WidgetTracker<MainAreaWidget>({ namespace: TABLE_ID });
  void restorer?.restore(tabs, { command: TableCommands.openTable, name: () => TABLE_ID });
  return () => {
    let tab = tabs.find(one => !one.isDisposed);
    if (!tab) {
      const content = make();
      tab = new MainAreaWidget({ content });
      tab.id = `${TABLE_ID}-tab`;
      tab.title.label = content.title.label;
      tab.title.icon = content.title.icon;
      tab.toolbar.hide();
      tab.title.closable = true;
      void tabs.add(tab);
    }
    place(shell, tab);
  };
}

/** What opens the menu of what else can be done with the table. */
export function tableMenu(commands: CommandRegistry): (x: number, y: number) => void {
  let menu: Menu | null = null;
  const make = (): Menu => {
    const made = new Menu({ commands });
    made.addItem({ command: TableCommands.openTable });
    made.addItem({ command: TableCommands.insertCode });
    made.addItem({ type: 'separator' });
    for (const shelf of ['runs', 'archived', 'trash']) {
      made.addItem({ command: TableCommands.show, args: { shelf } });
    }
    made.addItem({ type: 'separator' });
    made.addItem({ command: TableCommands.undo });
    made.addItem({ command: 'trackbook:refresh' });
    return made;
  };
  return (x, y) => {
    menu ??= make();
    menu.open(x, y);
  };
}
