/** The metrics of a run by prefix: a curve where there are several points, else the number. */

import React, { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from 'react';

import { Chart } from '../chart';
import { useTrans } from '../locale';
import type { IMetric, IPieces } from './pieces';
import { Trouble } from './drawn';
import { usePage } from './host';
import { usePiece } from './piece';
import { Section, useFold } from './section';
import { ChartShelf } from './series';

/** So many charts of a prefix stand there at once; a button brings the next. */
const MOST = 24;
/** Up to so many metrics stand together, whatever their prefixes. */
const FEW = 9;
/** Of many prefixes the first are open. */
const OPEN = 6;

type Group = IPieces['metrics']['groups'][number];

/** The section: the machine's metrics, or all others. */
export function Charts(props: { machine: boolean; count: number }): React.JSX.Element {
  const trans = useTrans();
  const { machine, count } = props;
  return (
    <Section
      id={machine ? 'system' : 'metrics'}
      title={machine ? trans.__('System') : trans.__('Metrics')}
      count={count}
      open={!machine}
    >
      {near => <Groups near={near} machine={machine} />}
    </Section>
  );
}

function Groups(props: { near: boolean; machine: boolean }): React.JSX.Element {
  const { api, version } = usePage();
  const { data, trouble } = usePiece('metrics', {}, props.near);
  const shelf = useMemo(() => new ChartShelf(api), [api]);
  useEffect(() => shelf.turn(version), [shelf, version]);
  const all = (data?.groups ?? []).filter(one => (one.prefix === 'system') === props.machine);
  const rows = all.flatMap(group => group.rows);
  // A few are easier to see side by side than each below a heading of its own.
  const titled = all.length > 1 && rows.length > FEW;
  const groups = titled ? all : rows.length > 0 ? [{ prefix: '', rows }] : [];
  return (
    <>
      <Trouble text={trouble} />
      {!data && !trouble && <div className="tb-Waiting" />}
      {groups.map((group, place) => (
        <MetricGroup
          key={group.prefix}
          group={group}
          shelf={shelf}
          titled={titled}
          first={place < OPEN}
        />
      ))}
    </>
  );
}

function MetricGroup(props: {
  group: Group;
  shelf: ChartShelf;
  titled: boolean;
  /** Whether it is among those that are open where nobody has folded them. */
  first: boolean;
}): React.JSX.Element {
  const trans = useTrans();
  const { group, shelf, titled, first } = props;
  const [open, toggle] = useFold(`metrics/${group.prefix}`, first);
  const [most, setMost] = React.useState(MOST);
  const curves = group.rows.filter(row => row.count > 1);
  const single = group.rows.filter(row => row.count <= 1);
  return (
    <div className="tb-MetricGroup">
      {titled && (
        <h3 className="tb-MetricGroup-head">
          <button aria-expanded={open} onClick={toggle}>
            <span className="tb-RunSection-mark" aria-hidden="true" />
            {group.prefix || trans.__('Results')}
            <span className="tb-RunSection-count">{group.rows.length}</span>
          </button>
        </h3>
      )}
      {(open || !titled) && (
        <>
          {single.length > 0 && <Numbers rows={single} />}
          <div className="tb-Curves">
            {curves.slice(0, most).map(row => (
              <Curve key={row.key} row={row} shelf={shelf} />
            ))}
          </div>
          {curves.length > most && (
            <button className="tb-Link" onClick={() => setMost(most + MOST)}>
              {trans.__('Show the next of %1 charts', curves.length - most)}
            </button>
          )}
        </>
      )}
    </div>
  );
}

/** Metrics of one point, as numbers. */
function Numbers({ rows }: { rows: readonly IMetric[] }): React.JSX.Element {
  const trans = useTrans();
  const [all, setAll] = React.useState(false);
  const shown = all ? rows : rows.slice(0, 2 * MOST);
  return (
    <>
      <dl className="tb-Numbers">
        {shown.map(row => (
          <div key={row.key} data-key={row.key}>
            <dt title={row.key}>{row.key}</dt>
            <dd>{row.last}</dd>
          </div>
        ))}
      </dl>
      {shown.length < rows.length && (
        <button className="tb-Link" onClick={() => setAll(true)}>
          {trans.__('Show %1 more', rows.length - shown.length)}
        </button>
      )}
    </>
  );
}

/** One curve; it is asked for while it is in view, and keeps its place before that. */
function Curve(props: { row: IMetric; shelf: ChartShelf }): React.JSX.Element {
  const trans = useTrans();
  const { row, shelf } = props;
  const box = useRef<HTMLDivElement>(null);
  const inView = useInView(box);
  const subscribe = useCallback(
    (listener: () => void) => {
      shelf.changed.connect(listener);
      return () => {
        shelf.changed.disconnect(listener);
      };
    },
    [shelf]
  );
  const spec = useSyncExternalStore(subscribe, () => shelf.get(row.key));
  const trouble = useSyncExternalStore(subscribe, () => shelf.trouble);
  const nothing = row.min === '' && row.max === '';
  const wanted = inView && !nothing;
  useEffect(() => (wanted ? shelf.show(row.key) : undefined), [wanted, shelf, row.key]);
  return (
    <div ref={box} className={`tb-Curve${nothing ? ' tb-mod-short' : ''}`} data-key={row.key}>
      <div className="tb-Curve-head">
        <span className="tb-Curve-key" title={row.key}>
          {row.key}
        </span>
        <span className="tb-Curve-last">{row.last}</span>
      </div>
      <div className="tb-Curve-range">
        {nothing
          ? trans.__('no finite value in %1 points', row.count)
          : trans.__('min %1 · max %2 · %3 points', row.min, row.max, row.count)}
      </div>
      {!nothing && (
        <div className="tb-Curve-chart">
          {spec ? <Chart spec={spec} /> : trouble && <Trouble text={trouble} />}
        </div>
      )}
    </div>
  );
}

/** Whether an element is in or near the window now. */
function useInView(ref: React.RefObject<HTMLElement>): boolean {
  const [inView, setInView] = React.useState(false);
  useEffect(() => {
    const element = ref.current;
    if (!element) {
      return undefined;
    }
    const observer = new IntersectionObserver(
      entries => setInView(entries.some(entry => entry.isIntersecting)),
      { rootMargin: '200px' }
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return inView;
}
