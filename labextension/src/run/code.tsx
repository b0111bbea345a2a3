/** The commit of the code, and the patch that makes of it the files as they were. */

import React from 'react';

import { useTrans } from '../locale';
import type { IGit } from './pieces';
import { Trouble } from './drawn';
import { usePage } from './host';
import { usePiece } from './piece';
import { Section } from './section';
import { patchKind } from './text';

/** The section. */
export function Code({ git }: { git: IGit }): React.JSX.Element {
  const trans = useTrans();
  return (
    <Section id="code" title={trans.__('Code')}>
      {near => (
        <>
          <dl className="tb-Facts">
            {git.commit && (
              <>
                <dt>{trans.__('Commit')}</dt>
                <dd className="tb-Mono">{git.commit}</dd>
              </>
            )}
            {git.branch && (
              <>
                <dt>{trans.__('Branch')}</dt>
                <dd>{git.branch}</dd>
              </>
            )}
            {git.remote && (
              <>
                <dt>{trans.__('Remote')}</dt>
                <dd>{git.remote}</dd>
              </>
            )}
            {!git.patch && (
              <>
                <dt>{trans.__('Changes')}</dt>
                <dd>
                  {git.dirty
                    ? trans.__('There were changes, and no patch of them was kept.')
                    : trans.__('None: the files were those of the commit.')}
                </dd>
              </>
            )}
          </dl>
          {git.patch && <Patch git={git} near={near} />}
        </>
      )}
    </Section>
  );
}

function Patch({ git, near }: { git: IGit; near: boolean }): React.JSX.Element {
  const trans = useTrans();
  const { api } = usePage();
  const { data, trouble } = usePiece('patch', {}, near, git.patch ?? '');
  const left = git.left_out ?? [];
  return (
    <>
      {git.patch_exact === false && (
        <p className="tb-RunNote tb-mod-warn">
          {trans.__(
            'Not exact: secrets are hidden in this patch, or files are not in it, so that applying it does not give quite the same files.'
          )}
        </p>
      )}
      {left.length > 0 && (
        <details className="tb-More">
          <summary>
            {trans._n(
              '1 file is not in the patch',
              '%1 files are not in the patch',
              left.length
            )}
          </summary>
          <ul>
            {left.map(({ path, reason }) => (
              <li key={path}>
                <span className="tb-Mono">{path}</span>{' '}
                <span className="tb-Soft">{reason}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
      <Trouble text={trouble} />
      {!data && !trouble && <div className="tb-Waiting" />}
      {data && <PatchText key={api.run} text={data.text} />}
      {data?.cut && (
        <p className="tb-RunNote">
          {trans.__('The patch has %1; its beginning is shown.', data.size)}
        </p>
      )}
    </>
  );
}

/** So many lines stand there at once. */
const LINES = 600;

/** A patch, coloured line by line. */
export function PatchText({ text }: { text: string }): React.JSX.Element {
  const trans = useTrans();
  const [most, setMost] = React.useState(LINES);
  const lines = text.replace(/\n$/, '').split('\n');
  return (
    <>
      <pre className="tb-Patch" tabIndex={0} aria-label={trans.__('Patch')}>
        {lines.slice(0, most).map((line, index) => (
          <span key={index} className={`tb-DiffLine tb-mod-${patchKind(line)}`}>
            {line || ' '}
          </span>
        ))}
      </pre>
      {lines.length > most && (
        <button className="tb-Link" onClick={() => setMost(10 * most)}>
          {trans.__('Show more of %1 lines', lines.length)}
        </button>
      )}
    </>
  );
}
