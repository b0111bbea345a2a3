/** How the runs we hold and the news from the server fit together. Pure functions. */

import type { IColumn, IRow, IRunsReply } from './api';

/** The runs as last heard of, at a revision of the server (null: never heard). */
export interface IHeld {
  revision: string | null;
  columns: readonly IColumn[];
  others: readonly IColumn[];
  rows: readonly IRow[];
}

/** Nothing heard yet. */
export const NOTHING: IHeld = { revision: null, columns: [], others: [], rows: [] };

/** What an announced revision means: nothing new, changes to ask for, or everything anew. */
export type News = 'known' | 'changes' | 'all';

/** Judges an announced revision against the one we hold. */
export function judge(held: string | null, announced: string): News {
  const ours = held === null ? null : parse(held);
  const theirs = parse(announced);
  if (!ours || !theirs || ours.start !== theirs.start) {
    return 'all';
  }
  return theirs.count > ours.count ? 'changes' : 'known';
}

/**
 * Lays a reply over what we hold, by run id. Rows carry a cell for every key they have, so new
 * columns need no new rows.
 *
 * @returns null for changes since a server start that is not ours: all must be asked for.
 */
export function merge(held: IHeld, reply: IRunsReply): IHeld | null {
  const { revision, table, removed } = reply;
  const others = table.others ?? [];
  if (reply.full) {
    return { revision, columns: table.columns, others, rows: table.rows };
  }
  if (held.revision === null || parse(held.revision)?.start !== parse(revision)?.start) {
    return null;
  }
  const rows = new Map(held.rows.map(row => [row.id, row]));
  removed.forEach(id => rows.delete(id));
  table.rows.forEach(row => rows.set(row.id, row));
  return { revision, columns: table.columns, others, rows: [...rows.values()] };
}

function parse(revision: string): { start: string; count: number } | null {
  const dot = revision.lastIndexOf('.');
  const count = Number(revision.slice(dot + 1));
  return dot > 0 && Number.isInteger(count) ? { start: revision.slice(0, dot), count } : null;
}
