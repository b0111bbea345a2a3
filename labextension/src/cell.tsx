/** The inside of a table's cells. Text comes ready from Python; here it only gets its place. */

import React from 'react';

import type { IColumn, IHeadline, IRow } from './api';
import { deltaText } from './columns';
import { useTrans } from './locale';

/** A dot whose colour is the status; the status itself, or how it died, is label and tooltip. */
export function StatusDot(props: { status: string; death?: string | null }): React.JSX.Element {
  const { status, death } = props;
  const told = death ? `${status}: ${death}` : status;
  return (
    <span
      className="tb-Status"
      data-status={status}
      role="img"
      aria-label={told}
      title={told}
    />
  );
}

/** What a run is called: its name and the number of the attempt. */
export function RunName({ row }: { row: IRow }): React.JSX.Element {
  return (
    <>
      <span className="tb-Name-text">{row.name}</span>
      {row.number !== null && <span className="tb-Name-number">#{row.number}</span>}
    </>
  );
}

/** The headline metric and how it moved since the previous attempt. */
export function Headline({ headline }: { headline: IHeadline }): React.JSX.Element {
  const trans = useTrans();
  const delta = deltaText(headline.delta);
  const tone = headline.better === null ? 'same' : headline.better ? 'better' : 'worse';
  return (
    <>
      <span className="tb-Headline-value" title={`${headline.key} ${headline.text}`}>
        {headline.text}
      </span>
      <span
        className={`tb-Delta tb-mod-${tone}`}
        title={delta && trans.__('since the previous attempt')}
      >
        {delta}
      </span>
    </>
  );
}

/** The content of one cell of the table of runs. */
export function CellContent(props: { column: IColumn; row: IRow }): React.JSX.Element {
  const { column, row } = props;
  if (column.kind === 'name') {
    return (
      <>
        <StatusDot status={row.status} death={row.death} />
        <RunName row={row} />
      </>
    );
  }
  if (column.key === 'headline' && row.headline) {
    return <Headline headline={row.headline} />;
  }
  if (column.key === 'headline' && row.error) {
    return (
      <span className="tb-Error" title={`${row.error.type}: ${row.error.message}`}>
        {row.error.type}
      </span>
    );
  }
  const text = row.cells[column.key]?.text ?? '';
  return (
    <span
      className="tb-Text"
      title={column.kind === 'status' ? (row.death ?? text) : text}
      data-status={column.kind === 'status' ? row.status : undefined}
    >
      {text || (column.kind === 'status' ? row.status : '')}
    </span>
  );
}
