/** What can be done to the runs of the panel, as commands with documented arguments. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyJSONObject, ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { RunsModel } from '../model';
import { trackbookIcon } from '../icon';
import { addInsertion } from './insert';
import { archive, restore, star, trash } from './deeds';

/** The ids of the table's commands. */
export const TableCommands = {
  open: 'trackbook:open-current',
  openTable: 'trackbook:open-table',
  star: 'trackbook:star',
  rename: 'trackbook:rename',
  tags: 'trackbook:edit-tags',
  note: 'trackbook:edit-note',
  archive: 'trackbook:archive',
  trash: 'trackbook:trash',
  restore: 'trackbook:restore',
  undo: 'trackbook:undo',
  filter: 'trackbook:filter',
  search: 'trackbook:search',
  sort: 'trackbook:sort',
  group: 'trackbook:group',
  columns: 'trackbook:columns',
  show: 'trackbook:show',
  copyId: 'trackbook:copy-id',
  insertCode: 'trackbook:insert-code'
} as const;

/** Selector of the rows that the context menu is for. */
export const ROWS = '.tb-PanelWidget .tb-Table-body .tb-Row[data-run-id]';

type Args = ReadonlyPartialJSONObject;

const NO_ARGS = { type: 'object', properties: {} };
const RUNS = {
  type: 'array',
  items: { type: 'string' },
  description: 'Ids of runs; default: the ticked ones, or the one the cursor is on'
};
const RUN = { type: 'string', description: 'Id of a run; default: the one the cursor is on' };

/** What the commands work on. */
export interface ITableContext {
  app: JupyterFrontEnd;
  model: RunsModel;
  trans: TranslationBundle;
  notebooks: INotebookTracker | null;
  /** Opens one run. */
  open: (store: string, run: string) => void;
  /** Opens the table in a tab. */
  openTable: () => void;
}

/** Adds the commands, and the context menu of the rows. */
export function addTableCommands(context: ITableContext): void {
  addDeeds(context);
  addEdits(context);
  addViews(context);
  addInsertion(context);
  const { app } = context;
  const items = [
    'open',
    'star',
    'rename',
    'tags',
    'note',
    'copyId',
    'archive',
    'trash',
    'restore'
  ];
  items.forEach((name, rank) => {
    const command = TableCommands[name as keyof typeof TableCommands];
    app.contextMenu.addItem({ command, selector: ROWS, rank });
  });
  app.contextMenu.addItem({ command: 'trackbook:compare', selector: ROWS, rank: 0.5 });
}

function idsOf(model: RunsModel, args: Args): string[] {
  return Array.isArray(args.runs) ? args.runs.map(String) : model.targets;
}

function idOf(model: RunsModel, args: Args): string | null {
  return typeof args.run === 'string' ? args.run : model.state.current;
}

function addDeeds({ app, model, trans }: ITableContext): void {
  const { commands } = app;
  const properties = { runs: RUNS };
  const any = (args: Args): boolean => idsOf(model, args).length > 0;
  const trashed = (): boolean => model.state.shelf === 'trash';
  commands.addCommand(TableCommands.star, {
    label: trans.__('Star or Unstar'),
    describedBy: { args: { type: 'object', properties } },
    isEnabled: any,
    execute: args => star(model, idsOf(model, args), trans)
  });
  commands.addCommand(TableCommands.archive, {
    label: () =>
      model.state.shelf === 'archived'
        ? trans.__('Take out of the Archive')
        : trans.__('Archive'),
    describedBy: { args: { type: 'object', properties } },
    isEnabled: any,
    isVisible: () => !trashed(),
    execute: args => archive(model, idsOf(model, args), trans)
  });
  commands.addCommand(TableCommands.trash, {
    label: trans.__('Move to Trash'),
    describedBy: { args: { type: 'object', properties } },
    isEnabled: any,
    isVisible: () => !trashed(),
    execute: args => trash(model, idsOf(model, args), trans)
  });
  commands.addCommand(TableCommands.restore, {
    label: trans.__('Restore from Trash'),
    describedBy: { args: { type: 'object', properties } },
    isEnabled: any,
    isVisible: trashed,
    execute: args => restore(model, idsOf(model, args), trans)
  });
  commands.addCommand(TableCommands.undo, {
    label: trans.__('Undo the Last Edit of Runs'),
    describedBy: { args: NO_ARGS },
    isEnabled: () => model.state.notice !== null && !model.state.notice.failed,
    execute: () => model.undo()
  });
}

function addEdits({ app, model, trans, open }: ITableContext): void {
  const { commands } = app;
  const one = (args: Args): boolean => idOf(model, args) !== null;
  const labels = {
    name: trans.__('Rename…'),
    tags: trans.__('Edit Tags…'),
    note: trans.__('Edit Note…')
  };
  const told = {
    name: { type: 'string', description: 'The new name; default: typed in the row' },
    tags: { type: 'object', description: 'Tags to set, null to remove; default: typed' },
    note: { type: 'string', description: 'The new note; default: typed in the row' }
  };
  const ids = {
    name: TableCommands.rename,
    tags: TableCommands.tags,
    note: TableCommands.note
  };
  for (const field of ['name', 'tags', 'note'] as const) {
    commands.addCommand(ids[field], {
      label: labels[field],
      describedBy: {
        args: { type: 'object', properties: { run: RUN, [field]: told[field] } }
      },
      isEnabled: one,
      execute: args => {
        const id = idOf(model, args);
        if (id !== null && args[field] !== undefined) {
          return model.edit([id], { [field]: args[field] }, trans.__('1 run changed'));
        }
        return id === null ? undefined : model.setEditing({ id, field });
      }
    });
  }
  commands.addCommand(TableCommands.open, {
    label: trans.__('Open Run'),
    icon: trackbookIcon,
    describedBy: { args: { type: 'object', properties: { run: RUN } } },
    isEnabled: one,
    execute: args => {
      const id = idOf(model, args);
      const store = model.state.store?.id;
      if (id !== null && store !== undefined) {
        open(store, id);
      }
    }
  });
  commands.addCommand(TableCommands.copyId, {
    label: trans.__('Copy Run Id'),
    describedBy: { args: { type: 'object', properties: { runs: RUNS } } },
    isEnabled: args => idsOf(model, args).length > 0,
    execute: args => navigator.clipboard.writeText(idsOf(model, args).join('\n'))
  });
}

function addViews({ app, model, trans, openTable }: ITableContext): void {
  const { commands } = app;
  commands.addCommand(TableCommands.openTable, {
    label: trans.__('Open Runs in a Tab'),
    icon: trackbookIcon,
    describedBy: { args: NO_ARGS },
    execute: openTable
  });
  const add = (
    id: string,
    label: string,
    properties: Record<string, unknown>,
    execute: (args: Args) => void
  ): void => {
    const described = { args: { type: 'object', properties } as ReadonlyJSONObject };
    commands.addCommand(id, { label, describedBy: described, execute });
  };
  const text = (description: string): Record<string, string> => ({
    type: 'string',
    description
  });
  const texts = (description: string): Record<string, unknown> => ({
    type: 'array',
    items: { type: 'string' },
    description
  });
  add(
    TableCommands.filter,
    trans.__('Filter Runs'),
    { where: text('An expression such as metrics.acc > 0.9; empty for all') },
    args => model.setWhere(String(args.where ?? ''))
  );
  add(
    TableCommands.search,
    trans.__('Search Runs'),
    { text: text('Words that name, tags, params or note have; empty for all') },
    args => model.narrow({ search: String(args.text ?? '') })
  );
  add(
    TableCommands.sort,
    trans.__('Sort Runs'),
    { by: texts('Keys of columns, - before one for falling') },
    args => model.setSort(Array.isArray(args.by) ? args.by.map(String) : ['-started'])
  );
  add(
    TableCommands.group,
    trans.__('Group Runs'),
    { by: text('experiment, name, status, twin (same but for the seed), params.x or tags.x') },
    args => model.arrange({ group: typeof args.by === 'string' && args.by ? args.by : null })
  );
  add(
    TableCommands.columns,
    trans.__('Choose Columns of Runs'),
    { columns: texts('Keys of columns in their order; default: those that differ') },
    args =>
      model.arrange({ columns: Array.isArray(args.columns) ? args.columns.map(String) : null })
  );
  commands.addCommand(TableCommands.show, {
    label: args =>
      args.shelf === 'archived'
        ? trans.__('Show Archived Runs')
        : args.shelf === 'trash'
          ? trans.__('Show the Trash')
          : trans.__('Show Runs at Work'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          shelf: {
            type: 'string',
            enum: ['runs', 'archived', 'trash'],
            description: 'Which runs to show'
          }
        }
      }
    },
    isToggleable: true,
    isToggled: args => model.state.shelf === (args.shelf ?? 'runs'),
    execute: args => {
      const shelf = args.shelf === 'archived' || args.shelf === 'trash' ? args.shelf : 'runs';
      model.narrow({ shelf });
    }
  });
}
