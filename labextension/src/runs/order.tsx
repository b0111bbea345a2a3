/** How the table is sorted and grouped, for hands that stay on the keyboard. */

import React from 'react';

import type { IColumn } from '../api';
import { useTrans } from '../locale';
import type { IState, RunsModel } from '../model';
import { ways } from './groups';
import { chosen } from './view';

const MOST_SORTS = 3;

/** Sorting by several columns, and one way to group. */
export function Order(props: { model: RunsModel; state: IState }): React.JSX.Element {
  const trans = useTrans();
  const { model, state } = props;
  const { view, columns, others } = state;
  const shown = chosen(view, columns, others).filter(column => column.kind !== 'curve');
  const sorts = [...view.sort, ''].slice(0, MOST_SORTS);
  const setSort = (place: number, sort: string): void => {
    const next = sorts.map((one, index) => (index === place ? sort : one)).filter(Boolean);
    model.setSort(next.length > 0 ? next : ['-started']);
  };
  return (
    <div className="tb-Order">
      <label className="tb-Field">
        {trans.__('Group by')}
        <select
          className="tb-Choose"
          value={view.group ?? ''}
          onChange={event => model.arrange({ group: event.target.value || null })}
        >
          <option value="">{trans.__('nothing')}</option>
          <option value="twin">{trans.__('same but for the seed')}</option>
          <option value="experiment">{trans.__('experiment')}</option>
          <option value="name">{trans.__('name')}</option>
          <option value="status">{trans.__('status')}</option>
          {ways([...columns, ...others]).map(key => (
            <option key={key} value={key}>
              {key}
            </option>
          ))}
        </select>
      </label>
      {sorts.map((sort, place) => (
        <SortBy
          key={place}
          label={place === 0 ? trans.__('Sort by') : trans.__('then by')}
          columns={shown}
          sort={sort}
          onSort={next => setSort(place, next)}
        />
      ))}
      <p className="tb-Soft">{trans.__('Shift-click on a title sorts by several, too.')}</p>
    </div>
  );
}

function SortBy(props: {
  label: string;
  columns: readonly IColumn[];
  sort: string;
  onSort: (sort: string) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const { label, columns, sort, onSort } = props;
  const falling = sort.startsWith('-');
  const key = sort.replace(/^-/, '');
  const known = key === '' || columns.some(column => column.key === key);
  return (
    <div className="tb-Field-row">
      <label className="tb-Field">
        {label}
        <select
          className="tb-Choose"
          value={key}
          onChange={event => onSort(event.target.value ? `-${event.target.value}` : '')}
        >
          <option value="">–</option>
          {!known && <option value={key}>{key}</option>}
          {columns.map(column => (
            <option key={column.key} value={column.key}>
              {column.title}
            </option>
          ))}
        </select>
      </label>
      <button
        className="tb-Mini"
        disabled={key === ''}
        aria-label={
          falling ? trans.__('falling; turn it round') : trans.__('rising; turn it round')
        }
        onClick={() => onSort(falling ? key : `-${key}`)}
      >
        <span aria-hidden={true}>{falling ? '▼' : '▲'}</span>
      </button>
    </div>
  );
}
