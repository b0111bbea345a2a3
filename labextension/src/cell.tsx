/** The inside of a table's cells. Text comes ready from Python; here it only gets its place. */

import React from 'react';

import type { IColumn, IHeadline, IRow } from './api';
import { deltaText } from './formats';
import { useTrans } from './locale';
import { textOf, valueOf } from './packed';
import { CurveCell } from './runs/curves';

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
  if (column.kind === 'curve') {
    return <CurveCell row={row} />;
  }
  const text = textOf(row, column);
  if ((column.kind === 'replay' || column.kind === 'grade') && text) {
    return <Badge kind={column.kind} text={text} />;
  }
  const exact = valueOf(row, column.key);
  const title = typeof exact === 'number' && column.kind !== 'time' ? String(exact) : text;
  return (
    <span
      className="tb-Text"
      title={column.kind === 'status' ? (row.death ?? text) : title}
      data-status={column.kind === 'status' ? row.status : undefined}
    >
      {text || (column.kind === 'status' ? row.status : '')}
    </span>
  );
}

/** The marks tell verdicts apart without colour. */
const MARKS: Record<string, string> = {
  reproduced: '✓',
  differs: '≠',
  fails: '✕'
};

/** Whether a replay gave the same result, or how good the chances for one are. */
function Badge({ kind, text }: { kind: 'replay' | 'grade'; text: string }): React.JSX.Element {
  const mark = MARKS[text];
  return (
    <span className={`tb-Badge tb-mod-${kind}`} data-value={text} title={text}>
      {mark && <span aria-hidden={true}>{mark} </span>}
      {text}
    </span>
  );
}
