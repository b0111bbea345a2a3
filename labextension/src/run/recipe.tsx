/** The cells behind a result as a short notebook, with the reason of each. */

import React, { useState } from 'react';

import { useTrans } from '../locale';
import type { IRecipe, IRecipeCell } from './pieces';
import { Rendered } from './drawn';

/** So many cells stand there at once. */
const MOST = 30;

/** The kept cells; those that did not matter are folded. */
export function Recipe({ recipe }: { recipe: IRecipe }): React.JSX.Element {
  const trans = useTrans();
  const [dropped, setDropped] = useState(false);
  const { cells, flags, inputs } = recipe;
  return (
    <div className="tb-Recipe">
      {flags.map(flag => (
        <p key={flag} className="tb-RunNote tb-mod-warn">
          {flag}
        </p>
      ))}
      {cells.length > 0 && (
        <h3 className="tb-RunSub">
          {trans._n('1 cell made this result', '%1 cells made this result', cells.length)}
        </h3>
      )}
      <Cells cells={cells} />
      {inputs.length > 0 && (
        <p className="tb-RunNote">
          {trans.__('It reads: %1', inputs.map(({ path }) => path).join(', '))}
        </p>
      )}
      {recipe.dropped.length > 0 && (
        <>
          <button
            className="tb-Link"
            aria-expanded={dropped}
            onClick={() => setDropped(!dropped)}
          >
            {dropped
              ? trans.__('Hide what did not matter')
              : trans._n(
                  'Show 1 execution that did not matter',
                  'Show %1 executions that did not matter',
                  recipe.dropped.length
                )}
          </button>
          {dropped && <Cells cells={recipe.dropped} />}
        </>
      )}
    </div>
  );
}

function Cells({ cells }: { cells: readonly IRecipeCell[] }): React.JSX.Element {
  const trans = useTrans();
  const [most, setMost] = useState(MOST);
  return (
    <>
      <ol className="tb-RecipeCells">
        {cells.slice(0, most).map(cell => (
          <li key={cell.order} className={cell.target ? 'tb-mod-target' : undefined}>
            <div className="tb-RecipeCell-why">
              <span className="tb-RecipeCell-order">[{cell.count ?? cell.order}]</span>{' '}
              {cell.reason}
            </div>
            <Rendered mime="text/markdown" text={fenced(cell.source)} />
          </li>
        ))}
      </ol>
      {cells.length > most && (
        <button className="tb-Link" onClick={() => setMost(most + MOST)}>
          {trans.__('Show the next of %1', cells.length - most)}
        </button>
      )}
    </>
  );
}

/** Code as Markdown, so that the host colours it; no text of it can end the fence. */
function fenced(source: string): string {
  const longest = Math.max(2, ...(source.match(/`+/g) ?? []).map(run => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}python\n${source}\n${fence}`;
}
