import { describe, expect, it } from 'vitest';

import type { IRow } from '../src/api';
import { between, isIn, narrowed, steady } from '../src/runs/arrange';
import { foldersOf } from '../src/runs/folders';
import { grouped, lines, spreadOf } from '../src/runs/groups';
import { deedOf, step } from '../src/runs/keys';
import { tagsChange } from '../src/runs/tags';
import { row } from './rows';

const ids = (rows: readonly IRow[]): string[] => rows.map(one => one.id);
const all = { search: '', folder: '', shelf: 'runs' } as const;

function measured(id: string, depth: number, acc: number, given: Partial<IRow> = {}): IRow {
  const cells = {
    'params.depth': { text: String(depth), value: depth },
    'metrics.acc': { text: String(acc), value: acc }
  };
  return row(id, { cells, ...given });
}

describe('narrowing', () => {
  const rows = [
    measured('1', 3, 0.5, { experiment: 'a/b', name: 'Forest' }),
    measured('2', 5, 0.6, { experiment: 'a/bc', tags: { baseline: '' } }),
    measured('3', 5, 0.7, { experiment: 'c', archived: true, note: 'the good one' })
  ];

  it('finds all words anywhere in name, tags, params and note', () => {
    expect(ids(narrowed(rows, { ...all, search: 'forest' }))).toEqual(['1', '2', '3']);
    expect(ids(narrowed(rows, { ...all, search: 'depth=5 GOOD' }))).toEqual(['3']);
    expect(ids(narrowed(rows, { ...all, search: 'baseline' }))).toEqual(['2']);
  });

  it('takes a folder for all below it, and not for what only begins alike', () => {
    expect(ids(narrowed(rows, { ...all, folder: 'a/b' }))).toEqual(['1']);
    expect(ids(narrowed(rows, { ...all, folder: 'a' }))).toEqual(['1', '2']);
    expect(isIn('ab', 'a')).toBe(false);
  });

  it('shows only what is archived on that shelf', () => {
    expect(ids(narrowed(rows, { ...all, shelf: 'archived' }))).toEqual(['3']);
  });
});

describe('steady', () => {
  const of = (...names: string[]): IRow[] => names.map(name => row(name));

  it('keeps the order of what was there and lets new rows in where they belong', () => {
    expect(ids(steady(of('a', 'b'), of('n', 'b', 'a')))).toEqual(['a', 'n', 'b']);
    expect(ids(steady(of('a', 'b'), of('n', 'a', 'b')))).toEqual(['n', 'a', 'b']);
  });

  it('drops what has gone and brings the new state of what stayed', () => {
    const [found] = steady(of('a', 'b'), [row('b', { status: 'failed' })]);
    expect(found?.status).toBe('failed');
  });
});

it('selects from one row to another in both directions', () => {
  const rows = ['a', 'b', 'c', 'd'].map(name => row(name));
  expect(between(rows, 1, 2)).toEqual(['b', 'c']);
  expect(between(rows, 3, 1)).toEqual(['b', 'c', 'd']);
});

describe('groups', () => {
  const rows = [measured('1', 3, 0.5), measured('2', 5, 0.8), measured('3', 3, 0.7), row('4')];

  it('have mean, sample standard deviation and number', () => {
    const [first] = grouped(rows, 'params.depth', ['-started']);
    expect(first?.label).toBe('depth = 3');
    const spread = spreadOf(first?.rows ?? [], 'metrics.acc');
    expect(spread?.mean).toBeCloseTo(0.6);
    expect(spread?.spread).toBeCloseTo(0.1414, 4);
    expect(spread?.n).toBe(2);
    expect(spreadOf([row('x')], 'metrics.acc')).toBeNull();
    expect(spreadOf([rows[0] as IRow], 'metrics.acc')?.spread).toBeNull();
  });

  it('stand in the order of their means where a metric is sorted by', () => {
    const labels = (sort: string): string[] =>
      grouped(rows, 'params.depth', [sort]).map(group => group.label);
    expect(labels('-metrics.acc')).toEqual(['depth = 5', 'depth = 3', 'depth = –']);
    expect(labels('metrics.acc')).toEqual(['depth = 3', 'depth = 5', 'depth = –']);
  });

  it('leave no spread of what is not a number', () => {
    const odd = [measured('1', 1, NaN), measured('2', 1, 0.5)];
    expect(spreadOf(odd, 'metrics.acc')).toEqual({ mean: 0.5, spread: null, n: 1 });
  });

  it('hide their runs when they are closed', () => {
    const groups = grouped(rows, 'params.depth', []);
    expect(lines(groups, new Set())).toHaveLength(7);
    expect(lines(groups, new Set([groups[0]?.key ?? '']))).toHaveLength(5);
  });
});

it('makes folders of the slashes in experiments', () => {
  const rows = ['a/b', 'a/c', 'a', 'd10', 'd9'].map(experiment =>
    row(experiment, { experiment })
  );
  const [a, d9, d10] = foldersOf(rows);
  expect(a?.count).toBe(3);
  expect(a?.folders.map(one => one.path)).toEqual(['a/b', 'a/c']);
  expect([d9?.name, d10?.name]).toEqual(['d9', 'd10']);
});

describe('tags as they are typed', () => {
  it('change what is new or other, and remove what is gone', () => {
    expect(tagsChange({ a: '', b: 'x', n: 3 }, 'a, b=y, c = z, n=3')).toEqual({
      b: 'y',
      c: 'z'
    });
    expect(tagsChange({ a: '', b: 'x' }, '')).toEqual({ a: null, b: null });
    expect(tagsChange({}, ' , =x,')).toEqual({});
  });
});

describe('keys', () => {
  const plain = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };

  it('move within the lines', () => {
    expect(step('ArrowDown', 4, 10, 5)).toBe(4);
    expect(step('PageUp', 4, 10, 5)).toBe(0);
    expect(step('x', 4, 10, 5)).toBeNull();
  });

  it('mean deeds, with ctrl others, with alt none', () => {
    expect(deedOf({ ...plain, key: 'Enter' })).toBe('open');
    expect(deedOf({ ...plain, key: 'a' })).toBeNull();
    expect(deedOf({ ...plain, key: 'a', ctrlKey: true })).toBe('all');
    expect(deedOf({ ...plain, key: 's', ctrlKey: true })).toBeNull();
    expect(deedOf({ ...plain, key: 's', altKey: true })).toBeNull();
  });
});
