/** What a Vega-Lite specification may do here, and what of it is only data. Pure functions. */

import type { Spec } from './api';

/** Name of the dataset that live updates replace. */
export const LIVE_DATA = 'trackbook_live';

/** Refuses every address: a specification carries its data, or shows none. */
export const refusingLoader = {
  load: refuse,
  sanitize: refuse,
  http: refuse,
  file: refuse
};

function refuse(address: unknown): Promise<never> {
  return Promise.reject(new Error(`Trackbook charts load nothing from ${String(address)}`));
}

/** A specification without its own wishes for the embedder, ready for live data. */
export function prepare(spec: Spec): Spec {
  const { usermeta: _usermeta, ...rest } = spec;
  const values = liveValues(spec);
  return values ? { ...rest, data: { ...(rest.data as Spec), name: LIVE_DATA, values } } : rest;
}

/** The inline rows that may change while the chart stays, or null where there are none. */
export function liveValues(spec: Spec): readonly unknown[] | null {
  const values = (spec.data as { values?: unknown } | null | undefined)?.values;
  return Array.isArray(values) ? values : null;
}

/** Equal for two specifications that differ only in their live rows. */
export function shape(spec: Spec): string {
  if (!liveValues(spec)) {
    return JSON.stringify(spec);
  }
  return JSON.stringify({ ...spec, data: { ...(spec.data as Spec), values: [] } });
}
