import { describe, expect, it } from 'vitest';

import { complete, insert, written } from '../src/runs/complete';
import { column, row } from './rows';

const columns = [
  column('metrics.acc', 90, 3),
  column('metrics.val/loss', 90, 3),
  column('params.depth', 90, 3),
  column('params.model', 90, 3)
];
const rows = ['rf', 'rf', 'gb'].map((model, n) =>
  row(String(n), { cells: { 'params.model': { text: model, value: model } } })
);
const known = { columns, rows };
const options = (text: string): string[] =>
  complete(text, text.length, known).options.map(option => option.text);

describe('what may come next in a filter', () => {
  it('is an attribute at first, and after and, or, not', () => {
    expect(options('')).toContain('metrics.');
    expect(options('met')).toEqual(['metrics.']);
    expect(options('star and sta')).toEqual(['status', 'started', 'star']);
    expect(options('not ')).toContain('archived');
  });

  it('is a key after a dot, in the spelling that the language wants', () => {
    expect(options('metrics.')).toEqual(['metrics.acc', 'metrics["val/loss"]']);
    expect(options('params.de')[0]).toBe('params.depth');
    expect(options('params.mod')).toEqual(['params.model']);
    expect(options('metrics.acc.m')).toEqual(['metrics.acc.min', 'metrics.acc.max']);
  });

  it('is a value after a comparison, the most frequent first', () => {
    expect(options('params.model == ')).toEqual(['"rf"', '"gb"']);
    expect(options('params.model == "g')).toEqual(['"gb"']);
    expect(options('status == "f')).toEqual(['"finished"', '"failed"']);
    expect(options('params.model in ["rf", "')).toContain('"gb"');
  });

  it('is a word that joins after a value', () => {
    expect(options('metrics.acc > 0.5 a')).toEqual(['and']);
    expect(options('metrics.acc > 0.5 ')).toEqual([]);
  });

  it('is nothing where all is said', () => {
    expect(options('params.depth')).toEqual([]);
    expect(options('"some te')).toEqual([]);
  });
});

it('puts an option in the place of what was begun', () => {
  const text = 'params.de > 3';
  const found = complete(text, 9, known);
  const option = found.options[0];
  expect(option && insert(text, found, option)).toEqual({
    text: 'params.depth > 3',
    caret: 12
  });
});

it('writes keys that are no names in brackets', () => {
  expect(written('params.max depth')).toBe('params["max depth"]');
  expect(written('params.a.b')).toBe('params.a.b');
  expect(written('tags.in "x"')).toBe('tags["in \\"x\\""]');
});
