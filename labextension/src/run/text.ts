/** How text of a run reads on the page. Pure functions. */

/* eslint-disable no-control-regex */
const ESCAPES =
  /\u001b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-_])/g;
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;
/* eslint-enable no-control-regex */

/** Text without colours, cursor movements and other control characters. */
export function plainText(text: string): string {
  return text.replace(ESCAPES, '').replace(/\r\n?/g, '\n').replace(CONTROLS, '');
}

/** A moment of the store (seconds) in the reader's own words. */
export function moment(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) {
    return '';
  }
  return new Date(seconds * 1000).toLocaleString(undefined, {
    dateStyle: 'medium',
    timeStyle: 'short'
  });
}

/** `key=value` or `key` as a tag; null for what is none. */
export function tagOf(text: string): [string, string] | null {
  const place = text.indexOf('=');
  const key = (place < 0 ? text : text.slice(0, place)).trim();
  return key ? [key, place < 0 ? '' : text.slice(place + 1).trim()] : null;
}

/** The last `most` characters, from the beginning of a line on. */
export function lastLines(text: string, most: number): string {
  if (text.length <= most) {
    return text;
  }
  const cut = text.slice(text.length - most);
  return cut.slice(cut.indexOf('\n') + 1);
}

/** What a line of a patch is, by how it begins. */
export function patchKind(line: string): 'file' | 'place' | 'added' | 'gone' | 'kept' {
  if (line.startsWith('diff --git ')) {
    return 'file';
  }
  if (
    /^(\+\+\+|---|@@|index |new file|deleted file|old mode|new mode|rename |GIT)/.test(line)
  ) {
    return 'place';
  }
  return line.startsWith('+') ? 'added' : line.startsWith('-') ? 'gone' : 'kept';
}
