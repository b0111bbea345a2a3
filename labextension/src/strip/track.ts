/** The `%%track` line of a cell. Pure functions. */

const LINE = /^%%track(?:[ \t]+(.*?))?[ \t]*$/;
const IN_PLACE = /^%%(?:time|prun)\b/;

/** Options of `%%track` that take a value, which is not the NAME. */
const VALUED = new Set(
  '-e --experiment -p --param -t --tag -n --note --params --metrics'.split(' ')
);

/** Where the `%%track` line stands in a source, or null; `%%time` may come first. */
export function trackLine(source: string): { start: number; end: number } | null {
  let start = 0;
  for (const line of source.split('\n')) {
    const end = start + line.length;
    if (LINE.test(line)) {
      return { start, end };
    }
    if (line.trim() !== '' && !IN_PLACE.test(line)) {
      return null;
    }
    start = end + 1;
  }
  return null;
}

/** The NAME in a cell's `%%track` line; null without a line or a name. */
export function trackName(source: string): string | null {
  const place = trackLine(source);
  const given = place && LINE.exec(source.slice(place.start, place.end))?.[1];
  if (!given) {
    return null;
  }
  const words = given.match(/"[^"]*"|'[^']*'|\S+/g) ?? [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (VALUED.has(word)) {
      at++;
    } else if (!word.startsWith('-')) {
      return word.replace(/^(["'])(.*)\1$/, '$2');
    }
  }
  return null;
}
