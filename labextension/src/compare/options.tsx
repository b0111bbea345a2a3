/** What a chart is drawn of: its metric, and what else its kind takes. */

import React from 'react';

import { useTrans } from '../locale';
import type { IMeasure } from './api';
import type { IRelation } from './view';
import { toggleLog } from './view';

interface IOptionsProps {
  relation: IRelation;
  measures: readonly IMeasure[];
  onChange: (relation: IRelation) => void;
}

/** The choices of one chart. */
export function Options(props: IOptionsProps): React.JSX.Element {
  const { relation, measures, onChange } = props;
  const trans = useTrans();
  const { kind, options } = relation;
  const numeric = measures.filter(measure => measure.numeric);
  const params = measures.filter(measure => !measure.name.startsWith('metrics.'));
  const set = (name: string, value: unknown): void => {
    const { [name]: _old, ...rest } = options;
    onChange({ ...relation, options: value === '' ? rest : { ...rest, [name]: value } });
  };
  const log = typeof options.log === 'string' ? options.log : '';
  return (
    <div className="tb-Options">
      <Choice
        title={kind === 'scatter' ? trans.__('Y') : trans.__('Of')}
        value={relation.key}
        measures={numeric}
        onChange={key => onChange({ ...relation, key })}
      />
      {kind === 'scatter' && (
        <>
          <Choice
            title={trans.__('X')}
            value={textOf(options.x)}
            measures={measures}
            none={trans.__('first param')}
            onChange={name => set('x', name)}
          />
          <Choice
            title={trans.__('Colour')}
            value={textOf(options.color)}
            measures={measures}
            none={trans.__('run')}
            onChange={name => set('color', name)}
          />
          <div role="group" className="tb-Toggles" aria-label={trans.__('Log scales')}>
            <span aria-hidden="true">{trans.__('Log')}</span>
            {(['x', 'y'] as const).map(axis => (
              <button
                key={axis}
                className="tb-Toggle"
                aria-pressed={log.includes(axis)}
                aria-label={trans.__('Log scale of %1', axis)}
                onClick={() => set('log', toggleLog(log, axis))}
              >
                {axis}
              </button>
            ))}
          </div>
        </>
      )}
      {kind === 'bar' && (
        <Choice
          title={trans.__('By')}
          value={textOf(options.by)}
          measures={[{ name: 'seed', title: trans.__('all but the seed') }, ...params]}
          none={trans.__('run')}
          onChange={name => set('by', name)}
        />
      )}
    </div>
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function Choice(props: {
  title: string;
  value: string;
  measures: readonly Pick<IMeasure, 'name' | 'title'>[];
  none?: string;
  onChange: (name: string) => void;
}): React.JSX.Element {
  const { title, value, measures, none, onChange } = props;
  return (
    <label>
      {title}
      <select
        className="tb-CompareSelect"
        value={value}
        onChange={event => onChange(event.target.value)}
      >
        {none !== undefined && <option value="">{none}</option>}
        {measures.map(measure => (
          <option key={measure.name} value={measure.name}>
            {measure.title}
          </option>
        ))}
      </select>
    </label>
  );
}
