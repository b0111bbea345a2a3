/** The titles of the columns: a click sorts, with shift by several; an edge drags the width. */

import React, { useRef, useState } from 'react';

import type { IColumn } from '../api';
import { nextSort, sortOf, sortPlace } from '../columns';
import { useTrans } from '../locale';
import type { RunsModel } from '../model';
import type { IView } from './view';
import { moved, within } from './view';

const STEP = 16;

/** The columns that are in sight, and how they are arranged. */
export interface IHeadProps {
  model: RunsModel;
  view: IView;
  columns: readonly IColumn[];
  /** All that are shown, also out of sight. */
  all: readonly IColumn[];
  pinned: readonly number[];
  hidden: number;
}

/** The row of titles; one stop for the Tab key, arrows lead from title to title. */
export const Head = React.memo(function Head(props: IHeadProps): React.JSX.Element {
  const trans = useTrans();
  const { model, columns, pinned, hidden } = props;
  const [focused, setFocused] = useState('');
  const row = useRef<HTMLDivElement>(null);
  const stop = columns.some(column => column.key === focused)
    ? focused
    : (columns[0]?.key ?? '');

  const onKeyDown = (event: React.KeyboardEvent): void => {
    const place = columns.findIndex(column => column.key === stop);
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const column = columns[place];
    if (by === 0 || !column) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (event.altKey) {
      model.arrange(moved(model.state.view, props.all, column.key, by));
    } else if (event.shiftKey) {
      resize(model, column.key, column.width + by * STEP);
    } else {
      const next = columns[Math.max(0, Math.min(columns.length - 1, place + by))];
      setFocused(next?.key ?? '');
      const titles = row.current?.querySelectorAll<HTMLElement>('.tb-ColumnHead-title');
      titles?.[Math.max(0, Math.min(columns.length - 1, place + by))]?.focus();
    }
  };
  return (
    <div
      ref={row}
      className="tb-Row tb-Table-head"
      role="row"
      aria-rowindex={1}
      onKeyDown={onKeyDown}
    >
      <span className="tb-Cell tb-Tick" role="columnheader">
        <span className="tb-hidden">{trans.__('Selected')}</span>
      </span>
      {columns.map((column, place) => (
        <React.Fragment key={column.key}>
          {place === pinned.length && <span className="tb-Spacer" />}
          <Title
            {...props}
            column={column}
            left={pinned[place]}
            stop={column.key === stop}
            onFocus={setFocused}
          />
        </React.Fragment>
      ))}
      {hidden > 0 && (
        <span
          className="tb-ColumnHead-more"
          title={trans._n('One more column when wider', '%1 more columns when wider', hidden)}
        >
          +{hidden}
        </span>
      )}
    </div>
  );
});

function Title(
  props: IHeadProps & {
    column: IColumn;
    left: number | undefined;
    stop: boolean;
    onFocus: (key: string) => void;
  }
): React.JSX.Element {
  const trans = useTrans();
  const { model, view, column, left } = props;
  const place = sortPlace(column, view.sort);
  const stays = left === undefined ? '' : ' tb-mod-stays';
  return (
    <span
      className={`tb-Cell tb-ColumnHead tb-mod-${column.align}${stays}`}
      role="columnheader"
      aria-sort={sortOf(column, view.sort)}
      data-column={column.key}
      data-place={place || undefined}
      style={left === undefined ? undefined : { left }}
      draggable={true}
      onDragStart={event => {
        event.dataTransfer.setData('text/x-trackbook-column', column.key);
        event.dataTransfer.effectAllowed = 'move';
      }}
      onDragOver={event => {
        if (event.dataTransfer.types.includes('text/x-trackbook-column')) {
          event.preventDefault();
        }
      }}
      onDrop={event => {
        const key = event.dataTransfer.getData('text/x-trackbook-column');
        const at = (one: string): number => props.all.findIndex(other => other.key === one);
        if (key && key !== column.key) {
          model.arrange(moved(view, props.all, key, at(column.key) - at(key)));
        }
      }}
    >
      <button
        className="tb-ColumnHead-title"
        tabIndex={props.stop ? 0 : -1}
        title={trans.__('%1: click sorts, Shift-click sorts by it too', column.title)}
        onFocus={() => props.onFocus(column.key)}
        onClick={event => model.setSort(nextSort(view.sort, column, event.shiftKey))}
      >
        {column.title}
      </button>
      <Grip model={model} column={column} />
    </span>
  );
}

/** The edge of a column; a double click gives it its own width again. */
function Grip({ model, column }: { model: RunsModel; column: IColumn }): React.JSX.Element {
  const from = useRef<{ x: number; width: number } | null>(null);
  return (
    <span
      className="tb-ColumnHead-grip"
      draggable={true}
      onDragStart={event => {
        event.preventDefault();
        event.stopPropagation();
      }}
      onPointerDown={event => {
        event.preventDefault();
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = { x: event.clientX, width: column.width };
      }}
      onPointerMove={event => {
        if (from.current) {
          resize(model, column.key, from.current.width + event.clientX - from.current.x);
        }
      }}
      onPointerUp={() => {
        from.current = null;
      }}
      onDoubleClick={() => {
        const { [column.key]: _, ...widths } = model.state.view.widths;
        model.arrange({ widths });
      }}
    />
  );
}

function resize(model: RunsModel, key: string, width: number): void {
  model.arrange({ widths: { ...model.state.view.widths, [key]: within(width) } });
}
