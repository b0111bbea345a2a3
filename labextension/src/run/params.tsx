/** The params: what differs from the previous and the best attempt first, the rest folded. */

import React, { useEffect, useState } from 'react';

import { useTrans } from '../locale';
import type { IOverview, IParam } from './pieces';
import { Trouble } from './drawn';
import { usePage } from './host';
import { messageOf, usePiece } from './piece';
import { Section } from './section';

/** Without a rival so many params stand there unfolded. */
const FEW = 12;

/** The section. */
export function Params({ overview }: { overview: IOverview }): React.JSX.Element {
  const trans = useTrans();
  const [all, setAll] = useState(false);
  const { has, params, rivals } = overview;
  const compared = Object.keys(rivals).length > 0;
  const shown = compared
    ? params.filter(row => row.differs)
    : has.params <= FEW
      ? params
      : params.filter(row => row.chosen).slice(0, FEW);
  const rest = has.params - shown.length;
  return (
    <Section id="params" title={trans.__('Parameters')} count={has.params}>
      {() => (
        <>
          {compared && shown.length === 0 && (
            <p className="tb-RunNote">
              {trans.__('The same parameters as in the attempts it is compared with.')}
            </p>
          )}
          {!all && shown.length > 0 && <ParamTable rows={shown} overview={overview} />}
          {all && <AllParams overview={overview} />}
          {rest > 0 && (
            <button className="tb-Link" aria-expanded={all} onClick={() => setAll(!all)}>
              {all
                ? trans.__('Show only what differs')
                : trans._n('Show 1 more', 'Show %1 more', rest)}
            </button>
          )}
        </>
      )}
    </Section>
  );
}

function ParamTable(props: {
  rows: readonly IParam[];
  overview: IOverview;
}): React.JSX.Element {
  const trans = useTrans();
  const { api, host } = usePage();
  const { previous, best } = props.overview.rivals;
  const link = (id: string, text: string): React.JSX.Element => (
    <button className="tb-Link" onClick={() => host.openRun(api.store, id)}>
      {text}
    </button>
  );
  return (
    <table className="tb-Grid tb-Params">
      <thead>
        <tr>
          <th scope="col">{trans.__('Name')}</th>
          <th scope="col">{trans.__('This run')}</th>
          {previous && (
            <th scope="col">
              {link(previous.id, trans.__('Previous, %1', tail(previous.label)))}
            </th>
          )}
          {best && <th scope="col">{link(best.id, trans.__('Best, %1', tail(best.label)))}</th>}
        </tr>
      </thead>
      <tbody>
        {props.rows.map(row => (
          <tr key={row.key} data-key={row.key}>
            <th scope="row" title={row.key}>
              {row.key}
            </th>
            <td title={row.text ?? undefined}>{row.text ?? <Absent />}</td>
            {previous && <Other text={row.previous} own={row.text} />}
            {best && <Other text={row.best} own={row.text} />}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Other(props: { text?: string | null; own: string | null }): React.JSX.Element {
  const { text, own } = props;
  return (
    <td className={text === own ? 'tb-mod-same' : 'tb-mod-other'} title={text ?? undefined}>
      {text ?? <Absent />}
    </td>
  );
}

function Absent(): React.JSX.Element {
  return <span className="tb-Missing">–</span>;
}

function tail(label: string): string {
  return label.slice(label.lastIndexOf('#'));
}

/** All params, in parts: there may be thousands. */
function AllParams({ overview }: { overview: IOverview }): React.JSX.Element {
  const trans = useTrans();
  const { api } = usePage();
  const [find, setFind] = useState('');
  const [more, setMore] = useState<IParam[]>([]);
  const [trouble, setTrouble] = useState('');
  const { data, trouble: first } = usePiece('params', { find }, true);
  useEffect(() => setMore([]), [data]);
  const rows = [...(data?.rows ?? []), ...more];
  const left = (data?.total ?? 0) - rows.length;
  const add = (): void => {
    api
      .piece('params', { find, start: rows.length })
      .then(part => setMore(was => [...was, ...part.rows]))
      .catch((error: unknown) => setTrouble(messageOf(error)));
  };
  return (
    <>
      {overview.has.params > FEW && (
        <input
          type="search"
          className="tb-Find"
          placeholder={trans.__('Find a parameter')}
          aria-label={trans.__('Find a parameter')}
          value={find}
          onChange={event => setFind(event.target.value)}
          onKeyDown={event => event.stopPropagation()}
        />
      )}
      <ParamTable rows={rows} overview={overview} />
      <Trouble text={first || trouble} />
      {left > 0 && (
        <button className="tb-Link" onClick={add}>
          {trans._n('Show the next one', 'Show the next of %1', left)}
        </button>
      )}
    </>
  );
}
