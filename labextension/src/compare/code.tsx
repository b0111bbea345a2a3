/** The notebooks and patches of two runs side by side. */

import React, { useEffect, useRef, useState } from 'react';

import { useTrans } from '../locale';
import type { ICellPair, ICodeReply, ISideLine } from './api';
import { useSeen } from './asking';
import { NoChart } from './figure';
import { useShared } from './shared';

/** The code of the runs, two at a time. */
export function Code(): React.JSX.Element {
  const trans = useTrans();
  const { comparing, store, refs, labels, baseline } = useShared();
  const [chosen, setChosen] = useState<[string, string] | null>(null);
  const [reply, setReply] = useState<ICodeReply | null>(null);
  const [trouble, setTrouble] = useState('');
  const host = useRef<HTMLDivElement>(null);
  const seen = useSeen(host);
  const first = Math.max(0, baseline === null ? 0 : labels.indexOf(baseline));
  const [left, right] = chosen ?? [refs[first] ?? '', refs[first === 0 ? 1 : 0] ?? ''];

  useEffect(() => {
    if (!seen || !comparing || !right) {
      return undefined;
    }
    let ended = false;
    comparing.code(store, left, right).then(
      found => {
        if (!ended) {
          setReply(found);
          setTrouble('');
        }
      },
      (error: unknown) => {
        if (!ended) {
          setTrouble(error instanceof Error ? error.message : String(error));
        }
      }
    );
    return () => {
      ended = true;
    };
  }, [comparing, store, left, right, seen]);

  const choose = (side: 0 | 1, id: string): void => {
    const pair: [string, string] = [left, right];
    pair[side] = id;
    setChosen(pair);
  };
  const same = reply !== null && reply.cells.every(cell => cell.status === 'same');
  return (
    <div className="tb-SideBySide" ref={host}>
      <div className="tb-Sides">
        {([0, 1] as const).map(side => (
          <select
            key={side}
            className="tb-CompareSelect"
            aria-label={side === 0 ? trans.__('Left run') : trans.__('Right run')}
            value={side === 0 ? left : right}
            onChange={event => choose(side, event.target.value)}
          >
            {refs.map((id, place) => (
              <option key={id} value={id}>
                {labels[place]}
              </option>
            ))}
          </select>
        ))}
      </div>
      {trouble && <NoChart>{trouble}</NoChart>}
      {reply?.notes.map(note => (
        <p key={note} className="tb-Note">
          {note}
        </p>
      ))}
      {reply && reply.cells.length === 0 && (
        <NoChart>{trans.__('Neither run kept its code.')}</NoChart>
      )}
      {reply && reply.cells.length > 0 && same && (
        <NoChart>{trans.__('Every cell is the same in both runs.')}</NoChart>
      )}
      {reply && <Cells cells={reply.cells} />}
      {reply?.patches.map(patch => (
        <Patch key={patch.path} {...patch} />
      ))}
    </div>
  );
}

function Cells({ cells }: { cells: readonly ICellPair[] }): React.JSX.Element {
  const groups: { first: ICellPair; cells: ICellPair[] }[] = [];
  for (const cell of cells) {
    const last = groups[groups.length - 1];
    if (cell.status === 'same' && last?.first.status === 'same') {
      last.cells.push(cell);
    } else {
      groups.push({ first: cell, cells: [cell] });
    }
  }
  return (
    <>
      {groups.map(({ first, cells: alike }) =>
        first.status === 'same' ? (
          <Same key={first.id} cells={alike} />
        ) : (
          <CellPair key={`${first.id} ${first.status} ${first.tracked}`} cell={first} />
        )
      )}
    </>
  );
}

function Same({ cells }: { cells: readonly ICellPair[] }): React.JSX.Element {
  const trans = useTrans();
  const [open, setOpen] = useState(false);
  return (
    <div className="tb-SameCells">
      <button className="tb-Link" aria-expanded={open} onClick={() => setOpen(!open)}>
        {trans._n('%1 cell is the same', '%1 cells are the same', cells.length)}
      </button>
      {open &&
        cells.map(cell => (
          <pre key={cell.id} className="tb-Source">
            {cell.source}
          </pre>
        ))}
    </div>
  );
}

function CellPair({ cell }: { cell: ICellPair }): React.JSX.Element {
  const trans = useTrans();
  const words: Record<ICellPair['status'], string> = {
    same: '',
    changed: trans.__('changed'),
    added: trans.__('added'),
    removed: trans.__('removed')
  };
  return (
    <section className="tb-CellPair" data-status={cell.status}>
      <header>
        <span className="tb-CellPair-status">{words[cell.status]}</span>
        {cell.tracked && (
          <span className="tb-CellPair-tracked">{trans.__('tracked cell')}</span>
        )}
      </header>
      <table>
        <tbody>
          {cell.lines.map((line, place) => (
            <tr key={place}>
              <Side line={line} side="left" />
              <Side line={line} side="right" />
            </tr>
          ))}
        </tbody>
      </table>
      {cell.more > 0 && <p className="tb-Note">{trans.__('%1 more lines', cell.more)}</p>}
    </section>
  );
}

function Side(props: { line: ISideLine; side: 'left' | 'right' }): React.JSX.Element {
  const { line, side } = props;
  const half = line[side];
  const changed = half !== null && line.kind !== 'same';
  const kind = changed ? (side === 'left' ? 'gone' : 'added') : half ? 'kept' : 'none';
  const other = line[side === 'left' ? 'right' : 'left'];
  return (
    <>
      <td className="tb-LineNumber">{half?.[0]}</td>
      <td className={`tb-Line tb-mod-${kind}`}>
        {half && changed && other ? <Marked text={half[1]} other={other[1]} /> : half?.[1]}
      </td>
    </>
  );
}

/** A line with the part marked in which it differs from the other one. */
function Marked({ text, other }: { text: string; other: string }): React.JSX.Element {
  const least = Math.min(text.length, other.length);
  let start = 0;
  while (start < least && text[start] === other[start]) {
    start++;
  }
  let end = 0;
  while (end < least - start && text[text.length - 1 - end] === other[other.length - 1 - end]) {
    end++;
  }
  return (
    <>
      {text.slice(0, start)}
      <mark>{text.slice(start, text.length - end)}</mark>
      {text.slice(text.length - end)}
    </>
  );
}

function Patch(props: { path: string; left: string; right: string }): React.JSX.Element {
  const trans = useTrans();
  const { path, left, right } = props;
  return (
    <details className="tb-Patch">
      <summary>
        {path}{' '}
        <span className="tb-Soft">
          {left && right
            ? trans.__('patched differently')
            : left
              ? trans.__('patched on the left only')
              : trans.__('patched on the right only')}
        </span>
      </summary>
      <div className="tb-Sides">
        {[left, right].map((text, side) => (
          <pre key={side} className="tb-Source">
            {text.split('\n').map((line, place) => (
              <span key={place} className={`tb-DiffLine tb-mod-${patchKind(line)}`}>
                {line || ' '}
              </span>
            ))}
          </pre>
        ))}
      </div>
    </details>
  );
}

function patchKind(line: string): string {
  if (/^(\+\+\+|---|@@)/.test(line)) {
    return 'place';
  }
  return line.startsWith('+') ? 'added' : line.startsWith('-') ? 'gone' : 'kept';
}
