/** What can be done to runs, each with the sentence that the undo bar shows. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { IRow } from '../api';
import type { RunsModel } from '../model';

/** Stars runs, or takes the stars away where all have one. */
export function star(model: RunsModel, ids: readonly string[], trans: TranslationBundle): void {
  const rows = rowsOf(model, ids);
  const on = !rows.every(row => row.star);
  const said = on
    ? trans._n('%1 run starred', '%1 runs starred', ids.length)
    : trans._n('Star of %1 run taken away', 'Stars of %1 runs taken away', ids.length);
  change(model, ids, { star: on }, said);
}

/** Puts runs aside, or takes them back where all are aside. */
export function archive(
  model: RunsModel,
  ids: readonly string[],
  trans: TranslationBundle
): void {
  const on = !rowsOf(model, ids).every(row => row.archived);
  const said = on
    ? trans._n('%1 run archived', '%1 runs archived', ids.length)
    : trans._n(
        '%1 run taken out of the archive',
        '%1 runs taken out of the archive',
        ids.length
      );
  change(model, ids, { archived: on }, said);
}

/** Moves runs to the trash; in the trash, brings them back. */
export function trash(
  model: RunsModel,
  ids: readonly string[],
  trans: TranslationBundle
): void {
  if (model.state.shelf === 'trash') {
    restore(model, ids, trans);
    return;
  }
  const said = trans._n('%1 run moved to the trash', '%1 runs moved to the trash', ids.length);
  change(model, ids, { deleted: true }, said);
}

/** Brings runs back from the trash. */
export function restore(
  model: RunsModel,
  ids: readonly string[],
  trans: TranslationBundle
): void {
  const said = trans._n('%1 run restored', '%1 runs restored', ids.length);
  change(model, ids, { deleted: false }, said);
}

function change(
  model: RunsModel,
  ids: readonly string[],
  what: Record<string, unknown>,
  said: string
): void {
  if (ids.length > 0) {
    void model.edit(ids, what, said);
  }
}

function rowsOf(model: RunsModel, ids: readonly string[]): IRow[] {
  const wanted = new Set(ids);
  return model.state.held.filter(row => wanted.has(row.id));
}
