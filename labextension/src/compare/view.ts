/** What a person chose to see of a comparison; kept with the tab. Pure functions. */

/** How all curves are drawn. */
export interface ICurveView {
  /** `step`, `relative`, `time` or the name of a metric. */
  x: string;
  /** Weight of the moving average, 0 to 0.99. */
  smoothing: number;
  /** The axes with a log scale: ``, `x`, `y` or `xy`. */
  log: string;
}

/** A chart that was added: the kind and what it is drawn of. */
export interface IRelation {
  id: number;
  kind: string;
  key: string;
  options: Record<string, unknown>;
}

/** Everything that is kept of a comparison's tab. */
export interface IView {
  curves: ICurveView;
  /** Id of the run that the others are measured against. */
  baseline: string | null;
  relations: IRelation[];
  /** Metrics whose charts are put away. */
  hidden: string[];
}

/** What is seen at first. */
export const FIRST: IView = {
  curves: { x: 'step', smoothing: 0, log: '' },
  baseline: null,
  relations: [],
  hidden: []
};

/** The kinds of chart that can be added, as `views.charts.CHARTS` names them. */
export const RELATION_KINDS = [
  'scatter',
  'parallel',
  'bar',
  'histogram',
  'importance'
] as const;

/** A view from what was kept, which an older version may have written. */
export function readView(kept: unknown): IView {
  if (!isRecord(kept)) {
    return FIRST;
  }
  const curves = isRecord(kept.curves) ? kept.curves : {};
  const relations = Array.isArray(kept.relations) ? kept.relations : [];
  return {
    curves: {
      x: typeof curves.x === 'string' ? curves.x : FIRST.curves.x,
      smoothing: isWeight(curves.smoothing) ? curves.smoothing : 0,
      log: ['x', 'y', 'xy'].includes(curves.log as string) ? (curves.log as string) : ''
    },
    baseline: typeof kept.baseline === 'string' ? kept.baseline : null,
    relations: relations.filter(isRelation),
    hidden: Array.isArray(kept.hidden) ? kept.hidden.filter(key => typeof key === 'string') : []
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWeight(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < 1;
}

function isRelation(value: unknown): value is IRelation {
  return (
    isRecord(value) &&
    typeof value.id === 'number' &&
    typeof value.key === 'string' &&
    isRecord(value.options) &&
    (RELATION_KINDS as readonly unknown[]).includes(value.kind)
  );
}

/** The options of curves as the server takes them; what is as always is left out. */
export function curveOptions(
  view: ICurveView,
  within: readonly [number, number] | null
): Record<string, unknown> {
  return {
    ...(view.x === 'step' ? {} : { x: view.x }),
    ...(view.smoothing > 0 ? { smoothing: view.smoothing } : {}),
    ...(view.log ? { log: view.log } : {}),
    ...(within ? { within: [...within] } : {})
  };
}

/** `xy` without or with one of its axes. */
export function toggleLog(log: string, axis: 'x' | 'y'): string {
  const axes = { x: log.includes('x'), y: log.includes('y') };
  axes[axis] = !axes[axis];
  return (axes.x ? 'x' : '') + (axes.y ? 'y' : '');
}
