/** How all curves are drawn: their x, smoothing and log scales. */

import React from 'react';

import { useTrans } from '../locale';
import type { ICurveView } from './view';
import { toggleLog } from './view';

interface IControlsProps {
  view: ICurveView;
  metrics: readonly string[];
  hidden: number;
  onView: (view: ICurveView) => void;
  onShowHidden: () => void;
}

export function Controls(props: IControlsProps): React.JSX.Element {
  const { view, metrics, hidden, onView, onShowHidden } = props;
  const trans = useTrans();
  const axes = [
    { name: 'step', title: trans.__('step') },
    { name: 'relative', title: trans.__('time since the start') },
    { name: 'time', title: trans.__('time of day') }
  ];
  const own = metrics.filter(metric => !axes.some(axis => axis.name === metric));
  return (
    <div className="tb-Controls" role="toolbar" aria-label={trans.__('How curves are drawn')}>
      <label>
        {trans.__('X')}
        <select
          className="tb-CompareSelect"
          value={view.x}
          onChange={event => onView({ ...view, x: event.target.value })}
        >
          {axes.map(axis => (
            <option key={axis.name} value={axis.name}>
              {axis.title}
            </option>
          ))}
          <optgroup label={trans.__('Metrics')}>
            {own.map(metric => (
              <option key={metric} value={metric}>
                {metric}
              </option>
            ))}
          </optgroup>
        </select>
      </label>
      <label title={trans.__('Exponential moving average; the raw line stays faint')}>
        {trans.__('Smoothing')}
        <input
          type="range"
          min="0"
          max="0.99"
          step="0.01"
          value={view.smoothing}
          onChange={event => onView({ ...view, smoothing: Number(event.target.value) })}
        />
        <output className="tb-Controls-number">{view.smoothing.toFixed(2)}</output>
      </label>
      <div role="group" aria-label={trans.__('Log scales')} className="tb-Toggles">
        <span aria-hidden="true">{trans.__('Log')}</span>
        {(['x', 'y'] as const).map(axis => (
          <button
            key={axis}
            className="tb-Toggle"
            aria-pressed={view.log.includes(axis)}
            aria-label={trans.__('Log scale of %1', axis)}
            onClick={() => onView({ ...view, log: toggleLog(view.log, axis) })}
          >
            {axis}
          </button>
        ))}
      </div>
      {hidden > 0 && (
        <button className="tb-Link" onClick={onShowHidden}>
          {trans.__('Show %1 put away', hidden)}
        </button>
      )}
    </div>
  );
}
