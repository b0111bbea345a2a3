/** A unified diff, coloured. */

import React from 'react';

import { useTrans } from './locale';

/** How the code differs, line by line. */
export function Diff({ diff }: { diff: string }): React.JSX.Element {
  const trans = useTrans();
  return (
    <section className="tb-Diff" aria-label={trans.__('Code changes')}>
      <h3 className="tb-Section-title">{trans.__('Code changes')}</h3>
      <pre>
        {diff.split('\n').map((line, index) => (
          <span key={index} className={`tb-DiffLine tb-mod-${diffKind(line)}`}>
            {line || ' '}
          </span>
        ))}
      </pre>
    </section>
  );
}

/** What a line of a unified diff is, by how it begins. */
function diffKind(line: string): string {
  if (line.startsWith('+++') || line.startsWith('---') || line.startsWith('@@')) {
    return 'place';
  }
  return line.startsWith('+') ? 'added' : line.startsWith('-') ? 'gone' : 'kept';
}
