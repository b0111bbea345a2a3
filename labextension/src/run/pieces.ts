/** What the pieces of the page of one run hold, as the server tells it. */

import type { IColumn, IRow, Spec } from '../api';

/** What a link to a run needs. */
export interface IReference {
  id: string;
  label: string;
  status: string;
}

/** Another attempt that the run is held against. */
export interface IAgainst extends IReference {
  role: 'previous' | 'best';
  text: string;
  delta: string;
  better: boolean | null;
}

/** The metric the run is judged by. */
export interface IResult {
  key: string;
  text: string;
  better: boolean | null;
  against: IAgainst[];
  is_best: boolean;
}

/** One param, and what it was in the rivals. */
export interface IParam {
  key: string;
  text: string | null;
  chosen: boolean;
  differs: boolean;
  previous?: string | null;
  best?: string | null;
}

/** How the kernel of a lost run ended. */
export interface IDeath {
  time: number;
  cause: string;
  exit: number | null;
  last_step: { key: string; step: number; value: unknown } | null;
  memory: [number, number][] | null;
  last_cell: string;
}

/** What the run is. */
export interface IFacts {
  id: string;
  kind: string;
  name: string;
  number: number;
  status: string;
  experiment: string;
  started: number;
  ended: number | null;
  duration: string;
  user: string;
  host: string;
  note: string;
  star: boolean;
  archived: boolean;
  deleted: boolean;
  tags: Record<string, string>;
  notebook: string | null;
  cell: string | null;
  parent: IReference | null;
  error: { type: string; message: string; traceback?: string } | null;
  death: IDeath | null;
}

/** How much of each kind there is. */
export interface IHas {
  params: number;
  differing: number;
  metrics: number;
  system: number;
  logs: number;
  snapshot: boolean;
  artifacts: number;
  children: number;
  candidates: boolean;
  edits: number;
  why: number;
}

/** Where the code came from. */
export interface IGit {
  commit?: string | null;
  branch?: string | null;
  dirty?: boolean | null;
  remote?: string | null;
  patch?: string | null;
  patch_exact?: boolean;
  left_out?: { path: string; reason: string }[];
}

/** One thing that went in. */
export interface IInput {
  name: string;
  kind: string;
  text: string;
  hash: string;
  sampled: boolean;
  path: string | null;
  dtypes: string;
}

/** The top of the page, and what there is below. */
export interface IOverview {
  /** Changes whenever any part of the run does. */
  version: string;
  run: IFacts;
  result: IResult | null;
  attempts: number;
  rivals: Partial<Record<'previous' | 'best', IReference>>;
  params: IParam[];
  has: IHas;
  git: IGit | null;
  inputs: IInput[];
}

/** A metric in figures. */
export interface IMetric {
  key: string;
  count: number;
  last: string;
  min: string;
  max: string;
}

/** An artifact as last logged. */
export interface IArtifact {
  name: string;
  kind: string | null;
  type: string | null;
  size: number | null;
  text: string;
  time: number | null;
  steps: number[] | null;
  blob: string | null;
}

/** The beginning of an artifact, as far as it can be shown. */
export type IPreview =
  | { kind: 'image' | 'html' }
  | { kind: 'nothing'; reason?: string }
  | { kind: 'text' | 'json'; text: string; more: boolean }
  | { kind: 'chart'; spec: Spec }
  | {
      kind: 'table';
      columns: string[];
      numeric: boolean[];
      rows: string[][];
      more: boolean;
      hidden: number;
      total?: number;
    };

/** The notebook as it was, or the part of it around the tracked cell. */
export interface ISnapshot {
  notebook: Record<string, unknown> & { cells: { cell_type: string; source: string }[] };
  start: number;
  end: number;
  total: number;
  tracked: number | null;
  name: string;
}

/** A cell of a recipe, or one that it leaves out. */
export interface IRecipeCell {
  order: number;
  /** The number at its prompt, where it had one. */
  count?: number | null;
  source: string;
  reason: string;
  target: boolean;
}

/** What a replay says. */
export interface IVerdict {
  status: string;
  text: string;
  causes: string[];
  compared?: string[];
  time?: number;
}

/** The cells behind a result, and how surely they give it again. */
export interface IRecipe {
  cells: IRecipeCell[];
  dropped: IRecipeCell[];
  grade: { letter: string; reasons: { text: string; cure: string }[] } | null;
  verdict: IVerdict | null;
  flags: string[];
  inputs: { path: string; how: string }[];
}

/** A replay on its way. */
export interface IJob {
  state: 'running' | 'done';
  cell: number | null;
  of: number | null;
  verdict: IVerdict | null;
}

/** The pieces by name. */
export interface IPieces {
  overview: IOverview;
  params: { rows: IParam[]; total: number };
  metrics: { groups: { prefix: string; rows: IMetric[] }[] };
  charts: { charts: Record<string, { kind: string; spec?: Spec; data?: unknown }> };
  logs: { text: string; start: number; end: number; size: number };
  patch: { text: string; size: string; cut: boolean };
  environment: {
    facts: [string, string][];
    variables: [string, string][];
    packages: [string, string][];
    moved: { name: string; now: string | null; before: string | null }[];
    installed: [string, string][];
    modules: [string, string][];
  };
  artifacts: { rows: IArtifact[]; total: number };
  preview: IPreview;
  snapshot: ISnapshot;
  children: { columns: IColumn[]; rows: IRow[]; total: number };
  candidates: { columns: string[]; rows: string[][]; total: number };
  edits: {
    rows: {
      id: string;
      time: number;
      user: string;
      text: string;
      undone: boolean;
      undoes: string | null;
      redoes: string | null;
    }[];
    total: number;
  };
  why: {
    rows: { what: string; state: string; reason: string; ms: string; bytes: string }[];
    total: number;
  };
}

/** What a person may change. */
export interface IChange {
  name?: string;
  note?: string;
  star?: boolean;
  archived?: boolean;
  deleted?: boolean;
  /** null removes a tag. */
  tags?: Record<string, string | null>;
}
