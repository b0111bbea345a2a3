/** What a replay said. */

import React from 'react';

import { useTrans } from '../locale';
import type { IVerdict } from './pieces';
import { moment } from './text';

/** The badge, the sentence, and what is not as it was. */
export function Verdict({ verdict }: { verdict: IVerdict }): React.JSX.Element {
  const trans = useTrans();
  const { status, text, causes, compared, time } = verdict;
  const rest = text.startsWith(`${status}:`) ? text.slice(status.length + 1).trim() : text;
  const more = (compared ?? []).filter(one => !text.includes(one));
  return (
    <div className="tb-Verdict" data-status={status} role="status">
      <span className="tb-Verdict-badge">{status}</span>
      {rest !== status && <span>{rest}</span>}
      <span className="tb-Soft">{[...more, moment(time)].filter(Boolean).join(' · ')}</span>
      {causes.length > 0 && (
        <ul aria-label={trans.__('What is not as it was')}>
          {causes.map(cause => (
            <li key={cause}>{cause}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
