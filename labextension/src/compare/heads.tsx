/** The runs of a comparison: the legend of all charts, the way to a run, the choice of a baseline. */

import React, { useContext } from 'react';

import type { IRow } from '../api';
import { RunName, StatusDot } from '../cell';
import { useTrans } from '../locale';
import { Actions, useShared } from './shared';
import { Swatch } from './swatch';

/** One chip a run: pointing at it brings its lines forward. */
export function Heads(props: {
  runs: readonly IRow[];
  onBaseline: (run: string | null) => void;
}): React.JSX.Element {
  const { runs, onBaseline } = props;
  const trans = useTrans();
  return (
    <ul className="tb-CompareHeads" aria-label={trans.__('Runs')}>
      {runs.map((run, place) => (
        <Head key={run.id} run={run} place={place} onBaseline={onBaseline} />
      ))}
    </ul>
  );
}

function Head(props: {
  run: IRow;
  place: number;
  onBaseline: (run: string | null) => void;
}): React.JSX.Element {
  const { run, place, onBaseline } = props;
  const trans = useTrans();
  const { openRun } = useContext(Actions);
  const { store, labels, styles, baseline, focus, setFocus } = useShared();
  const label = labels[place] ?? run.name;
  const pinned = baseline === label;
  const faint = focus.length > 0 && !focus.includes(label);
  return (
    <li
      className={`tb-CompareHead${pinned ? ' tb-mod-pinned' : ''}${faint ? ' tb-mod-faint' : ''}`}
      onPointerEnter={() => setFocus([label])}
      onPointerLeave={() => setFocus([])}
      data-run-id={run.id}
    >
      <Swatch style={styles[place]} />
      <StatusDot status={run.status} death={run.death} />
      {openRun ? (
        <button
          className="tb-CompareHead-name"
          title={trans.__('Open %1', label)}
          onClick={() => openRun(store, run.id)}
          onFocus={() => setFocus([label])}
          onBlur={() => setFocus([])}
        >
          <RunName row={run} />
        </button>
      ) : (
        <span className="tb-CompareHead-name">
          <RunName row={run} />
        </span>
      )}
      <button
        className="tb-CompareHead-pin"
        aria-pressed={pinned}
        aria-label={trans.__('Measure the other runs against %1', label)}
        title={pinned ? trans.__('No baseline') : trans.__('Baseline: show changes against it')}
        onClick={() => onBaseline(pinned ? null : run.id)}
      >
        <svg width="12" height="12" viewBox="0 0 16 16" aria-hidden="true">
          <path
            d="M5 1h6l-1 5 3 3v1H8.7L8 15l-.7-5H3V9l3-3z"
            fill={pinned ? 'currentColor' : 'none'}
            stroke="currentColor"
            strokeWidth="1.3"
          />
        </svg>
      </button>
    </li>
  );
}
