/** The data that went in, by its identity. */

import React from 'react';

import { useTrans } from '../locale';
import type { IInput } from './pieces';
import { Section } from './section';

/** The section. */
export function Inputs({ inputs }: { inputs: readonly IInput[] }): React.JSX.Element {
  const trans = useTrans();
  return (
    <Section id="inputs" title={trans.__('Inputs')} count={inputs.length}>
      {() => (
        <table className="tb-Grid">
          <thead>
            <tr>
              <th scope="col">{trans.__('Name')}</th>
              <th scope="col">{trans.__('Kind')}</th>
              <th scope="col">{trans.__('Size and identity')}</th>
              <th scope="col">{trans.__('Where')}</th>
            </tr>
          </thead>
          <tbody>
            {inputs.slice(0, 500).map((input, index) => (
              <tr key={index}>
                <th scope="row">{input.name}</th>
                <td>{input.kind}</td>
                <td title={input.hash}>{input.text}</td>
                <td title={input.path ?? input.dtypes}>{input.path ?? input.dtypes}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}
