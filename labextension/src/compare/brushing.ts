/** Which runs pass through the brushed parts of parallel axes. Pure functions. */

/** The part of each axis that is brushed, 0 at its bottom and 1 at its top. */
export type Brushes = Readonly<Record<string, readonly [number, number]>>;

/** The runs inside every brush; null where nothing is brushed. */
export function passing(
  rows: readonly Record<string, unknown>[],
  brushes: Brushes
): string[] | null {
  const axes = Object.entries(brushes);
  if (axes.length === 0) {
    return null;
  }
  const places = new Map<string, Map<string, number>>();
  for (const row of rows) {
    const run = String(row.run);
    if (!places.has(run)) {
      places.set(run, new Map());
    }
    places.get(run)?.set(String(row.axis), Number(row.place));
  }
  return [...places]
    .filter(([, own]) =>
      axes.every(([axis, [low, high]]) => {
        const place = own.get(axis);
        return place !== undefined && place >= low && place <= high;
      })
    )
    .map(([run]) => run);
}

/** The brushes with one more, or without it where it is no longer than a click. */
export function brushed(
  brushes: Brushes,
  axis: string,
  from: number,
  to: number
): Record<string, readonly [number, number]> {
  const { [axis]: _old, ...rest } = brushes;
  const [low, high] = from < to ? [from, to] : [to, from];
  return high - low < 0.02 ? rest : { ...rest, [axis]: [low, high] };
}
