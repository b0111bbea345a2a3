/** What runs have, key by key: what differs first, what is the same folded away. */

import React, { useState } from 'react';

import type { IComparedRow, IComparison, IRow } from '../api';
import { RunName, StatusDot } from '../cell';
import { deltaText } from '../columns';
import { useTrans } from '../locale';
import { isThere, sorted } from './sections';
import { useShared } from './shared';
import { Swatch } from './swatch';

/** The table of differences. */
export function Differences(props: {
  comparison: IComparison;
  /** Sections that are shown elsewhere. */
  without: readonly string[];
}): React.JSX.Element {
  const { sections, runs } = props.comparison;
  const shown = sections.filter(
    ({ title, rows }) => rows.length > 0 && !props.without.includes(title)
  );
  return (
    <div className="tb-Compare-scroll">
      <table className="tb-Compare-table">
        <RunsHead runs={runs} />
        {shown.map(section => (
          <Section key={section.title} {...section} runs={runs} />
        ))}
      </table>
    </div>
  );
}

function RunsHead({ runs }: { runs: readonly IRow[] }): React.JSX.Element {
  const trans = useTrans();
  const { styles } = useShared();
  return (
    <thead>
      <tr>
        <th scope="col" className="tb-Key">
          <span className="tb-hidden">{trans.__('Key')}</span>
        </th>
        {runs.map((run, place) => (
          <th scope="col" key={run.id} data-run-id={run.id}>
            <span className="tb-Compare-run" title={run.id}>
              <Swatch style={styles[place]} />
              <StatusDot status={run.status} />
              <RunName row={run} />
            </span>
          </th>
        ))}
      </tr>
    </thead>
  );
}

interface ISectionProps {
  title: string;
  rows: readonly IComparedRow[];
  runs: readonly IRow[];
}

function Section({ title, rows, runs }: ISectionProps): React.JSX.Element {
  const trans = useTrans();
  const { different, partial, same } = sorted(rows);
  // A change of a seed or a depth says nothing; one of a metric is what a baseline is for.
  const changes = title === 'Metrics';
  return (
    <tbody className="tb-Section">
      <tr>
        <th scope="rowgroup" colSpan={runs.length + 1} className="tb-Section-title">
          {title}
        </th>
      </tr>
      {different.map(row => (
        <ComparedRow key={row.key} row={row} runs={runs} changes={changes} />
      ))}
      <Fold
        rows={partial}
        runs={runs}
        changes={changes}
        show={trans.__('Show %1 that only some runs have', partial.length)}
        hide={trans.__('Hide %1 that only some runs have', partial.length)}
      />
      <Fold
        rows={same}
        runs={runs}
        changes={changes}
        show={trans.__('Show %1 identical', same.length)}
        hide={trans.__('Hide %1 identical', same.length)}
      />
    </tbody>
  );
}

interface IFoldProps {
  rows: readonly IComparedRow[];
  runs: readonly IRow[];
  changes: boolean;
  show: string;
  hide: string;
}

/** Rows behind a button that says how many they are; nothing where there are none. */
function Fold({ rows, runs, changes, show, hide }: IFoldProps): React.JSX.Element | null {
  const [open, setOpen] = useState(false);
  if (rows.length === 0) {
    return null;
  }
  return (
    <>
      <tr>
        <td colSpan={runs.length + 1} className="tb-CompareFold">
          <button
            className="tb-Link"
            aria-expanded={open}
            onClick={() => setOpen(wasOpen => !wasOpen)}
          >
            {open ? hide : show}
          </button>
        </td>
      </tr>
      {open &&
        rows.map(row => <ComparedRow key={row.key} row={row} runs={runs} changes={changes} />)}
    </>
  );
}

function ComparedRow(props: {
  row: IComparedRow;
  runs: readonly IRow[];
  changes: boolean;
}): React.JSX.Element {
  const trans = useTrans();
  const { row, runs, changes } = props;
  const { labels, baseline } = useShared();
  const base = baseline === null ? undefined : row.cells[labels.indexOf(baseline)]?.value;
  return (
    <tr className={row.differs ? 'tb-mod-differs' : 'tb-mod-same'} data-key={row.key}>
      <th scope="row" className="tb-Key" title={row.key}>
        {row.key}
      </th>
      {row.cells.map((cell, index) => {
        const best = row.best === index;
        const change =
          changes &&
          typeof base === 'number' &&
          typeof cell.value === 'number' &&
          labels[index] !== baseline
            ? deltaText(cell.value - base)
            : '';
        return (
          <td
            key={runs[index]?.id ?? index}
            className={`tb-Value${best ? ' tb-mod-best' : ''}`}
            title={best ? trans.__('Best') : undefined}
          >
            {cell.text || <NoText there={isThere(cell)} />}
            {best && <span className="tb-hidden"> {trans.__('best')}</span>}
            {change && <span className="tb-Value-delta">{change}</span>}
          </td>
        );
      })}
    </tr>
  );
}

/** A bare tag that is there, or nothing. */
function NoText({ there }: { there: boolean }): React.JSX.Element {
  const trans = useTrans();
  return there ? (
    <span role="img" aria-label={trans.__('yes')}>
      ✓
    </span>
  ) : (
    <span className="tb-Missing">–</span>
  );
}
