/** A Vega-Lite chart as a component: loads nothing, follows the theme and its own width. */

import React, { useEffect, useRef, useState } from 'react';

import type { Spec } from './api';
import { useTheme } from './hooks';
import { useTrans } from './locale';
import { shape } from './spec';
import type { IDrawn } from './vega';

/** Draws a specification; new rows alone change the chart without drawing it anew. */
export function Chart(props: { spec: Spec; title?: string }): React.JSX.Element {
  const { spec, title } = props;
  const trans = useTrans();
  const host = useRef<HTMLDivElement>(null);
  const drawn = useRef<IDrawn | null>(null);
  const latest = useRef(spec);
  const [trouble, setTrouble] = useState('');
  const { dark, turn } = useTheme();
  const form = shape(spec);

  useEffect(() => {
    latest.current = spec;
    drawn.current?.update(spec);
    // Only the rows matter here; another form is drawn anew below.
  }, [spec]);

  useEffect(() => {
    const element = host.current;
    let ended = false;
    const start = async (): Promise<void> => {
      const { draw } = await import('./vega');
      if (ended || !element) {
        return;
      }
      const chart = await draw(element, latest.current, dark);
      if (ended) {
        chart.finalize();
        return;
      }
      drawn.current = chart;
      setTrouble('');
    };
    start().catch((error: unknown) => {
      if (!ended) {
        setTrouble(error instanceof Error ? error.message : String(error));
      }
    });
    return () => {
      ended = true;
      drawn.current?.finalize();
      drawn.current = null;
      element?.replaceChildren();
    };
  }, [form, dark, turn]);

  useEffect(() => {
    const element = host.current;
    if (!element) {
      return undefined;
    }
    const observer = new ResizeObserver(() => drawn.current?.resize(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  return (
    <figure className="tb-Chart" aria-label={title}>
      {title && <figcaption className="tb-Chart-title">{title}</figcaption>}
      <div ref={host} className="tb-Chart-host" />
      {trouble && (
        <p className="tb-Note tb-mod-error">
          {trans.__('This chart cannot be drawn: %1', trouble)}
        </p>
      )}
    </figure>
  );
}
