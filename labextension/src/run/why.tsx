/** What was captured, folded, skipped or redacted, with its reason and its cost. */

import React from 'react';

import { useTrans } from '../locale';
import { Trouble } from './drawn';
import { usePiece } from './piece';
import { Section } from './section';

/** The section. */
export function Why({ count }: { count: number }): React.JSX.Element {
  const trans = useTrans();
  return (
    <Section id="why" title={trans.__('Capture')} count={count} open={false}>
      {near => <Content near={near} />}
    </Section>
  );
}

function Content({ near }: { near: boolean }): React.JSX.Element {
  const trans = useTrans();
  const { data, trouble } = usePiece('why', {}, near);
  if (!data) {
    return trouble ? <Trouble text={trouble} /> : <div className="tb-Waiting" />;
  }
  return (
    <table className="tb-Grid">
      <thead>
        <tr>
          <th scope="col">{trans.__('What')}</th>
          <th scope="col">{trans.__('State')}</th>
          <th scope="col">{trans.__('Reason')}</th>
          <th scope="col" className="tb-mod-right">
            {trans.__('Time')}
          </th>
          <th scope="col" className="tb-mod-right">
            {trans.__('Size')}
          </th>
        </tr>
      </thead>
      <tbody>
        {data.rows.map((row, index) => (
          <tr key={index}>
            <th scope="row">{row.what}</th>
            <td>{row.state}</td>
            <td className="tb-mod-wrap">{row.reason}</td>
            <td className="tb-mod-right">{row.ms}</td>
            <td className="tb-mod-right">{row.bytes}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
