/** The table of runs: a virtual grid of plain rows that shows what its width has room for. */

import { useVirtualizer } from '@tanstack/react-virtual';
import React, { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'react';

import { anyMoved } from './columns';
import { useScrolled, useWidth } from './hooks';
import { useTrans } from './locale';
import type { IState, RunsModel } from './model';
import { Curves, CurvesOf } from './runs/curves';
import { star } from './runs/deeds';
import { Editor } from './runs/editor';
import { useEvents, useKeys } from './runs/events';
import type { IGroup, Line } from './runs/groups';
import { grouped, lines as linesOf } from './runs/groups';
import { Head } from './runs/head';
import { inSight, lay, pinnedAt, windowed } from './runs/layout';
import { GroupRow, RunRow } from './runs/row';

const ROW_HEIGHT = 28;

/** What the table shows and whom it tells. */
export interface ITableProps {
  model: RunsModel;
  state: IState;
  label: string;
  onOpen: (id: string) => void;
}

/** The runs as an accessible grid that the keys lead through. */
export function RunsTable({ model, state, label, onOpen }: ITableProps): React.JSX.Element {
  const trans = useTrans();
  const scroller = useRef<HTMLDivElement>(null);
  const prefix = useId();
  const { rows, view, columns, others } = state;
  const width = useWidth(scroller) || 280;
  const scrolled = useScrolled(scroller);

  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const lines = useMemo<readonly Line[]>(
    () =>
      view.group === null
        ? rows.map(row => ({ row, inGroup: false }))
        : linesOf(grouped(rows, view.group, view.sort), closed),
    [rows, view.group, view.sort, closed]
  );
  const laid = useMemo(
    () => lay(view, columns, others, rows, width, view.group !== null),
    [view, columns, others, rows, width]
  );
  const [from, to] = inSight(laid, scrolled, width);
  const shown = useMemo(() => windowed(laid, from, to), [laid, from, to]);
  const pinned = useMemo(() => pinnedAt(laid), [laid]);
  const all = useMemo(() => [...laid.pinned, ...laid.rest], [laid]);
  const moves = useMemo(() => view.group !== null || anyMoved(rows), [rows, view.group]);

  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    // The sticky header covers this much of the top.
    scrollPaddingStart: ROW_HEIGHT,
    overscan: 10
  });
  const [active, setActive] = useActive(model, lines);
  useAnchor(scroller, lines);
  const events = useEvents(model, lines, setActive, onOpen, setClosed);
  const page = (): number =>
    Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_HEIGHT) - 2);
  const onKeyDown = useKeys({ model, lines, active, page, trans, events }, to => {
    setActive(to);
    virtual.scrollToIndex(to);
  });

  const store = state.store?.id;
  // eslint-disable-next-line react-hooks/exhaustive-deps -- of another store there are other curves
  const curves = useMemo(() => new Curves(ids => model.curves(ids)), [model, store]);
  const rowId = (index: number): string => `${prefix}-row-${index}`;
  const editing = model.lastUsed === prefix || model.lastUsed === '' ? state.editing : null;
  const edited = editing ? lines.findIndex(line => keyOf(line) === editing.id) : -1;
  const editedLine = lines[edited];
  const onStar = useMemo(
    () => (row: { id: string }) => star(model, [row.id], trans),
    [model, trans]
  );

  return (
    <CurvesOf.Provider value={curves}>
      <div
        ref={scroller}
        className={`tb-Table${moves && !laid.still ? '' : ' tb-mod-still'}`}
        role="grid"
        tabIndex={0}
        aria-label={label}
        aria-rowcount={lines.length + 1}
        aria-colcount={laid.pinned.length + laid.rest.length + 1}
        aria-multiselectable={true}
        aria-activedescendant={lines[active] ? rowId(active) : undefined}
        onKeyDown={onKeyDown}
        onFocusCapture={() => {
          model.lastUsed = prefix;
        }}
        onPointerDownCapture={() => {
          model.lastUsed = prefix;
        }}
        onPointerEnter={() => model.hold(true)}
        onPointerLeave={() => model.hold(false)}
        style={
          {
            '--tb-columns': shown.template,
            '--tb-width': `${laid.width}px`
          } as React.CSSProperties
        }
      >
        <Head
          model={model}
          view={view}
          columns={shown.columns}
          all={all}
          pinned={pinned}
          hidden={laid.hidden}
        />
        <div
          className="tb-Table-body"
          role="rowgroup"
          style={{ height: virtual.getTotalSize() }}
          aria-label={trans.__('Runs')}
        >
          {virtual.getVirtualItems().map(item => {
            const line = lines[item.index];
            if (!line) {
              return null;
            }
            const own = {
              key: keyOf(line),
              id: rowId(item.index),
              index: item.index,
              top: item.start,
              columns: shown.columns,
              pinned,
              active: item.index === active,
              ...events,
              onStar
            };
            return 'row' in line ? (
              <RunRow
                {...own}
                row={line.row}
                ticked={state.selected.has(line.row.id)}
                indented={line.inGroup}
              />
            ) : (
              <GroupRow {...own} group={line.group} open={line.open} />
            );
          })}
          {editing && editedLine && 'row' in editedLine && (
            <Editor
              key={`${editing.id}/${editing.field}`}
              model={model}
              row={editedLine.row}
              field={editing.field}
              top={edited * ROW_HEIGHT}
              onDone={() => scroller.current?.focus()}
            />
          )}
        </div>
      </div>
    </CurvesOf.Provider>
  );
}

function keyOf(line: Line): string {
  return 'row' in line ? line.row.id : groupKey(line.group);
}

function groupKey(group: IGroup): string {
  return `group ${group.key}`;
}

/** The index of the active line, which stays on its run when others come and go above it. */
function useActive(
  model: RunsModel,
  lines: readonly Line[]
): [number, (index: number) => void] {
  const [place, setPlace] = useState<{ index: number; key: string | null }>({
    index: 0,
    key: null
  });
  const found = useMemo(
    () => (place.key === null ? -1 : lines.findIndex(line => keyOf(line) === place.key)),
    [lines, place.key]
  );
  const index = found >= 0 ? found : Math.min(place.index, Math.max(0, lines.length - 1));
  const latest = useRef(lines);
  useEffect(() => {
    latest.current = lines;
  });
  const set = useMemo(
    () => (next: number) => {
      const line = latest.current[next];
      setPlace({ index: next, key: line ? keyOf(line) : null });
      model.setCurrent(line && 'row' in line ? line.row.id : null);
    },
    [model]
  );
  return [index, set];
}

/** Keeps the first line in sight where it is when lines come or go above it. */
function useAnchor(scroller: React.RefObject<HTMLDivElement>, lines: readonly Line[]): void {
  const before = useRef<readonly Line[]>(lines);
  useLayoutEffect(() => {
    const element = scroller.current;
    const old = before.current;
    before.current = lines;
    if (!element || old === lines || element.scrollTop < ROW_HEIGHT) {
      return;
    }
    const first = Math.floor(element.scrollTop / ROW_HEIGHT);
    const anchor = old[first];
    const now = anchor ? lines.findIndex(line => keyOf(line) === keyOf(anchor)) : -1;
    if (now >= 0 && now !== first && Math.abs(old.length - lines.length) < 100) {
      element.scrollTop += (now - first) * ROW_HEIGHT;
    }
  }, [scroller, lines]);
}
