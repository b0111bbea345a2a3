/** Draws one Vega-Lite chart. Imported only when the first chart is shown: it weighs most. */

import embed from 'vega-embed';
import { changeset } from 'vega';

import type { Spec } from './api';
import { LIVE_DATA, liveValues, prepare, refusingLoader } from './spec';

/** A drawn chart, which can take new rows and a new width, and must be ended. */
export interface IDrawn {
  update(spec: Spec): void;
  resize(width: number): void;
  finalize(): void;
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
    finalize
  };
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
