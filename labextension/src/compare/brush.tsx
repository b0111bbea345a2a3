/** Over parallel coordinates: a part of any axis may be brushed; the runs through it stand out. */

import React, { useEffect, useRef, useState } from 'react';

import { useTrans } from '../locale';
import type { IDrawn } from '../vega';
import type { Brushes } from './brushing';
import { brushed, passing } from './brushing';
import { useShared } from './shared';

const NONE = '\u0000nobody';

export function Brush(props: {
  drawn: IDrawn;
  rows: readonly Record<string, unknown>[];
}): React.JSX.Element | null {
  const { drawn, rows } = props;
  const trans = useTrans();
  const { setFocus } = useShared();
  const [brushes, setBrushes] = useState<Brushes>({});
  const drag = useRef<{ axis: string; from: number } | null>(null);
  const inside = passing(rows, brushes);
  const told = inside?.join('\n');

  useEffect(() => {
    if (told !== undefined) {
      setFocus(told === '' ? [NONE] : told.split('\n'));
      return () => setFocus([]);
    }
    return undefined;
  }, [told, setFocus]);

  const plot = drawn.plot();
  if (!plot) {
    return null;
  }
  const axes = [...new Set(rows.map(row => String(row.axis)))];
  const placeOf = (event: React.PointerEvent): number => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.min(1, Math.max(0, 1 - (event.clientY - box.top) / plot.height));
  };
  return (
    <div className="tb-Brushes" style={{ left: plot.left, top: plot.top, width: plot.width }}>
      {axes.map(axis => {
        const part = brushes[axis];
        return (
          <div
            key={axis}
            className="tb-Brush"
            style={{ left: plot.at('x', axis), height: plot.height }}
            title={trans.__('Drag to keep the runs that pass here; click to keep all')}
            onPointerDown={event => {
              event.currentTarget.setPointerCapture(event.pointerId);
              drag.current = { axis, from: placeOf(event) };
            }}
            onPointerMove={event => {
              if (drag.current?.axis === axis) {
                const { from } = drag.current;
                setBrushes(brushed(brushes, axis, from, placeOf(event)));
              }
            }}
            onPointerUp={event => {
              if (drag.current?.axis === axis) {
                setBrushes(brushed(brushes, axis, drag.current.from, placeOf(event)));
                drag.current = null;
              }
            }}
          >
            {part && (
              <div
                className="tb-Brush-part"
                style={{
                  top: (1 - part[1]) * plot.height,
                  height: (part[1] - part[0]) * plot.height
                }}
              />
            )}
          </div>
        );
      })}
      {inside && (
        <button className="tb-Link tb-Brushes-told" onClick={() => setBrushes({})}>
          {trans.__('%1 runs; show all', inside.length)}
        </button>
      )}
    </div>
  );
}
