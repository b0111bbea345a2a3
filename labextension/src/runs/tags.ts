/** Tags as a person types them. Pure functions. */

import { tagsText, valueText } from '../formats';

type Tags = Readonly<Record<string, unknown>>;

/** The change that makes these tags of those; null removes one. Empty where nothing changes. */
export function tagsChange(before: Tags, text: string): Record<string, string | null> {
  const wanted = parsed(text);
  const change: Record<string, string | null> = {};
  for (const [key, value] of wanted) {
    const known = before[key];
    const same = known !== undefined && (known === value || valueText(known) === value);
    if (!same) {
      change[key] = value;
    }
  }
  for (const key of Object.keys(before)) {
    if (!wanted.has(key)) {
      change[key] = null;
    }
  }
  return change;
}

/** `baseline, stage=prod`, as it is edited. */
export function editable(tags: Tags): string {
  return tagsText(tags);
}

function parsed(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of text.split(',')) {
    const equals = part.indexOf('=');
    const key = (equals < 0 ? part : part.slice(0, equals)).trim();
    if (key !== '') {
      found.set(key, equals < 0 ? '' : part.slice(equals + 1).trim());
    }
  }
  return found;
}
