/** Draws one Vega-Lite chart. Imported only when the first chart is shown: it weighs most. */

import embed from 'vega-embed';
import type { View } from 'vega';
import { changeset } from 'vega';

import type { Spec } from './api';
import { LIVE_DATA, liveValues, prepare, refusingLoader } from './spec';

/** A drawn chart, which can take new rows and a new width, and must be ended. */
export interface IDrawn {
  update(spec: Spec): void;
  resize(width: number): void;
  /** Sets a parameter that the specification declares. */
  set(name: string, value: unknown): void;
  /** Where the axes are and what they say; null where there is no x scale. */
  plot(): IPlot | null;
  finalize(): void;
}

/** The area between the axes, in px from the corner of the chart. */
export interface IPlot {
  left: number;
  top: number;
  width: number;
  height: number;
  /** Where a value of x or y stands, in px of the area. */
  at(axis: 'x' | 'y', value: unknown): number;
  /** The value at a place. */
  invert(axis: 'x' | 'y', px: number): number;
}

/** Draws a specification into an element, in the colours of the page around it. */
export async function draw(element: HTMLElement, spec: Spec, dark: boolean): Promise<IDrawn> {
  const fluid = spec.width === 'container';
  const { view, finalize } = await embed(element, prepare(spec) as never, {
    mode: 'vega-lite',
    actions: false,
    // No compiled code from data: expressions are interpreted.
    ast: true,
    renderer: 'svg',
    loader: refusingLoader as never,
    tooltip: { theme: dark ? 'dark' : 'light' },
    config: pageColours(element) as never
  });
  // The figure around it says what it is; hundreds of unnamed marks would only be noise.
  element.querySelector('svg')?.setAttribute('aria-hidden', 'true');
  return {
    update(next) {
      const values = liveValues(next) ?? [];
      const change = changeset()
        .remove(() => true)
        .insert([...values] as never);
      void view.change(LIVE_DATA, change).runAsync();
    },
    resize(width) {
      if (fluid && width > 0) {
        void view.width(width).runAsync();
      }
    },
    set(name, value) {
      if ((spec.params as { name: string }[] | undefined)?.some(one => one.name === name)) {
        void view.signal(name, value).runAsync();
      }
    },
    plot: () => plotOf(view),
    finalize
  };
}

interface IScale {
  (value: unknown): number;
  invert?: (px: number) => number | Date;
}

function plotOf(view: View): IPlot | null {
  let scales: { x: IScale; y: IScale };
  try {
    scales = { x: view.scale('x') as IScale, y: view.scale('y') as IScale };
  } catch {
    return null; // Vega throws for a scale that is not there
  }
  const [left, top] = view.origin();
  const padding = view.padding() as { left: number; top: number };
  return {
    left: left + padding.left,
    top: top + padding.top,
    width: view.signal('width') as number,
    height: view.signal('height') as number,
    at: (axis, value) => scales[axis](value),
    invert: (axis, px) => Number(scales[axis].invert?.(px) ?? NaN)
  };
}

/** The address of a picture of a chart, on white as on paper. */
export async function picture(spec: Spec, kind: 'png' | 'svg'): Promise<string> {
  const light = { ...spec, background: 'white', padding: 12 };
  const { view, finalize } = await embed(
    document.createElement('div'),
    prepare(light) as never,
    {
      mode: 'vega-lite',
      actions: false,
      ast: true,
      renderer: 'svg',
      loader: refusingLoader as never
    }
  );
  try {
    return await view.toImageURL(kind, kind === 'png' ? 2 : 1);
  } finally {
    finalize();
  }
}

/** Vega reads no CSS, so the colours of the theme are read for it. */
function pageColours(element: HTMLElement): Spec {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const strong = colour('--jp-ui-font-color1');
  const soft = colour('--jp-ui-font-color2');
  const line = colour('--jp-border-color2');
  const font = style.fontFamily;
  return {
    background: 'transparent',
    font,
    title: { color: strong, subtitleColor: soft, fontSize: 12, fontWeight: 600 },
    style: { 'guide-label': { fill: soft }, 'guide-title': { fill: strong } },
    axis: { domainColor: line, gridColor: line, tickColor: line, gridOpacity: 0.6 },
    legend: { labelColor: soft, titleColor: strong },
    header: { labelColor: soft, titleColor: strong },
    view: { stroke: 'transparent' }
  };
}
