/** The runs below this one, and the candidates of a search. */

import React from 'react';

import { StatusDot } from '../cell';
import { useTrans } from '../locale';
import type { IHas } from './pieces';
import { Trouble } from './drawn';
import { usePage } from './host';
import { usePiece } from './piece';
import { Section } from './section';

/** The section. */
export function Children({ has }: { has: IHas }): React.JSX.Element {
  const trans = useTrans();
  return (
    <Section
      id="children"
      title={has.children > 0 ? trans.__('Children') : trans.__('Candidates')}
      count={has.children || undefined}
    >
      {near => (
        <>
          {has.children > 0 && <Below near={near} />}
          {has.candidates && <Tried near={near} titled={has.children > 0} />}
        </>
      )}
    </Section>
  );
}

function Below({ near }: { near: boolean }): React.JSX.Element {
  const trans = useTrans();
  const { api, host } = usePage();
  const { data, trouble } = usePiece('children', {}, near);
  if (!data) {
    return trouble ? <Trouble text={trouble} /> : <div className="tb-Waiting" />;
  }
  const shown = data.columns
    .filter(one => one.kind !== 'name' && one.kind !== 'status')
    .slice(0, 8);
  return (
    <div className="tb-Wide" tabIndex={0} role="group" aria-label={trans.__('Children')}>
      <table className="tb-Grid">
        <thead>
          <tr>
            <th scope="col">{trans.__('Name')}</th>
            {shown.map(({ key, title, align }) => (
              <th key={key} scope="col" className={`tb-mod-${align}`}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.rows.map(row => (
            <tr key={row.id} data-run-id={row.id}>
              <th scope="row">
                <span className="tb-RunLink">
                  <StatusDot status={row.status} death={row.death} />
                  <button className="tb-Link" onClick={() => host.openRun(api.store, row.id)}>
                    {row.name} #{row.number}
                  </button>
                </span>
              </th>
              {shown.map(({ key, align }) => (
                <td key={key} className={`tb-mod-${align}`}>
                  {row.cells[key]?.text ?? ''}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {data.total > data.rows.length && (
        <p className="tb-RunNote">{trans.__('%1 of %2 runs', data.rows.length, data.total)}</p>
      )}
    </div>
  );
}

function Tried(props: { near: boolean; titled: boolean }): React.JSX.Element {
  const trans = useTrans();
  const { data, trouble } = usePiece('candidates', {}, props.near);
  if (!data) {
    return trouble ? <Trouble text={trouble} /> : <div className="tb-Waiting" />;
  }
  const numeric = data.columns.map((_, at) =>
    data.rows.every(row => !row[at] || Number.isFinite(Number(row[at])))
  );
  return (
    <>
      {props.titled && <h3 className="tb-RunSub">{trans.__('Candidates')}</h3>}
      <div className="tb-Wide" tabIndex={0} role="group" aria-label={trans.__('Candidates')}>
        <table className="tb-Grid">
          <thead>
            <tr>
              {data.columns.map((name, at) => (
                <th key={name} scope="col" className={numeric[at] ? 'tb-mod-right' : undefined}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {data.rows.map((row, index) => (
              <tr key={index}>
                {row.map((text, at) => (
                  <td key={at} className={numeric[at] ? 'tb-mod-right' : undefined}>
                    {text}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {data.total > data.rows.length && (
        <p className="tb-RunNote">
          {trans.__('%1 of %2 candidates', data.rows.length, data.total)}
        </p>
      )}
    </>
  );
}
