/** What people changed in the run, and the way back. */

import React, { useState } from 'react';

import { useTrans } from '../locale';
import { Trouble } from './drawn';
import { usePage } from './host';
import { messageOf, usePiece } from './piece';
import { Section } from './section';
import { moment } from './text';

/** The section. */
export function History({ count }: { count: number }): React.JSX.Element {
  const trans = useTrans();
  return (
    <Section id="edits" title={trans.__('Edits')} count={count} open={false}>
      {near => <Content near={near} />}
    </Section>
  );
}

function Content({ near }: { near: boolean }): React.JSX.Element {
  const trans = useTrans();
  const { api, refresh } = usePage();
  const { data, trouble } = usePiece('edits', {}, near);
  const [failed, setFailed] = useState('');
  if (!data) {
    return trouble ? <Trouble text={trouble} /> : <div className="tb-Waiting" />;
  }
  const undo = (id: string): void => {
    api
      .undo(id)
      .then(() => setFailed(''))
      .catch((error: unknown) => setFailed(messageOf(error)))
      .finally(refresh);
  };
  return (
    <>
      <ol className="tb-Edits">
        {data.rows.map(edit => (
          <li key={edit.id} className={edit.undone ? 'tb-mod-undone' : undefined}>
            <span className="tb-Edits-what">{edit.text}</span>
            <span className="tb-Soft">
              {[edit.user, moment(edit.time)].filter(Boolean).join(', ')}
            </span>
            {!edit.undone && (
              <button className="tb-Link" onClick={() => undo(edit.id)}>
                {edit.undoes ? trans.__('Redo') : trans.__('Undo')}
              </button>
            )}
          </li>
        ))}
      </ol>
      <Trouble text={failed} />
    </>
  );
}
