/** The values of all runs at the crosshair, with their change against the baseline. */

import React from 'react';

import { deltaText } from '../columns';
import { useTrans } from '../locale';
import type { IPlot } from '../vega';
import type { IReading } from './lines';
import { numberText } from './lines';
import { useShared } from './shared';
import { Swatch } from './swatch';

interface ITooltipProps {
  plot: IPlot;
  pointer: { x: number; y: number };
  title: string;
  readings: readonly IReading[];
}

/** As many runs as are read at a glance. */
const MOST = 12;

export function Tooltip(props: ITooltipProps): React.JSX.Element {
  const { plot, pointer, title, readings } = props;
  const trans = useTrans();
  const { labels, styles, baseline } = useShared();
  const smoothed = readings.some(reading => reading.smooth !== null);
  const shown = (reading: IReading): number => reading.smooth ?? reading.value;
  const away = (reading: IReading): number => {
    const gap = Math.abs(plot.at('y', shown(reading)) - pointer.y);
    return Number.isNaN(gap) ? Infinity : gap;
  };
  const nearest = [...readings].sort((a, b) => away(a) - away(b));
  const kept = new Set(nearest.slice(0, MOST).map(reading => reading.run));
  const rows = readings.filter(reading => kept.has(reading.run));
  const base = readings.find(reading => reading.run === baseline);
  const right = pointer.x > plot.width / 2;
  const place = right ? { right: plot.width - pointer.x + 14 } : { left: pointer.x + 14 };
  return (
    <div className="tb-Tooltip" role="status" style={{ ...place, top: 0 }}>
      <div className="tb-Tooltip-title">{title}</div>
      <table>
        {smoothed && (
          <thead>
            <tr>
              <th scope="col">
                <span className="tb-hidden">{trans.__('Run')}</span>
              </th>
              <th scope="col">{trans.__('smooth')}</th>
              <th scope="col">{trans.__('value')}</th>
              {base && <th scope="col">Δ</th>}
            </tr>
          </thead>
        )}
        <tbody>
          {rows.map(reading => (
            <tr
              key={reading.run}
              className={reading.run === nearest[0]?.run ? 'tb-mod-near' : undefined}
            >
              <th scope="row">
                <Swatch style={styles[labels.indexOf(reading.run)]} />
                {reading.run}
              </th>
              {smoothed && <td>{reading.smooth === null ? '' : numberText(reading.smooth)}</td>}
              <td>{reading.odd ?? numberText(reading.value)}</td>
              {base && (
                <td className="tb-Tooltip-delta">
                  {reading.run === base.run ? '' : deltaText(shown(reading) - shown(base))}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {readings.length > rows.length && (
        <div className="tb-Tooltip-more">
          {trans.__('and %1 more', readings.length - rows.length)}
        </div>
      )}
    </div>
  );
}
