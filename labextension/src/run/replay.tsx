/** Whether the result holds: the grade, the verdict of a replay, and the cells that give it. */

import React, { useCallback, useEffect, useState } from 'react';

import { ApiError } from '../api';
import { useTrans } from '../locale';
import type { IRecipe } from './pieces';
import { Trouble } from './drawn';
import { usePage } from './host';
import { messageOf } from './piece';
import { Recipe } from './recipe';
import { Section } from './section';
import { Trial } from './trial';
import { Verdict } from './verdict';

/** The section; absent where the server has no replay, or the run nothing to replay. */
export function Replay(): React.JSX.Element | null {
  const trans = useTrans();
  const { api, version, visible } = usePage();
  const [recipe, setRecipe] = useState<IRecipe | null>(null);
  const [absent, setAbsent] = useState(false);
  const [trouble, setTrouble] = useState('');
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => setTurn(one => one + 1), []);

  useEffect(() => {
    if (!visible) {
      return undefined;
    }
    let ended = false;
    api
      .recipe()
      .then(found => {
        if (!ended) {
          setRecipe(found);
          setTrouble('');
        }
      })
      .catch((error: unknown) => {
        if (!ended) {
          setAbsent(error instanceof ApiError && error.status === 404);
          setTrouble(messageOf(error));
        }
      });
    return () => {
      ended = true;
    };
  }, [api, version, visible, turn]);

  if (absent || (recipe && recipe.cells.length === 0 && !recipe.verdict)) {
    return null;
  }
  return (
    <Section id="replay" title={trans.__('Replay')}>
      {() => (
        <>
          <Trouble text={trouble} />
          {!recipe && !trouble && <div className="tb-Waiting" />}
          {recipe && (
            <>
              <Grade recipe={recipe} />
              {recipe.verdict && <Verdict verdict={recipe.verdict} />}
              <Trial onDone={again} again={recipe.verdict !== null} />
              <Recipe recipe={recipe} />
            </>
          )}
        </>
      )}
    </Section>
  );
}

/** The letter, with each reason and what cures it. */
function Grade({ recipe }: { recipe: IRecipe }): React.JSX.Element | null {
  const trans = useTrans();
  const { grade } = recipe;
  if (!grade) {
    return null;
  }
  return (
    <div className="tb-Grade">
      <span
        className="tb-Grade-letter"
        data-grade={grade.letter}
        role="img"
        aria-label={trans.__('Grade %1', grade.letter)}
      >
        {grade.letter}
      </span>
      {grade.reasons.length === 0 ? (
        <p>{trans.__('Nothing speaks against running it again.')}</p>
      ) : (
        <ul>
          {grade.reasons.map(({ text, cure }) => (
            <li key={text}>
              {text}
              <span className="tb-Soft"> {cure}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
