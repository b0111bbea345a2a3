/** Over a chart of curves: crosshair, the runs' values at it, and zooming by hand or keyboard. */

import React, { useEffect, useRef, useState } from 'react';

import { useTrans } from '../locale';
import type { IDrawn } from '../vega';
import type { Range } from './curves';
import type { ILine } from './lines';
import { extent, readings, snap, step, xText, zoomed } from './lines';
import { useCrosshair, useShared } from './shared';
import { Tooltip } from './tooltip';

interface IOverlayProps {
  drawn: IDrawn;
  lines: readonly ILine[];
  metric: string;
  axis: string;
  within: Range;
  onWithin: (within: Range) => void;
}

/** Movements shorter than so many px are clicks. */
const LEAST_DRAG = 5;
const WHEEL = 1.25;

export function Overlay(props: IOverlayProps): React.JSX.Element | null {
  const { drawn, lines, metric, axis, within, onWithin } = props;
  const trans = useTrans();
  const { crosshair } = useShared();
  const x = useCrosshair(crosshair);
  const element = useRef<HTMLDivElement>(null);
  /** Where the pointer is in this chart; null while it is elsewhere. */
  const [pointer, setPointer] = useState<{ x: number; y: number } | null>(null);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const plot = drawn.plot();
  const all = extent(lines);

  const zoom = useRef<(px: number, factor: number) => void>(() => undefined);
  useEffect(() => {
    zoom.current = (px, factor) => {
      const area = drawn.plot();
      const whole = within ? null : extent(lines);
      if (!area) {
        return;
      }
      const now: [number, number] = within
        ? [within[0], within[1]]
        : (whole ?? [area.invert('x', 0), area.invert('x', area.width)]);
      // Beyond the part that is known nobody knows how far it goes: out means all in the end.
      const limit: [number, number] = within
        ? [now[0] - (now[1] - now[0]), now[1] + (now[1] - now[0])]
        : now;
      onWithin(zoomed(now, area.invert('x', px), factor, limit));
    };
  });

  useEffect(() => {
    const target = element.current;
    const onWheel = (event: WheelEvent): void => {
      // A page that scrolls over a chart must not stop there: zoom a chart that was clicked.
      if (!event.ctrlKey && !event.metaKey && document.activeElement !== target) {
        return;
      }
      event.preventDefault();
      zoom.current(event.offsetX, event.deltaY > 0 ? WHEEL : 1 / WHEEL);
    };
    target?.addEventListener('wheel', onWheel, { passive: false });
    return () => target?.removeEventListener('wheel', onWheel);
  }, []);

  if (!plot || !all) {
    return null;
  }
  const point = (px: number, py: number): void => {
    setPointer({ x: px, y: py });
    crosshair.set(snap(lines, plot.invert('x', px)));
  };
  const leave = (): void => {
    setPointer(null);
    setDrag(null);
    crosshair.set(null);
  };
  const finish = (): void => {
    if (drag && Math.abs(drag.to - drag.from) >= LEAST_DRAG) {
      const [from, to] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
      onWithin([plot.invert('x', from), plot.invert('x', to)]);
    }
    setDrag(null);
  };
  const onKey = (event: React.KeyboardEvent): void => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const middle = x === null ? plot.width / 2 : plot.at('x', x);
    if (by !== 0) {
      const next = step(lines, x ?? (by > 0 ? -Infinity : Infinity), by);
      if (next !== null) {
        crosshair.set(next);
        setPointer({ x: plot.at('x', next), y: plot.height / 2 });
      }
    } else if (event.key === '+' || event.key === '=') {
      zoom.current(middle, 1 / WHEEL);
    } else if (event.key === '-') {
      zoom.current(middle, WHEEL);
    } else if (event.key === '0' || event.key === 'Escape') {
      onWithin(null);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const at = x === null ? NaN : plot.at('x', x);
  const marked = at >= 0 && at <= plot.width;
  return (
    <div
      ref={element}
      className="tb-Overlay"
      style={{ left: plot.left, top: plot.top, width: plot.width, height: plot.height }}
      role="application"
      aria-label={trans.__(
        '%1: arrows move through the values, + and - zoom, 0 shows all',
        metric
      )}
      tabIndex={0}
      onKeyDown={onKey}
      onBlur={leave}
      onDoubleClick={() => onWithin(null)}
      onPointerDown={event => {
        if (event.button === 0) {
          const px = event.nativeEvent.offsetX;
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ from: px, to: px });
        }
      }}
      onPointerMove={event => {
        const box = event.currentTarget.getBoundingClientRect();
        const px = Math.min(Math.max(event.clientX - box.left, 0), plot.width);
        if (drag) {
          setDrag({ ...drag, to: px });
        }
        point(px, event.clientY - box.top);
      }}
      onPointerUp={finish}
      onPointerCancel={leave}
      onPointerLeave={() => {
        if (!drag) {
          leave();
        }
      }}
    >
      {drag && Math.abs(drag.to - drag.from) >= LEAST_DRAG && (
        <div
          className="tb-Overlay-band"
          style={{
            left: Math.min(drag.from, drag.to),
            width: Math.abs(drag.to - drag.from)
          }}
        />
      )}
      {marked && <div className="tb-Overlay-line" style={{ left: at }} />}
      {marked && pointer && x !== null && !drag && (
        <Tooltip
          plot={plot}
          pointer={{ x: at, y: pointer.y }}
          title={`${axis === 'relative' || axis === 'time' ? '' : `${axis} `}${xText(x, axis)}`}
          readings={readings(lines, x)}
        />
      )}
      {within && (
        <button
          className="tb-Link tb-Overlay-reset"
          onPointerDown={event => event.stopPropagation()}
          onClick={() => onWithin(null)}
        >
          {trans.__('Show all')}
        </button>
      )}
    </div>
  );
}
