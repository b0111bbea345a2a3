/** The curves of a metric: drawn by Vega, with our crosshair and zoom over them. */

import React, { useEffect, useMemo, useRef, useState } from 'react';

import { Chart } from '../chart';
import { useWidth } from '../hooks';
import { useTrans } from '../locale';
import type { IDrawn } from '../vega';
import type { IAsk } from './api';
import { useChart, useSeen } from './asking';
import { Figure, NoChart } from './figure';
import { linesOf, rowsOf } from './lines';
import { Overlay } from './overlay';
import { useShared } from './shared';
import type { ICurveView } from './view';
import { curveOptions } from './view';

/** The part of x that is shown; null for all of it. */
export type Range = readonly [number, number] | null;

export interface ICurvesProps {
  metric: string;
  view: ICurveView;
  within: Range;
  onWithin: (within: Range) => void;
  onHide: () => void;
}

/** One metric over all runs. */
export function Curves(props: ICurvesProps): React.JSX.Element {
  const { metric, view, within, onWithin, onHide } = props;
  const trans = useTrans();
  const { focus } = useShared();
  const host = useRef<HTMLDivElement>(null);
  const width = useWidth(host);
  const seen = useSeen(host);
  const [drawn, setDrawn] = useState<IDrawn | null>(null);
  const ask: IAsk = { kind: 'curves', key: metric, options: curveOptions(view, within) };
  const { spec, columns, python, trouble } = useChart(ask, width, seen);
  const lines = useMemo(() => linesOf(columns), [columns]);
  const whole = useMemo(
    () => spec && { ...spec, data: { values: rowsOf(columns) } },
    [spec, columns]
  );
  const params = useMemo(
    () => ({ focus, x_from: within?.[0] ?? null, x_to: within?.[1] ?? null }),
    [focus, within]
  );
  const empty = spec !== null && lines.length === 0;
  const odd = lines.length > 0 && lines.every(line => line.value.every(v => Number.isNaN(v)));

  return (
    <Figure title={metric} ask={ask} python={python} onRemove={onHide}>
      <div className="tb-Plot" ref={host} data-points={columns.run?.length ?? 0}>
        {whole && !empty && <Chart spec={whole} params={params} onDrawn={setDrawn} />}
        {drawn && lines.length > 0 && (
          <Overlay
            drawn={drawn}
            lines={lines}
            metric={metric}
            axis={view.x}
            within={within}
            onWithin={onWithin}
          />
        )}
        {odd && (
          <p className="tb-Plot-note">
            {trans.__('No finite value; the marks show where NaN and inf were.')}
          </p>
        )}
        {trouble && <NoChart>{trouble}</NoChart>}
        {empty && (
          <NoChart>
            {within
              ? trans.__('No points in this part. Double-click to see all.')
              : trans.__('No run has %1 over %2.', metric, view.x)}
            {within && (
              <button className="tb-Link" onClick={() => onWithin(null)}>
                {trans.__('Show all')}
              </button>
            )}
          </NoChart>
        )}
        {!spec && !trouble && <Waiting />}
      </div>
    </Figure>
  );
}

/** A quiet place of the height of a chart, so that nothing jumps when it comes. */
export function Waiting(): React.JSX.Element {
  const trans = useTrans();
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 600);
    return () => clearTimeout(timer);
  }, []);
  return <div className="tb-Waiting">{late && trans.__('Loading…')}</div>;
}
