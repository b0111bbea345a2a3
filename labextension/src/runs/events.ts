/** What presses and keys in the table do. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type React from 'react';
import { useEffect, useMemo, useRef } from 'react';

import type { RunsModel } from '../model';
import { between } from './arrange';
import { archive, star, trash } from './deeds';
import type { IGroup, Line } from './groups';
import { deedOf, step } from './keys';
import type { IRowEvents } from './row';

type Closing = (change: (closed: ReadonlySet<string>) => ReadonlySet<string>) => void;

/** What the lines of the table tell it; stays the same object, so that no line draws anew. */
export function useEvents(
  model: RunsModel,
  lines: readonly Line[],
  setActive: (index: number) => void,
  onOpen: (id: string) => void,
  setClosed: Closing
): Omit<IRowEvents, 'onStar'> & { range: (from: number, to: number) => void } {
  const now = useRef({ lines, onOpen, anchor: 0 });
  useEffect(() => {
    now.current.lines = lines;
    now.current.onOpen = onOpen;
  });
  return useMemo(() => {
    const range = (from: number, to: number): void => {
      const rows = now.current.lines.slice(Math.min(from, to), Math.max(from, to) + 1);
      model.select(rows.flatMap(line => ('row' in line ? [line.row.id] : [])));
    };
    return {
      range,
      onPress: (index, event) => {
        const target = event.target as HTMLElement;
        const line = now.current.lines[index];
        if (event.button === 0 && event.shiftKey && target.tagName !== 'INPUT') {
          event.preventDefault(); // no text is marked
          range(now.current.anchor, index);
        } else if ((event.ctrlKey || event.metaKey) && line && 'row' in line) {
          model.toggle(line.row.id);
        }
        if (!event.shiftKey) {
          now.current.anchor = index;
        }
        setActive(index);
      },
      onOpen: id => now.current.onOpen(id),
      onToggle: (id, index, withRange) => {
        const rows = now.current.lines.flatMap(line => ('row' in line ? [line.row] : []));
        const from = rows.findIndex(row => {
          const anchor = now.current.lines[now.current.anchor];
          return anchor && 'row' in anchor && anchor.row.id === row.id;
        });
        const to = rows.findIndex(row => row.id === id);
        if (withRange && from >= 0) {
          model.select(between(rows, from, to), true);
        } else {
          model.toggle(id);
          now.current.anchor = index;
        }
      },
      onFold: (group: IGroup) => setClosed(closed => toggled(closed, group.key))
    };
  }, [model, setActive, setClosed]);
}

function toggled(closed: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(closed);
  if (!next.delete(key)) {
    next.add(key);
  }
  return next;
}

interface IKeyed {
  model: RunsModel;
  lines: readonly Line[];
  active: number;
  /** How many lines a page has. */
  page: () => number;
  trans: TranslationBundle;
  events: ReturnType<typeof useEvents>;
}

/** What the grid does with a key. Shift with a way to move selects what lies between. */
export function useKeys(
  keyed: IKeyed,
  goTo: (index: number) => void
): (event: React.KeyboardEvent) => void {
  const start = useRef<number | null>(null);
  return event => {
    const { lines, active, page, events, model } = keyed;
    if (event.target !== event.currentTarget || model.state.editing) {
      return;
    }
    const next = step(event.key, active, page(), lines.length);
    if (next !== null) {
      if (event.shiftKey) {
        start.current ??= active;
        events.range(start.current, next);
      } else {
        start.current = null;
      }
      goTo(next);
      event.preventDefault();
    } else if (act(keyed, event)) {
      event.preventDefault();
      event.stopPropagation(); // Lab has commands on such keys too
    }
  };
}

/** Does what a key asks for; false where it asks for nothing. */
function act(
  { model, lines, active, trans, events }: IKeyed,
  event: React.KeyboardEvent
): boolean {
  const line = lines[active];
  const deed = deedOf(event);
  if (!line || deed === null) {
    return false;
  }
  if ('group' in line) {
    const folds = deed === 'open' || deed === (line.open ? 'fold' : 'unfold');
    if (folds) {
      events.onFold(line.group);
    } else if (deed === 'toggle') {
      model.select(
        line.group.rows.map(row => row.id),
        true
      );
    }
    if (folds || deed === 'toggle') {
      return true;
    }
  }
  const id = 'row' in line ? line.row.id : null;
  model.setCurrent(id);
  switch (deed) {
    case 'all':
      model.select(model.state.rows.map(row => row.id));
      return true;
    case 'none':
      model.clear();
      return true;
    case 'undo':
      void model.undo();
      return true;
    case 'archive':
      archive(model, model.targets, trans);
      return true;
    case 'trash':
      trash(model, model.targets, trans);
      return true;
    case 'star':
      star(model, model.targets, trans);
      return true;
    case 'open':
    case 'toggle':
    case 'rename':
    case 'tags':
    case 'note':
      return id !== null && forOne(model, deed, id, events);
    default:
      return false;
  }
}

function forOne(
  model: RunsModel,
  deed: 'open' | 'toggle' | 'rename' | 'tags' | 'note',
  id: string,
  events: IKeyed['events']
): boolean {
  if (deed === 'open') {
    events.onOpen(id);
  } else if (deed === 'toggle') {
    model.toggle(id);
  } else {
    model.setEditing({ id, field: deed === 'rename' ? 'name' : deed });
  }
  return true;
}
