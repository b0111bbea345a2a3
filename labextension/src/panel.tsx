/** The runs of a store with all that arranges them: in the side panel and in a tab. */

import React, { useRef, useState } from 'react';

import { useModel, useWidth } from './hooks';
import { useTrans } from './locale';
import type { IState, RunsModel } from './model';
import { HowToBegin, NoMatch, NothingHere, ServerAbsent, ServerOffline } from './notes';
import { Chooser } from './runs/chooser';
import type { IRunsHost } from './runs/host';
import { CaretIcon, ColumnsIcon, FilterIcon, MoreIcon, OrderIcon } from './runs/icons';
import { Notice } from './runs/notice';
import { Order } from './runs/order';
import { Popover } from './runs/popover';
import { Tree } from './runs/tree';
import { isPlain } from './runs/view';
import { Where } from './runs/where';
import { RunsTable } from './table';

/** From this width on the folders stand beside the table. */
const WIDE = 720;

/** What the panel is about and where it leads. */
export interface IPanelProps {
  model: RunsModel;
  host: IRunsHost;
}

interface IPartProps {
  model: RunsModel;
  state: IState;
}

/** All of the panel. */
export function Panel({ model, host }: IPanelProps): React.JSX.Element {
  const state = useModel(model);
  const root = useRef<HTMLDivElement>(null);
  const wide = useWidth(root) >= WIDE;
  if (state.phase === 'absent') {
    return <ServerAbsent />;
  }
  const empty = state.held.length === 0 && state.where === '' && state.shelf === 'runs';
  const nothing = empty && state.phase === 'ready';
  const foldered = state.held.some(row => row.experiment !== state.held[0]?.experiment);
  return (
    <div
      ref={root}
      className={`tb-Panel${wide ? ' tb-mod-wide' : ''}`}
      aria-busy={state.phase === 'loading'}
    >
      {state.store && <Head model={model} state={state} host={host} />}
      {!nothing && <Tools model={model} state={state} />}
      {!nothing && !wide && foldered && <Folder model={model} state={state} />}
      {state.phase === 'offline' && <ServerOffline message={state.message} />}
      {nothing ? (
        <HowToBegin />
      ) : (
        <div className="tb-Panel-body">
          {wide && foldered && (
            <nav className="tb-Panel-side">
              <Tree model={model} state={state} />
            </nav>
          )}
          <Runs model={model} state={state} host={host} />
        </div>
      )}
      <Notice model={model} state={state} />
      <CompareBar model={model} state={state} onCompare={host.compare} />
    </div>
  );
}

function Head({ model, state, host }: IPartProps & IPanelProps): React.JSX.Element {
  const trans = useTrans();
  const { store, stores } = state;
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
      <Count state={state} />
      {host.menu && (
        <button
          className="tb-Tool"
          aria-label={trans.__('More')}
          aria-haspopup="menu"
          title={trans.__('More')}
          onClick={event => {
            const box = event.currentTarget.getBoundingClientRect();
            host.menu?.(box.left, box.bottom);
          }}
        >
          <MoreIcon />
        </button>
      )}
    </header>
  );
}

function Count({ state }: { state: IState }): React.JSX.Element {
  const trans = useTrans();
  const { total, where, whereError, shelf, rows, search, folder } = state;
  const found = where !== '' && whereError === '';
  const said =
    search !== '' || folder !== ''
      ? trans.__('%1 of %2', rows.length, total)
      : shelf === 'archived'
        ? trans.__('%1 archived', rows.length)
        : shelf === 'trash'
          ? trans.__('%1 in the trash', rows.length)
          : found
            ? trans.__('%1 found', total)
            : trans._n('%1 run', '%1 runs', total);
  return (
    <span className="tb-Count" aria-live="polite">
      {said}
    </span>
  );
}

/** Search, filter, columns, order. */
function Tools({ model, state }: IPartProps): React.JSX.Element {
  const trans = useTrans();
  const [asked, setAsked] = useState(false);
  const filtering = asked || state.where !== '';
  const { view } = state;
  return (
    <div className="tb-Tools">
      <div className="tb-Tools-row" role="toolbar" aria-label={trans.__('Runs')}>
        <input
          type="search"
          className="tb-Input tb-Search"
          placeholder={trans.__('Search')}
          aria-label={trans.__('Search runs')}
          value={state.search}
          onChange={event => model.narrow({ search: event.target.value })}
        />
        <button
          className={`tb-Tool${state.where ? ' tb-mod-marked' : ''}`}
          aria-pressed={filtering}
          aria-label={trans.__('Filter')}
          title={trans.__('Filter by an expression')}
          onClick={() => {
            setAsked(!filtering);
            if (filtering) {
              model.setWhere('');
            }
          }}
        >
          <FilterIcon />
        </button>
        <Popover
          label={trans.__('Sort and group')}
          face={<OrderIcon />}
          marked={view.group !== null}
        >
          {() => <Order model={model} state={state} />}
        </Popover>
        <Popover label={trans.__('Columns')} face={<ColumnsIcon />} marked={!isPlain(view)}>
          {() => <Chooser model={model} state={state} />}
        </Popover>
      </div>
      {filtering && <Where model={model} state={state} />}
    </div>
  );
}

/** In a narrow panel the folders are behind a button that says which one is shown. */
function Folder({ model, state }: IPartProps): React.JSX.Element {
  const trans = useTrans();
  const name = state.folder === '' ? trans.__('All experiments') : state.folder;
  return (
    <div className="tb-Folder">
      <Popover
        label={trans.__('Experiment: %1', name)}
        className="tb-Folder-button"
        side="left"
        face={
          <>
            <span className="tb-Folder-name">{name}</span>
            <CaretIcon />
          </>
        }
      >
        {close => <Tree model={model} state={state} onChosen={close} />}
      </Popover>
    </div>
  );
}

function Runs({ model, state, host }: IPartProps & IPanelProps): React.JSX.Element {
  const trans = useTrans();
  const { store, shelf } = state;
  if (state.rows.length === 0 && state.phase === 'ready' && !state.whereError) {
    const narrowed = state.where !== '' || state.search !== '' || state.folder !== '';
    return narrowed ? (
      <NoMatch
        onClear={() => {
          model.narrow({ search: '', folder: '' });
          model.setWhere('');
        }}
      />
    ) : (
      <NothingHere shelf={shelf} onBack={() => model.narrow({ shelf: 'runs' })} />
    );
  }
  return (
    <RunsTable
      model={model}
      state={state}
      label={trans.__('Runs')}
      onOpen={id => store && host.open(store.id, id)}
    />
  );
}

/** The bar that appears once runs are ticked. */
export function CompareBar({
  model,
  state,
  onCompare
}: IPartProps & {
  onCompare: (store: string, refs: string[]) => void;
}): React.JSX.Element | null {
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
