/** Runs side by side: charts, then what differs; what is the same is folded away. */

import React, { useState } from 'react';

import type { IComparedRow, IComparison, IRow } from './api';
import { RunName, StatusDot } from './cell';
import { Chart } from './chart';
import { useTrans } from './locale';

/** A whole comparison. */
export function Compare({ comparison }: { comparison: IComparison }): React.JSX.Element {
  const { charts, sections, runs } = comparison;
  return (
    <div className="tb-Compare">
      {charts.length > 0 && (
        <div className="tb-Charts">
          {charts.map(chart => (
            <Chart key={chart.id} title={chart.title} spec={chart.spec} />
          ))}
        </div>
      )}
      <div className="tb-Compare-scroll">
        <table className="tb-Compare-table">
          <RunsHead runs={runs} />
          {sections
            .filter(section => section.rows.length > 0)
            .map(section => (
              <Section key={section.title} {...section} runs={runs} />
            ))}
        </table>
      </div>
      {comparison.diff && <Diff diff={comparison.diff} />}
    </div>
  );
}

/** How the code differs, line by line. */
function Diff({ diff }: { diff: string }): React.JSX.Element {
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

function RunsHead({ runs }: { runs: readonly IRow[] }): React.JSX.Element {
  const trans = useTrans();
  return (
    <thead>
      <tr>
        <th scope="col" className="tb-Key">
          <span className="tb-hidden">{trans.__('Key')}</span>
        </th>
        {runs.map(run => (
          <th scope="col" key={run.id} data-run-id={run.id}>
            <span className="tb-Compare-run" title={run.id}>
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
  const [open, setOpen] = useState(false);
  const different = rows.filter(row => row.differs);
  const same = rows.filter(row => !row.differs);
  return (
    <tbody className="tb-Section">
      <tr>
        <th scope="rowgroup" colSpan={runs.length + 1} className="tb-Section-title">
          {title}
        </th>
      </tr>
      {different.map(row => (
        <ComparedRow key={row.key} row={row} runs={runs} />
      ))}
      {same.length > 0 && (
        <tr>
          <td colSpan={runs.length + 1} className="tb-Fold">
            <button
              className="tb-Link"
              aria-expanded={open}
              onClick={() => setOpen(wasOpen => !wasOpen)}
            >
              {open
                ? trans.__('Hide %1 identical', same.length)
                : trans.__('Show %1 identical', same.length)}
            </button>
          </td>
        </tr>
      )}
      {open && same.map(row => <ComparedRow key={row.key} row={row} runs={runs} />)}
    </tbody>
  );
}

function ComparedRow(props: { row: IComparedRow; runs: readonly IRow[] }): React.JSX.Element {
  const trans = useTrans();
  const { row, runs } = props;
  return (
    <tr className={row.differs ? 'tb-mod-differs' : 'tb-mod-same'} data-key={row.key}>
      <th scope="row" className="tb-Key" title={row.key}>
        {row.key}
      </th>
      {row.cells.map((cell, index) => {
        const best = row.best === index;
        const numeric = typeof cell.value === 'number' || isFloat(cell.value);
        return (
          <td
            key={runs[index]?.id ?? index}
            className={`tb-Value${numeric ? ' tb-mod-number' : ''}${best ? ' tb-mod-best' : ''}`}
            title={best ? trans.__('Best') : undefined}
          >
            {cell.text || <span className="tb-Missing">–</span>}
            {best && <span className="tb-hidden"> {trans.__('best')}</span>}
          </td>
        );
      })}
    </tr>
  );
}

function isFloat(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '$float' in value;
}

/** What a line of a unified diff is, by how it begins. */
function diffKind(line: string): string {
  if (line.startsWith('+++') || line.startsWith('---') || line.startsWith('@@')) {
    return 'place';
  }
  return line.startsWith('+') ? 'added' : line.startsWith('-') ? 'gone' : 'kept';
}
