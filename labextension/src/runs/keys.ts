/** What the keys of the table mean. Pure functions. */

/** Where a key leads, or null when it is not a way to move. */
export function step(key: string, from: number, page: number, lines: number): number | null {
  const steps: Record<string, number> = {
    ArrowDown: from + 1,
    ArrowUp: from - 1,
    PageDown: from + page,
    PageUp: from - page,
    Home: 0,
    End: lines - 1
  };
  const to = steps[key];
  return to === undefined ? null : Math.max(0, Math.min(lines - 1, to));
}

/** What a key does, apart from moving. */
export type Deed =
  | 'open'
  | 'toggle'
  | 'all'
  | 'none'
  | 'rename'
  | 'tags'
  | 'note'
  | 'star'
  | 'archive'
  | 'trash'
  | 'undo'
  | 'fold'
  | 'unfold';

interface IKey {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

const PLAIN: Readonly<Record<string, Deed>> = {
  Enter: 'open',
  ' ': 'toggle',
  Escape: 'none',
  F2: 'rename',
  t: 'tags',
  n: 'note',
  s: 'star',
  e: 'archive',
  Delete: 'trash',
  Backspace: 'trash',
  ArrowLeft: 'fold',
  ArrowRight: 'unfold'
};

/** The deed of a key; null for none. */
export function deedOf(event: IKey): Deed | null {
  if (event.altKey) {
    return null;
  }
  if (event.ctrlKey || event.metaKey) {
    return event.key === 'a' ? 'all' : event.key === 'z' ? 'undo' : null;
  }
  return PLAIN[event.key] ?? null;
}
