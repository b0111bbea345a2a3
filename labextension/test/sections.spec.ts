import { expect, it } from 'vitest';

import type { IComparedRow } from '../src/api';
import { isThere, sorted } from '../src/compare/sections';

function line(key: string, ...texts: string[]): IComparedRow {
  const cells = texts.map(text => ({ text, value: text || null }));
  return { key, cells, differs: new Set(texts).size > 1, best: null };
}

const keys = (rows: IComparedRow[]): string[] => rows.map(row => row.key);

it('shows what differs, then the few keys that only some runs have', () => {
  const found = sorted([
    line('C', '1', ''),
    line('rate', '0.1', '0.3'),
    line('seed', '7', '7')
  ]);
  expect(keys(found.different)).toEqual(['rate', 'C']);
  expect(keys(found.same)).toEqual(['seed']);
  expect(found.partial).toEqual([]);
});

it('folds keys that only some runs have when they are many', () => {
  const own = Array.from({ length: 20 }, (_, n) => line(`p${n}`, '', String(n)));
  const found = sorted([...own, line('rate', '0.1', '0.3')]);
  expect(keys(found.different)).toEqual(['rate']);
  expect(found.partial).toHaveLength(20);
});

it('never folds what somebody chose', () => {
  const own = Array.from({ length: 20 }, (_, n) => line(`p${n}`, '', String(n)));
  const rate = { ...line('rate', '', '0.1'), chosen: true };
  expect(keys(sorted([rate, ...own]).different)).toEqual(['rate']);
});

it('counts a key that two runs have with different values as different', () => {
  const own = Array.from({ length: 20 }, (_, n) => line(`p${n}`, '', '', '1'));
  expect(keys(sorted([...own, line('rate', '', '0.1', '0.3')]).different)).toEqual(['rate']);
});

it('takes a bare tag for something that is there', () => {
  const tag: IComparedRow = {
    key: 'baseline',
    cells: [
      { text: '', value: '' },
      { text: '', value: null }
    ],
    differs: true,
    best: null
  };
  expect(tag.cells.map(isThere)).toEqual([true, false]);
});
