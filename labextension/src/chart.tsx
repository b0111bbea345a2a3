/** A Vega-Lite chart as a component: loads nothing, follows the theme and its own width. */

import React, { useEffect, useRef, useState } from 'react';

import type { Spec } from './api';
import { useTheme } from './hooks';
import { useTrans } from './locale';
import { shape } from './spec';
import type { IDrawn } from './vega';

/** Draws a specification; new rows alone change the chart without drawing it anew. */
export function Chart(props: {
  spec: Spec;
  title?: string;
  /** Parameters of the specification that are set from outside. */
  params?: Readonly<Record<string, unknown>>;
  /** Called with the chart whenever it is drawn, and with null before it ends. */
  onDrawn?: (chart: IDrawn | null) => void;
}): React.JSX.Element {
  const { spec, title, params, onDrawn } = props;
  const trans = useTrans();
  const host = useRef<HTMLDivElement>(null);
  const drawn = useRef<IDrawn | null>(null);
  const latest = useRef(spec);
  const wanted = useRef({ params, onDrawn });
  const [trouble, setTrouble] = useState('');
  const { dark, turn } = useTheme();
  const form = shape(spec);

  useEffect(() => {
    wanted.current = { params, onDrawn };
    Object.entries(params ?? {}).forEach(([name, value]) => drawn.current?.set(name, value));
  }, [params, onDrawn]);

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
      const begun = latest.current;
      const chart = await draw(element, begun, dark);
      if (ended) {
        chart.finalize();
        return;
      }
      drawn.current = chart;
      setTrouble('');
      if (latest.current !== begun) {
        chart.update(latest.current); // rows came while it was drawn
      }
      const { params: given, onDrawn: told } = wanted.current;
      Object.entries(given ?? {}).forEach(([name, value]) => chart.set(name, value));
      told?.(chart);
    };
    start().catch((error: unknown) => {
      if (!ended) {
        setTrouble(error instanceof Error ? error.message : String(error));
      }
    });
    return () => {
      ended = true;
      wanted.current.onDrawn?.(null);
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
