/** Where one is on the page, as the part of its address after the #. Pure functions. */

/** All runs, one of them, or several side by side. */
export type Place =
  | { kind: 'runs' }
  | { kind: 'run'; store: string; run: string }
  | { kind: 'compare'; store: string; refs: string[] };

/** The place of an address; all runs for one that is not ours. */
export function read(hash: string): Place {
  const [kind, store, rest] = hash.replace(/^#\/?/, '').split('/').map(decoded);
  if (kind === 'compare' && store && rest) {
    return { kind, store, refs: rest.split(',').filter(Boolean) };
  }
  if (kind === 'run' && store && rest) {
    return { kind, store, run: rest };
  }
  return { kind: 'runs' };
}

/** The address of a place. */
export function write(place: Place): string {
  switch (place.kind) {
    case 'runs':
      return '#/';
    case 'run':
      return `#/run/${encodeURIComponent(place.store)}/${encodeURIComponent(place.run)}`;
    case 'compare': {
      const refs = place.refs.map(encodeURIComponent).join(',');
      return `#/compare/${encodeURIComponent(place.store)}/${refs}`;
    }
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}
