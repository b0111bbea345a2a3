/** Which columns are shown, in what order, and which stay in sight. */

import React, { useRef, useState } from 'react';

import type { IColumn } from '../api';
import { useTrans } from '../locale';
import type { IState, RunsModel } from '../model';
import { PLAIN_VIEW, chosen, moved, pinToggled, toggled } from './view';

/** So many are listed at a time; a word narrows the list. */
const MOST = 80;

/** The list of columns with a search above it. */
export function Chooser(props: { model: RunsModel; state: IState }): React.JSX.Element {
  const trans = useTrans();
  const { model, state } = props;
  const [search, setSearch] = useState('');
  const { view, columns, others } = state;
  const shown = chosen(view, columns, others);
  const keys = new Set(shown.map(column => column.key));
  const rest = [...columns, ...others].filter(column => !keys.has(column.key));
  const wanted = search.trim().toLowerCase();
  const found = (column: IColumn): boolean =>
    column.title.toLowerCase().includes(wanted) || column.key.toLowerCase().includes(wanted);
  const first = shown.filter(found);
  const more = rest.filter(found);
  const listed = more.slice(0, Math.max(0, MOST - first.length));
  const left = more.length - listed.length;
  const root = useRef<HTMLDivElement>(null);
  const show = (key: string): void => {
    model.arrange(toggled(view, shown, key));
    // The box goes to the other list: the keyboard stays in this one.
    requestAnimationFrame(() => {
      if (!root.current?.contains(document.activeElement)) {
        root.current?.querySelector('input')?.focus();
      }
    });
  };
  return (
    <div ref={root} className="tb-Chooser">
      <input
        type="search"
        className="tb-Input"
        placeholder={trans.__('Find a column')}
        aria-label={trans.__('Find a column')}
        value={search}
        onChange={event => setSearch(event.target.value)}
      />
      <div className="tb-Chooser-list">
        {first.length > 0 && <h3 className="tb-Chooser-title">{trans.__('Shown')}</h3>}
        {first.map(column => (
          <Choice
            key={column.key}
            model={model}
            state={state}
            shown={shown}
            column={column}
            onShow={show}
          />
        ))}
        {listed.length > 0 && <h3 className="tb-Chooser-title">{trans.__('Not shown')}</h3>}
        {listed.map(column => (
          <label key={column.key} className="tb-Choice" title={column.key}>
            <input type="checkbox" checked={false} onChange={() => show(column.key)} />
            <span className="tb-Choice-name">{column.title}</span>
            <Origin column={column} />
          </label>
        ))}
        {first.length + listed.length === 0 && (
          <p className="tb-Note">{trans.__('No column has this in its name.')}</p>
        )}
        {left > 0 && (
          <p className="tb-Note">{trans.__('%1 more: type a part of the name', left)}</p>
        )}
      </div>
      <button
        className="tb-Link"
        disabled={view.columns === null && Object.keys(view.widths).length === 0}
        onClick={() => model.arrange({ columns: null, widths: {}, pinned: PLAIN_VIEW.pinned })}
      >
        {trans.__('Show what differs')}
      </button>
    </div>
  );
}

interface IChoiceProps {
  model: RunsModel;
  state: IState;
  shown: readonly IColumn[];
  column: IColumn;
  onShow: (key: string) => void;
}

/** A column that is shown: hide it, move it, keep it in sight. */
function Choice({ model, state, shown, column, onShow }: IChoiceProps): React.JSX.Element {
  const trans = useTrans();
  const { view } = state;
  const { key, title } = column;
  const pinned = view.pinned.includes(key);
  const move = (by: number): void => model.arrange(moved(view, shown, key, by));
  return (
    <div className="tb-Choice" data-column={key}>
      <label className="tb-Choice-label" title={key}>
        <input type="checkbox" checked={true} onChange={() => onShow(key)} />
        <span className="tb-Choice-name">{title}</span>
      </label>
      <Origin column={column} />
      <button
        className={`tb-Mini${pinned ? ' tb-mod-on' : ''}`}
        aria-pressed={pinned}
        aria-label={trans.__('Keep %1 in sight', title)}
        title={trans.__('Keep in sight')}
        onClick={() => model.arrange(pinToggled(view, key))}
      >
        <span aria-hidden={true}>⇤</span>
      </button>
      <button
        className="tb-Mini"
        aria-label={trans.__('Move %1 to the left', title)}
        title={trans.__('To the left')}
        onClick={() => move(-1)}
      >
        <span aria-hidden={true}>↑</span>
      </button>
      <button
        className="tb-Mini"
        aria-label={trans.__('Move %1 to the right', title)}
        title={trans.__('To the right')}
        onClick={() => move(1)}
      >
        <span aria-hidden={true}>↓</span>
      </button>
    </div>
  );
}

/** Where a column comes from, as the title does not say; and that all runs are the same in it. */
function Origin({ column }: { column: IColumn }): React.JSX.Element {
  const trans = useTrans();
  const root = /^(params|metrics|tags)\./.exec(column.key)?.[1] ?? '';
  const said: Record<string, string> = {
    params: trans.__('param'),
    metrics: trans.__('metric'),
    tags: trans.__('tag')
  };
  const same = column.differs === false ? ` · ${trans.__('same')}` : '';
  return <span className="tb-Choice-origin">{`${said[root] ?? ''}${same}`}</span>;
}
