/** Experiments as folders, by the slashes in their names. Pure functions. */

import type { IRow } from '../api';

/** A folder with how many runs are in it and below. */
export interface IFolder {
  path: string;
  name: string;
  count: number;
  folders: readonly IFolder[];
}

interface IGrowing {
  count: number;
  below: Map<string, IGrowing>;
}

/** The folders of the rows' experiments, in alphabetical order. */
export function foldersOf(rows: readonly IRow[]): readonly IFolder[] {
  const root: IGrowing = { count: 0, below: new Map() };
  for (const row of rows) {
    let at = root;
    for (const part of row.experiment.split('/')) {
      let next = at.below.get(part);
      if (!next) {
        next = { count: 0, below: new Map() };
        at.below.set(part, next);
      }
      next.count += 1;
      at = next;
    }
  }
  return grown(root, '');
}

function grown(at: IGrowing, above: string): readonly IFolder[] {
  return [...at.below]
    .map(([name, one]) => {
      const path = above === '' ? name : `${above}/${name}`;
      return { path, name, count: one.count, folders: grown(one, path) };
    })
    .sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
}
