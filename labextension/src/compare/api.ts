/** What a comparison asks of a server besides its outline. */

import type { Spec } from '../api';

/** How a run is drawn, the same in every chart. */
export interface IStyle {
  colour: string;
  dash: number[];
}

/** Something that runs can be charted by. */
export interface IMeasure {
  name: string;
  title: string;
  numeric: boolean;
  varies: boolean;
}

/** A chart that is asked for: what Python calls `chart(kind, key, **options)`. */
export interface IAsk {
  kind: string;
  key: string;
  options: Record<string, unknown>;
}

/** Rows column by column, as they travel. */
export type Columns = Record<string, unknown[]>;

/** A chart: how it is drawn (null where only data were asked for), its data, its Python. */
export interface IChartReply {
  spec: Spec | null;
  columns: Columns;
  python: string;
}

/** One line of two texts side by side: number and text of each side. */
export interface ISideLine {
  kind: 'same' | 'changed' | 'one';
  left: [number, string] | null;
  right: [number, string] | null;
}

/** A cell of two notebooks. */
export interface ICellPair {
  id: string;
  status: 'same' | 'changed' | 'added' | 'removed';
  tracked: boolean;
  source: string;
  lines: ISideLine[];
  more: number;
}

/** How the code of two runs differs. */
export interface ICodeReply {
  cells: ICellPair[];
  patches: { path: string; left: string; right: string }[];
  notes: string[];
}

/** An image by name; of each run its steps (null in them: logged without one), or null. */
export interface IImages {
  name: string;
  steps: ((number | null)[] | null)[];
}

/** The routes of a comparison. */
export interface IComparing {
  chart(
    store: string,
    refs: readonly string[],
    ask: IAsk,
    how: { width: number; spec: boolean; legend?: boolean }
  ): Promise<IChartReply>;
  code(store: string, left: string, right: string): Promise<ICodeReply>;
  images(store: string, refs: readonly string[]): Promise<IImages[]>;
  image(store: string, run: string, name: string, step: number | null): Promise<Blob>;
}
