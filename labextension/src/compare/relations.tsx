/** Charts that a person adds: runs against what was chosen for them. */

import React, { useMemo, useRef, useState } from 'react';

import { Chart } from '../chart';
import { useWidth } from '../hooks';
import { useTrans } from '../locale';
import type { IDrawn } from '../vega';
import type { IAsk, IMeasure } from './api';
import { useChart, useSeen } from './asking';
import { Brush } from './brush';
import { Waiting } from './curves';
import { Figure, NoChart } from './figure';
import { rowsOf } from './lines';
import { Options } from './options';
import { useShared } from './shared';
import type { IRelation } from './view';
import { RELATION_KINDS } from './view';

interface IRelationsProps {
  relations: readonly IRelation[];
  measures: readonly IMeasure[];
  /** What a new chart is drawn of: the metric that tells most. */
  metric: string | null;
  onRelations: (relations: IRelation[]) => void;
}

/** The charts that were added, and what can be added. */
export function Relations(props: IRelationsProps): React.JSX.Element {
  const { relations, measures, metric, onRelations } = props;
  const trans = useTrans();
  const names: Record<string, string> = {
    scatter: trans.__('Scatter'),
    parallel: trans.__('Parallel coordinates'),
    bar: trans.__('Bars'),
    histogram: trans.__('Histogram'),
    importance: trans.__('Importance')
  };
  const add = (kind: string): void => {
    const id = Math.max(0, ...relations.map(relation => relation.id)) + 1;
    onRelations([...relations, { id, kind, key: metric ?? '', options: {} }]);
  };
  return (
    <>
      <div className="tb-Controls" role="toolbar" aria-label={trans.__('Add a chart')}>
        <span>{trans.__('Add')}</span>
        {RELATION_KINDS.map(kind => (
          <button key={kind} className="tb-Toggle" disabled={!metric} onClick={() => add(kind)}>
            {names[kind]}
          </button>
        ))}
      </div>
      {relations.length === 0 ? (
        <NoChart>
          {trans.__(
            'How do results go with params? Add a scatter, parallel coordinates, bars with the spread over seeds, a histogram, or the importance of params.'
          )}
        </NoChart>
      ) : (
        <div className="tb-Figures">
          {relations.map(relation => (
            <Relation
              key={relation.id}
              relation={relation}
              name={names[relation.kind] ?? relation.kind}
              measures={measures}
              onChange={changed =>
                onRelations(relations.map(one => (one.id === changed.id ? changed : one)))
              }
              onRemove={() => onRelations(relations.filter(one => one.id !== relation.id))}
            />
          ))}
        </div>
      )}
    </>
  );
}

interface IRelationProps {
  relation: IRelation;
  name: string;
  measures: readonly IMeasure[];
  onChange: (relation: IRelation) => void;
  onRemove: () => void;
}

function Relation(props: IRelationProps): React.JSX.Element {
  const { relation, name, measures, onChange, onRemove } = props;
  const { focus } = useShared();
  const host = useRef<HTMLDivElement>(null);
  const width = useWidth(host);
  const seen = useSeen(host);
  const [drawn, setDrawn] = useState<IDrawn | null>(null);
  const ask: IAsk = { kind: relation.kind, key: relation.key, options: relation.options };
  const { spec, columns, python, trouble } = useChart(ask, width, seen);
  const rows = useMemo(() => rowsOf(columns), [columns]);
  const whole = useMemo(() => spec && { ...spec, data: { values: rows } }, [spec, rows]);
  const params = useMemo(() => ({ focus }), [focus]);
  const title = measures.find(one => one.name === relation.key)?.title ?? relation.key;
  return (
    <Figure title={`${name}: ${title}`} ask={ask} python={python} onRemove={onRemove}>
      <Options relation={relation} measures={measures} onChange={onChange} />
      <div className="tb-Plot" ref={host} data-points={rows.length}>
        {whole && rows.length > 0 && <Chart spec={whole} params={params} onDrawn={setDrawn} />}
        {drawn && relation.kind === 'parallel' && rows.length > 0 && (
          <Brush drawn={drawn} rows={rows} />
        )}
        {trouble && <NoChart>{trouble}</NoChart>}
        {spec && rows.length === 0 && <Empty title={title} />}
        {!spec && !trouble && <Waiting />}
      </div>
    </Figure>
  );
}

function Empty({ title }: { title: string }): React.JSX.Element {
  const trans = useTrans();
  return <NoChart>{trans.__('No run has a finite value of %1 here.', title)}</NoChart>;
}
