/** The lines of the table: a run's, and a group's with the spread of its runs. */

import React from 'react';

import type { IColumn, IRow } from '../api';
import { CellContent } from '../cell';
import { cellText, durationText, floatText, roughText } from '../formats';
import { useTrans } from '../locale';
import { textOf } from '../packed';
import type { IGroup } from './groups';
import { shared, spreadOf } from './groups';

/** What lines tell the table of. */
export interface IRowEvents {
  onPress: (index: number, event: React.MouseEvent) => void;
  onOpen: (id: string) => void;
  onToggle: (id: string, index: number, range: boolean) => void;
  onStar: (row: IRow) => void;
  onFold: (group: IGroup) => void;
}

interface ILineProps extends IRowEvents {
  id: string;
  index: number;
  top: number;
  columns: readonly IColumn[];
  /** How many of the columns stay in sight, and how far each is from the left edge. */
  pinned: readonly number[];
  active: boolean;
}

/** What a run is called in labels. */
export function labelOf(row: IRow): string {
  return row.number === null ? row.name : `${row.name} #${row.number}`;
}

/** One run. */
export const RunRow = React.memo(function RunRow(
  props: ILineProps & { row: IRow; ticked: boolean; indented: boolean }
): React.JSX.Element {
  const trans = useTrans();
  const { row, index, columns, pinned } = props;
  return (
    <div
      id={props.id}
      className={classOf(props.active, props.indented)}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={props.ticked}
      data-run-id={row.id}
      style={{ transform: `translateY(${props.top}px)` }}
      onMouseDown={event => props.onPress(index, event)}
      onDoubleClick={() => props.onOpen(row.id)}
    >
      <span className="tb-Cell tb-Tick" role="gridcell">
        <input
          type="checkbox"
          tabIndex={-1}
          checked={props.ticked}
          aria-label={trans.__('Select %1', labelOf(row))}
          onChange={event =>
            props.onToggle(row.id, index, (event.nativeEvent as MouseEvent).shiftKey)
          }
        />
      </span>
      {columns.map((column, place) => (
        <React.Fragment key={column.key}>
          {place === pinned.length && <span className="tb-Spacer" />}
          <span
            className={cellClass(column, place < pinned.length)}
            role="gridcell"
            data-column={column.key}
            style={place < pinned.length ? { left: pinned[place] } : undefined}
          >
            <CellContent column={column} row={row} />
            {column.kind === 'name' && <Star row={row} onStar={props.onStar} />}
          </span>
        </React.Fragment>
      ))}
    </div>
  );
});

function Star(props: { row: IRow; onStar: (row: IRow) => void }): React.JSX.Element {
  const trans = useTrans();
  const { row } = props;
  return (
    <button
      className={`tb-RowStar${row.star ? ' tb-mod-on' : ''}`}
      tabIndex={-1}
      aria-pressed={row.star}
      aria-label={trans.__('Star %1', labelOf(row))}
      title={row.star ? trans.__('Take the star away') : trans.__('Star')}
      onClick={() => props.onStar(row)}
    >
      {row.star ? '★' : '☆'}
    </button>
  );
}

/** One group: what its runs are called, how many they are, and their numbers' mean and spread. */
export const GroupRow = React.memo(function GroupRow(
  props: ILineProps & { group: IGroup; open: boolean }
): React.JSX.Element {
  const trans = useTrans();
  const { group, open, columns, pinned, index } = props;
  const count = group.rows.length;
  return (
    <div
      id={props.id}
      className={`${classOf(props.active, false)} tb-mod-group`}
      role="row"
      aria-rowindex={index + 2}
      aria-expanded={open}
      data-group={group.key}
      style={{ transform: `translateY(${props.top}px)` }}
      onMouseDown={event => props.onPress(index, event)}
      onClick={() => props.onFold(group)}
    >
      <span className="tb-Cell tb-Tick tb-Fold-mark" role="gridcell">
        <span aria-hidden={true}>{open ? '▾' : '▸'}</span>
      </span>
      {columns.map((column, place) => (
        <React.Fragment key={column.key}>
          {place === pinned.length && <span className="tb-Spacer" />}
          <span
            className={cellClass(column, place < pinned.length)}
            role="gridcell"
            data-column={column.key}
            style={place < pinned.length ? { left: pinned[place] } : undefined}
          >
            {column.kind === 'name' ? (
              <>
                <span className="tb-Name-text" title={group.label}>
                  {group.label}
                </span>
                <span className="tb-Group-count" title={trans._n('%1 run', '%1 runs', count)}>
                  {count}
                </span>
              </>
            ) : (
              <Spread column={column} rows={group.rows} />
            )}
          </span>
        </React.Fragment>
      ))}
    </div>
  );
});

/** Mean and sample standard deviation, or the one text that all runs share. */
function Spread(props: { column: IColumn; rows: readonly IRow[] }): React.JSX.Element | null {
  const trans = useTrans();
  const { column, rows } = props;
  const { kind, key } = column;
  const same = shared(rows, row => textOf(row, column));
  if (kind !== 'metric' && kind !== 'duration') {
    return same ? <span className="tb-Text">{same}</span> : null;
  }
  const found = spreadOf(rows, key);
  if (!found) {
    return null;
  }
  const text = kind === 'duration' ? durationText(found.mean) : floatText(found.mean);
  const spread = found.spread === null ? '' : `±${roughText(found.spread)}`;
  const told = trans.__(
    'mean %1, standard deviation %2, n = %3',
    cellText('metric', found.mean),
    found.spread === null ? '–' : roughText(found.spread),
    found.n
  );
  return (
    <>
      <span className="tb-Headline-value" title={told}>
        {text}
      </span>
      {kind === 'metric' && (
        <span className="tb-Group-spread" title={told}>
          {spread}
        </span>
      )}
    </>
  );
}

function classOf(active: boolean, indented: boolean): string {
  return `tb-Row${active ? ' tb-mod-active' : ''}${indented ? ' tb-mod-indented' : ''}`;
}

function cellClass(column: IColumn, pinned: boolean): string {
  const stays = pinned ? ' tb-mod-stays' : '';
  return `tb-Cell tb-mod-${column.align} tb-kind-${column.kind}${stays}`;
}
