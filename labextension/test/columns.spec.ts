import { describe, expect, it } from 'vitest';

import type { IColumn, IRow } from '../src/api';
import { deltaText, fit, forRows, nextSort, order, sortOf, sortPlace } from '../src/columns';
import { column, row } from './rows';

describe('fit', () => {
  const columns = [
    column('name', 150, 1),
    column('status', 84, 1),
    column('headline', 96, 1),
    column('started', 130, 2),
    column('loss', 90, 3),
    column('tags', 40, 4)
  ];
  const keys = (width: number): string[] => fit(columns, width).columns.map(c => c.key);

  it('keeps name and headline in the side panel, the status as its dot alone', () => {
    expect(keys(280)).toEqual(['name', 'headline']);
  });

  it('adds columns by priority as there is room, in their own order', () => {
    expect(keys(356)).toEqual(['name', 'status', 'headline']);
    expect(keys(522)).toEqual(['name', 'status', 'headline', 'started']);
    expect(keys(2000)).toEqual(columns.map(c => c.key));
  });

  it('lets no lower priority overtake a higher one that has no room', () => {
    expect(keys(574)).not.toContain('tags');
  });

  it('counts what is left out where there is room to say so', () => {
    expect(fit(columns, 280).hidden).toBe(0);
    expect(fit(columns, 574).hidden).toBe(2);
    expect(fit(columns, 2000).hidden).toBe(0);
  });
});

describe('order', () => {
  const rows = [
    row('old', { started: 1, cells: { x: { text: '10', value: 10 } } }),
    row('none', { started: 2 }),
    row('nan', { started: 4, cells: { x: { text: 'nan', value: { $float: 'nan' } } } }),
    row('inf', { started: 5, cells: { x: { text: 'inf', value: { $float: 'inf' } } } }),
    row('new', { started: 3, cells: { x: { text: '9', value: 9 } } })
  ];
  const ids = (...sorts: string[]): string[] => order(rows, sorts).map(r => r.id);

  it('sorts by time', () => {
    expect(ids('-started')).toEqual(['inf', 'nan', 'new', 'none', 'old']);
  });

  it('compares numbers as numbers and puts what has no value last, either way', () => {
    expect(ids('x').slice(0, 3)).toEqual(['new', 'old', 'inf']);
    expect(ids('-x').slice(0, 3)).toEqual(['inf', 'old', 'new']);
    expect(ids('-x')[4]).toBe(ids('x')[4]);
  });

  it('sorts attempts of a name by their number', () => {
    const attempts = [row('b', { number: 10 }), row('a', { number: 9 })];
    expect(order(attempts, ['name']).map(r => r.number)).toEqual([9, 10]);
  });
});

it('asks for falling numbers first, and turns around after that', () => {
  const loss = column('loss', 90, 3);
  expect(nextSort(['-started'], loss)).toEqual(['-loss']);
  expect(nextSort(['-loss'], loss)).toEqual(['loss']);
  expect(nextSort(['-started'], column('name', 90, 1))).toEqual(['name']);
});

it('adds a column to those that are sorted by, turns it around, takes it out again', () => {
  const loss = column('loss', 90, 3);
  const two = nextSort(['name'], loss, true);
  expect(two).toEqual(['name', '-loss']);
  expect(sortPlace(loss, two)).toBe(2);
  const turned = nextSort(two, loss, true);
  expect(turned).toEqual(['name', 'loss']);
  expect(nextSort(turned, loss, true)).toEqual(['name']);
  expect(nextSort(['-loss'], loss, true)).toEqual(['loss']);
});

it('sorts by the second column where the first is equal', () => {
  const cells = (a: number, b: number): IRow['cells'] => ({
    a: { text: '', value: a },
    b: { text: '', value: b }
  });
  const rows = [
    row('1', { cells: cells(1, 1) }),
    row('2', { cells: cells(1, 2) }),
    row('3', { cells: cells(0, 3) })
  ];
  expect(order(rows, ['-a', '-b']).map(r => r.id)).toEqual(['2', '1', '3']);
  expect(order(rows, ['a', 'b']).map(r => r.id)).toEqual(['3', '1', '2']);
});

it.each([
  [0.0123, '+0.012'],
  [-0.5, '−0.5'],
  [0, '±0'],
  [1234, '+1200'],
  [null, ''],
  [{ $float: 'nan' }, '']
])('reads a change of %j as %s', (delta, text) => {
  expect(deltaText(delta)).toBe(text);
});

describe('the headline column', () => {
  const judged = (key: string): ReturnType<typeof row> =>
    row(key, { headline: { key, value: 1, text: '1', delta: null, better: null } });
  const columns = [column('headline', 90, 1), column('metrics.acc', 90, 3)];

  it('stands for the metric that all runs are judged by', () => {
    const found = forRows(columns, [judged('acc'), row('x')]);
    expect(found.map(c => [c.key, c.title])).toEqual([['headline', 'acc']]);
    expect(sortOf(found[0] as IColumn, ['-metrics.acc'])).toBe('descending');
  });

  it('stands beside the metrics when there are several', () => {
    const found = forRows(columns, [judged('acc'), judged('loss')]);
    expect(found.map(c => c.title)).toEqual(['headline', 'metrics.acc']);
  });

  it('takes more room once a run has moved', () => {
    const headline = { key: 'acc', value: 1, text: '1', delta: 0.1, better: true };
    const [still] = forRows(columns, [judged('acc')]);
    const [moving] = forRows(columns, [row('x', { headline })]);
    expect(moving?.width).toBeGreaterThan(still?.width ?? Infinity);
  });
});
