/** The side panel: which store, which runs, and the way to compare them. */

import React, { useEffect, useState } from 'react';

import { useModel } from './hooks';
import { useTrans } from './locale';
import type { IState, RunsModel } from './model';
import { HowToBegin, NoMatch, ServerAbsent, ServerOffline } from './notes';
import { RunsTable } from './table';

/** Waiting time between a key in the filter and the question to the server, in ms. */
const TYPING = 300;

/** What the panel is about and where it leads. */
export interface IPanelProps {
  model: RunsModel;
  onCompare: (store: string, refs: string[]) => void;
}

/** All of the panel. */
export function Panel({ model, onCompare }: IPanelProps): React.JSX.Element {
  const state = useModel(model);
  if (state.phase === 'absent') {
    return <ServerAbsent />;
  }
  const nothing = state.rows.length === 0 && state.where === '' && state.phase === 'ready';
  return (
    <div className="tb-Panel" aria-busy={state.phase === 'loading'}>
      {state.store && <Head model={model} state={state} />}
      {!nothing && <Filter model={model} state={state} />}
      {state.phase === 'offline' && <ServerOffline message={state.message} />}
      {nothing ? <HowToBegin /> : <Runs model={model} state={state} />}
      <CompareBar model={model} state={state} onCompare={onCompare} />
    </div>
  );
}

interface IPartProps {
  model: RunsModel;
  state: IState;
}

function Head({ model, state }: IPartProps): React.JSX.Element {
  const trans = useTrans();
  const { store, stores, total, where } = state;
  const runs = trans._n('%1 run', '%1 runs', total);
  return (
    <header className="tb-PanelHead">
      {stores.length > 1 ? (
        <select
          className="tb-Store"
          aria-label={trans.__('Store')}
          title={store?.path}
          value={store?.id}
          onChange={event => model.choose(event.target.value)}
        >
          {stores.map(one => (
            <option key={one.id} value={one.id} title={one.path}>
              {one.name}
            </option>
          ))}
        </select>
      ) : (
        <span className="tb-Store" title={store?.path}>
          {store?.name}
        </span>
      )}
      <span className="tb-Count" aria-live="polite">
        {where && !state.whereError ? trans.__('%1 found', total) : runs}
      </span>
    </header>
  );
}

function Filter({ model, state }: IPartProps): React.JSX.Element {
  const trans = useTrans();
  const [text, setText] = useState(state.where);
  useEffect(() => setText(state.where), [state.where]);
  useEffect(() => {
    const timer = setTimeout(() => model.setWhere(text.trim()), TYPING);
    return () => clearTimeout(timer);
  }, [model, text]);
  return (
    <div className="tb-Filter">
      <input
        type="search"
        className="tb-Filter-input"
        placeholder={trans.__('Filter: metrics.acc > 0.9')}
        aria-label={trans.__('Filter runs')}
        aria-invalid={state.whereError !== ''}
        spellCheck={false}
        autoComplete="off"
        value={text}
        onChange={event => setText(event.target.value)}
      />
      {state.whereError && (
        <p className="tb-Note tb-mod-clamped" role="status" title={state.whereError}>
          {state.whereError}
        </p>
      )}
    </div>
  );
}

function Runs({ model, state }: IPartProps): React.JSX.Element {
  const trans = useTrans();
  if (state.rows.length === 0 && state.phase === 'ready' && !state.whereError) {
    return <NoMatch onClear={() => model.setWhere('')} />;
  }
  return (
    <RunsTable
      columns={state.columns}
      rows={state.rows}
      sort={state.sort}
      selected={state.selected}
      label={trans.__('Runs')}
      onSort={sort => model.setSort(sort)}
      onToggle={id => model.toggle(id)}
    />
  );
}

/** The bar that appears once two runs are ticked. */
export function CompareBar({
  model,
  state,
  onCompare
}: IPartProps & Pick<IPanelProps, 'onCompare'>): React.JSX.Element | null {
  const trans = useTrans();
  const { store, selected } = state;
  if (!store || selected.size < 2) {
    return null;
  }
  return (
    <footer className="tb-Bar">
      <button className="tb-Link" onClick={() => model.clear()}>
        {trans.__('Clear')}
      </button>
      <button className="tb-Button" onClick={() => onCompare(store.id, [...selected])}>
        {trans.__('Compare')} ({selected.size})
      </button>
    </footer>
  );
}
