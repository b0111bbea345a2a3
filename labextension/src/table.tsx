/** The table of runs: a virtual grid of plain rows that shows what its width has room for. */

import { useVirtualizer } from '@tanstack/react-virtual';
import React, { useEffect, useId, useMemo, useRef, useState } from 'react';

import type { IColumn, IRow } from './api';
import { CellContent } from './cell';
import type { IFit } from './columns';
import { MORE_WIDTH, TICK_WIDTH, anyMoved, fit, forRows, nextSort, sortOf } from './columns';
import { useWidth } from './hooks';
import { useTrans } from './locale';

const ROW_HEIGHT = 28;

/** What the table shows and whom it tells. */
export interface ITableProps {
  columns: readonly IColumn[];
  rows: readonly IRow[];
  sort: string;
  selected: ReadonlySet<string>;
  label: string;
  onSort: (sort: string) => void;
  onToggle: (id: string) => void;
}

/** The runs as an accessible grid; arrows move, space ticks. */
export function RunsTable(props: ITableProps): React.JSX.Element {
  const { columns, rows, label, onToggle } = props;
  const trans = useTrans();
  const scroller = useRef<HTMLDivElement>(null);
  const prefix = useId();
  const width = useWidth(scroller);
  const shown = useMemo(
    () => fit(forRows(columns, rows), width || 280),
    [columns, rows, width]
  );
  const moves = useMemo(() => anyMoved(rows), [rows]);
  const [active, setActive] = useActive(rows);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    // The sticky header covers this much of the top.
    scrollPaddingStart: ROW_HEIGHT,
    overscan: 8
  });
  const rowId = (index: number): string => `${prefix}-row-${index}`;

  const onKeyDown = (event: React.KeyboardEvent): void => {
    const current = rows[active];
    if (event.key === ' ' && current && event.target === event.currentTarget) {
      onToggle(current.id);
      event.preventDefault();
      return;
    }
    const page = Math.max(
      1,
      Math.floor((scroller.current?.clientHeight ?? 0) / ROW_HEIGHT) - 2
    );
    const next = moved(event.key, active, page, rows.length);
    if (next !== null) {
      setActive(next);
      virtual.scrollToIndex(next);
      event.preventDefault();
    }
  };

  return (
    <div
      ref={scroller}
      className={`tb-Table${moves ? '' : ' tb-mod-still'}`}
      role="grid"
      tabIndex={0}
      aria-label={label}
      aria-rowcount={rows.length + 1}
      aria-colcount={shown.columns.length + 1}
      aria-multiselectable={true}
      aria-activedescendant={rows[active] ? rowId(active) : undefined}
      onKeyDown={onKeyDown}
      style={{ '--tb-columns': template(shown) } as React.CSSProperties}
    >
      <Header {...props} shown={shown} />
      <div
        className="tb-Table-body"
        role="rowgroup"
        style={{ height: virtual.getTotalSize() }}
        aria-label={trans.__('Runs')}
      >
        {virtual.getVirtualItems().map(item => {
          const row = rows[item.index];
          return (
            row && (
              <Row
                key={row.id}
                id={rowId(item.index)}
                row={row}
                index={item.index}
                top={item.start}
                columns={shown.columns}
                active={item.index === active}
                ticked={props.selected.has(row.id)}
                onActivate={setActive}
                onToggle={onToggle}
              />
            )
          );
        })}
      </div>
    </div>
  );
}

function Header(props: ITableProps & { shown: IFit }): React.JSX.Element {
  const trans = useTrans();
  const { shown, sort, onSort } = props;
  return (
    <div className="tb-Row tb-Table-head" role="row" aria-rowindex={1}>
      <span className="tb-Cell" role="columnheader" aria-label={trans.__('Selected')} />
      {shown.columns.map(column => (
        <button
          key={column.key}
          className={`tb-Cell tb-Head tb-mod-${column.align}`}
          role="columnheader"
          tabIndex={-1}
          aria-sort={sortOf(column, sort)}
          title={column.title}
          onClick={() => onSort(nextSort(sort, column))}
        >
          <span className="tb-Head-title">{column.title}</span>
        </button>
      ))}
      {shown.hidden > 0 && (
        <span
          className="tb-Head-more"
          title={trans._n(
            'One more column when wider',
            '%1 more columns when wider',
            shown.hidden
          )}
        >
          +{shown.hidden}
        </span>
      )}
    </div>
  );
}

interface IRowProps {
  id: string;
  row: IRow;
  index: number;
  top: number;
  columns: readonly IColumn[];
  active: boolean;
  ticked: boolean;
  onActivate: (index: number) => void;
  onToggle: (id: string) => void;
}

const Row = React.memo(function Row(props: IRowProps): React.JSX.Element {
  const trans = useTrans();
  const { row, index } = props;
  return (
    <div
      id={props.id}
      className={`tb-Row${props.active ? ' tb-mod-active' : ''}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={props.ticked}
      data-run-id={row.id}
      style={{ transform: `translateY(${props.top}px)` }}
      onClick={() => props.onActivate(index)}
    >
      <span className="tb-Cell tb-Tick" role="gridcell">
        <input
          type="checkbox"
          tabIndex={-1}
          checked={props.ticked}
          aria-label={trans.__('Select %1', label(row))}
          onChange={() => props.onToggle(row.id)}
        />
      </span>
      {props.columns.map(column => (
        <span
          key={column.key}
          className={`tb-Cell tb-mod-${column.align} tb-kind-${column.kind}`}
          role="gridcell"
          data-column={column.key}
        >
          <CellContent column={column} row={row} />
        </span>
      ))}
    </div>
  );
});

function label(row: IRow): string {
  return row.number === null ? row.name : `${row.name} #${row.number}`;
}

/** The name takes what is left over; everything else keeps its width. */
function template({ columns, hidden }: IFit): string {
  const tracks = columns.map(column =>
    column.kind === 'name' ? 'minmax(0, 1fr)' : `${column.width}px`
  );
  const more = hidden > 0 ? [`${MORE_WIDTH}px`] : [];
  return [`${TICK_WIDTH}px`, ...tracks, ...more].join(' ');
}

/** The index of the active row, which stays on its run when rows come and go above it. */
function useActive(rows: readonly IRow[]): [number, (index: number) => void] {
  const [place, setPlace] = useState<{ index: number; id: string | null }>({
    index: 0,
    id: null
  });
  const found = place.id === null ? -1 : rows.findIndex(row => row.id === place.id);
  const index = found >= 0 ? found : Math.min(place.index, Math.max(0, rows.length - 1));
  const latest = useRef(rows);
  useEffect(() => {
    latest.current = rows;
  });
  const set = useMemo(
    () => (next: number) => setPlace({ index: next, id: latest.current[next]?.id ?? null }),
    []
  );
  return [index, set];
}

/** Where a key leads, or null when it is not a way to move. */
function moved(key: string, from: number, page: number, rows: number): number | null {
  const steps: Record<string, number> = {
    ArrowDown: from + 1,
    ArrowUp: from - 1,
    PageDown: from + page,
    PageUp: from - page,
    Home: 0,
    End: rows - 1
  };
  const to = steps[key];
  return to === undefined ? null : Math.max(0, Math.min(rows - 1, to));
}
