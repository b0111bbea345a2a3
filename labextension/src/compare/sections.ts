/** What of a comparison is shown at once and what is folded away. Pure functions. */

import type { ICell, IComparedRow } from '../api';

/** Up to so many keys that only some runs have stand with the others. */
const FEW = 6;

/** The rows of a section, in the order in which they matter. */
export interface ISorted {
  different: IComparedRow[];
  /** Folded: keys that only some runs have, when there are many, as between kinds of model. */
  partial: IComparedRow[];
  same: IComparedRow[];
}

/** Rows whose values differ, then those that only some runs have, then what is identical. */
export function sorted(rows: readonly IComparedRow[]): ISorted {
  const differs = rows.filter(row => row.differs);
  const different = differs.filter(row => !isPartial(row));
  const partial = differs.filter(isPartial);
  const same = rows.filter(row => !row.differs);
  return partial.length <= FEW
    ? { different: [...different, ...partial], partial: [], same }
    : { different, partial, same };
}

/** Whether a run has the key; a bare tag has it with an empty text. */
export function isThere(cell: ICell): boolean {
  return cell.text !== '' || cell.value === '';
}

/** Whether only some runs have the key and agree on it, and nobody chose it. */
function isPartial(row: IComparedRow): boolean {
  if (row.chosen) {
    return false;
  }
  const texts = row.cells.filter(isThere).map(cell => cell.text);
  return texts.length < row.cells.length && new Set(texts).size < 2;
}
