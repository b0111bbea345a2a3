/** What it ran on: machine, Python and packages; first what moved since the previous attempt. */

import React, { useState } from 'react';

import { useTrans } from '../locale';
import type { IFacts } from './pieces';
import { Trouble } from './drawn';
import { usePiece } from './piece';
import { Section } from './section';

/** The section. */
export function Environment({ run }: { run: IFacts }): React.JSX.Element {
  const trans = useTrans();
  return (
    <Section id="environment" title={trans.__('Environment')} open={false}>
      {near => <Content near={near} run={run} />}
    </Section>
  );
}

function Content({ near, run }: { near: boolean; run: IFacts }): React.JSX.Element {
  const trans = useTrans();
  const { data, trouble } = usePiece('environment', {}, near, run.status);
  if (!data) {
    return trouble ? <Trouble text={trouble} /> : <div className="tb-Waiting" />;
  }
  const { facts, variables, packages, moved, installed, modules } = data;
  const nothing = facts.length + packages.length + installed.length === 0;
  return (
    <>
      {nothing && <p className="tb-RunNote">{trans.__('Nothing of it was kept.')}</p>}
      <dl className="tb-Facts">
        {facts.map(([key, value]) => (
          <React.Fragment key={key}>
            <dt>{key}</dt>
            <dd>{value}</dd>
          </React.Fragment>
        ))}
      </dl>
      {moved.length > 0 && (
        <table className="tb-Grid">
          <thead>
            <tr>
              <th scope="col">{trans.__('Moved since the previous attempt')}</th>
              <th scope="col">{trans.__('Now')}</th>
              <th scope="col">{trans.__('Before')}</th>
            </tr>
          </thead>
          <tbody>
            {moved.map(({ name, now, before }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{now ?? '–'}</td>
                <td>{before ?? '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Pairs title={trans.__('Imported packages')} pairs={packages} />
      <Pairs title={trans.__('All that was installed')} pairs={installed} />
      <Pairs title={trans.__('Own modules')} pairs={modules} />
      <Pairs title={trans.__('Environment variables')} pairs={variables} />
    </>
  );
}

/** A folded list of names with a word each. */
function Pairs(props: {
  title: string;
  pairs: readonly [string, string][];
}): React.JSX.Element | null {
  const [open, setOpen] = useState(false);
  const { title, pairs } = props;
  if (pairs.length === 0) {
    return null;
  }
  return (
    <div className="tb-More">
      <button className="tb-Link" aria-expanded={open} onClick={() => setOpen(!open)}>
        {title} ({pairs.length})
      </button>
      {open && (
        <dl className="tb-Pairs">
          {pairs.map(([name, word], index) => (
            <div key={index}>
              <dt>{name}</dt>
              <dd title={word}>{word}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}
