/** Runs side by side: curves, what differs, charts of what was chosen, images, code. */

import React, { useMemo, useState } from 'react';

import type { IComparison } from '../api';
import { Chart } from '../chart';
import { Diff } from '../diff';
import { useTrans } from '../locale';
import type { IComparing } from './api';
import { Code } from './code';
import { Controls } from './controls';
import type { Range } from './curves';
import { Curves } from './curves';
import { NoChart } from './figure';
import { Heads } from './heads';
import { Images } from './images';
import { Relations } from './relations';
import type { IShared } from './shared';
import { Crosshair, Shared } from './shared';
import { Differences } from './table';
import type { IView } from './view';

export interface ICompareProps {
  comparison: IComparison;
  store: string;
  /** Null where nothing serves the store. */
  comparing: IComparing | null;
  version: number;
  view: IView;
  onView: (view: IView) => void;
}

/** A whole comparison: live where the store is served, else as it was when it was made. */
export function Compare(props: ICompareProps): React.JSX.Element {
  const { comparison, store, comparing, version, view } = props;
  const { refs, runs } = comparison;
  const [focus, setFocus] = useState<readonly string[]>([]);
  const crosshair = useMemo(() => new Crosshair(), []);
  const labels = useMemo(
    () => comparison.labels ?? runs.map(run => `${run.name} #${run.number ?? ''}`),
    [comparison.labels, runs]
  );
  const key = refs.join(',');
  const base = view.baseline === null ? -1 : refs.indexOf(view.baseline);
  const shared: IShared = useMemo(
    () => ({
      comparing,
      store,
      refs: key.split(','),
      labels,
      styles: comparison.styles ?? [],
      baseline: labels[base] ?? null,
      focus,
      setFocus,
      crosshair,
      version
    }),
    [comparing, store, key, labels, comparison.styles, base, focus, crosshair, version]
  );
  const { onView } = props;
  return (
    <Shared.Provider value={shared}>
      <div className="tb-Compare">
        <div className="tb-Compare-head">
          <Heads runs={runs} onBaseline={baseline => onView({ ...view, baseline })} />
        </div>
        {comparing && comparison.metrics ? <Live {...props} /> : <Known {...props} />}
      </div>
    </Shared.Provider>
  );
}

function Live(props: ICompareProps): React.JSX.Element {
  const { comparison, view, onView } = props;
  const trans = useTrans();
  const several = comparison.refs.length > 1;
  const headline = comparison.metrics?.[0]?.key;
  return (
    <>
      <Part title={trans.__('Metrics')}>
        <Metrics {...props} />
      </Part>
      <Part title={trans.__('Differences')}>
        <Differences comparison={comparison} without={['Code']} />
      </Part>
      {several && (
        <Part title={trans.__('Results and params')}>
          <Relations
            relations={view.relations}
            measures={comparison.measures ?? []}
            metric={headline === undefined ? null : `metrics.${headline}`}
            onRelations={relations => onView({ ...view, relations })}
          />
        </Part>
      )}
      <Part title={trans.__('Images')}>
        <Images />
      </Part>
      {several && (
        <Part title={trans.__('Code')}>
          <Code />
        </Part>
      )}
    </>
  );
}

function Metrics(props: ICompareProps): React.JSX.Element {
  const { comparison, view, onView } = props;
  const trans = useTrans();
  const [within, setWithin] = useState<Range>(null);
  const curves = (comparison.metrics ?? []).filter(metric => metric.kind === 'curves');
  if (curves.length === 0) {
    return (
      <NoChart>
        {comparison.metrics?.length
          ? trans.__('Every metric has one value a run; they stand in the table below.')
          : trans.__(
              'These runs logged no metrics. tb.log_metric("loss", loss) draws a curve.'
            )}
      </NoChart>
    );
  }
  const shown = curves.filter(metric => !view.hidden.includes(metric.key));
  return (
    <>
      <Controls
        view={view.curves}
        metrics={curves.map(metric => metric.key)}
        hidden={curves.length - shown.length}
        onView={next => {
          if (next.x !== view.curves.x) {
            setWithin(null); // a part of another axis
          }
          onView({ ...view, curves: next });
        }}
        onShowHidden={() => onView({ ...view, hidden: [] })}
      />
      <div className="tb-Figures">
        {shown.map(metric => (
          <Curves
            key={metric.key}
            metric={metric.key}
            view={view.curves}
            within={within}
            onWithin={setWithin}
            onHide={() => onView({ ...view, hidden: [...view.hidden, metric.key] })}
          />
        ))}
      </div>
    </>
  );
}

/** What a notebook kept of a comparison, where no server is to be asked. */
function Known({ comparison }: ICompareProps): React.JSX.Element {
  const { charts, diff } = comparison;
  return (
    <>
      <div className="tb-Figures">
        {charts.map(chart => (
          <div key={chart.id} className="tb-Figure">
            <Chart title={chart.title} spec={chart.spec} />
          </div>
        ))}
      </div>
      <Differences comparison={comparison} without={diff ? ['Code'] : []} />
      {diff && <Diff diff={diff} />}
    </>
  );
}

function Part(props: { title: string; children: React.ReactNode }): React.JSX.Element {
  return (
    <section className="tb-Part" aria-label={props.title}>
      <h3 className="tb-Part-title">{props.title}</h3>
      {props.children}
    </section>
  );
}
