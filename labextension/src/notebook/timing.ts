/** How long cells take, and which are worth a word. No imports, plain values. */

/** What the user wants to hear of. */
export interface IWish {
  /** Seconds from which a cell counts as long; 0 for never. */
  after: number;
  /** Whether the system may tell too, while Lab is not looked at. */
  system: boolean;
}

/** Whether a cell that took so many seconds is told of. */
export function worthTelling(wish: IWish, seconds: number): boolean {
  return wish.after > 0 && seconds >= wish.after;
}

/** `42 s`, `3 min 05 s`, `2 h 10 min`. */
export function spent(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) {
    return `${whole} s`;
  }
  const pad = (count: number): string => String(count).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${pad(whole % 60)} s`
    : `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** When the cells of notebooks began: once scheduled, and not before the one ahead has ended. */
export class Clock {
  /** A cell was put into the queue of its notebook's kernel, at a time in ms. */
  scheduled(notebook: object, cell: string, now: number): void {
    this._of(notebook).waiting.set(cell, now);
  }

  /** The seconds that a cell took which has ended just now. */
  ended(notebook: object, cell: string, now: number): number {
    const times = this._of(notebook);
    const began = Math.max(times.waiting.get(cell) ?? now, times.free);
    times.waiting.delete(cell);
    times.free = now;
    return (now - began) / 1000;
  }

  private _of(notebook: object): { waiting: Map<string, number>; free: number } {
    const known = this._times.get(notebook) ?? { waiting: new Map<string, number>(), free: 0 };
    this._times.set(notebook, known);
    return known;
  }

  private readonly _times = new WeakMap<
    object,
    { waiting: Map<string, number>; free: number }
  >();
}
