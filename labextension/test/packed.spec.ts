import { describe, expect, it } from 'vitest';

import { params, textOf, unpack, valueOf } from '../src/packed';
import { order } from '../src/columns';
import { column } from './rows';

const columns = [
  { ...column('headline', 90, 1), kind: 'metric' as const },
  { ...column('params.depth', 90, 3), kind: 'param' as const },
  { ...column('duration', 90, 3), kind: 'duration' as const },
  { ...column('tags', 90, 3), kind: 'tags' as const }
];
const [first, second, third] = unpack(
  {
    ids: ['a', 'b', 'c'],
    fields: {
      name: { words: ['forest', 'tree'], of: [0, 1, 0] },
      number: [1, 2, 3],
      status: ['finished', 'running', 'failed'],
      experiment: ['x', 'x', 'x'],
      started: [10, 20, 30],
      ended: [12.5, null, 31],
      star: { at: [1], values: [true] },
      'error.type': { at: [2], values: ['ValueError'] },
      'error.message': { at: [2], values: ['bad'] }
    },
    headline: {
      key: ['acc', 'loss', null],
      value: [0.95314, { $float: 'nan' }, null],
      previous: { at: [0], values: [0.9] },
      leaning: { acc: 1, loss: -1 }
    },
    tags: { baseline: { at: [0], values: [''] } },
    cells: { 'params.depth': [3, { $float: '2000000.0' }, null] }
  },
  columns
);

describe('rows of packed columns', () => {
  it('are read like others', () => {
    expect([first?.name, first?.number, first?.star]).toEqual(['forest', 1, false]);
    expect(second?.star).toBe(true);
    expect(third?.error).toEqual({ type: 'ValueError', message: 'bad' });
    expect(first?.tags).toEqual({ baseline: '' });
    expect(first?.cells['params.depth']).toEqual({ text: '3', value: 3 });
    expect(second?.cells['params.depth']?.text).toBe('2e+06');
    expect(third?.cells['params.depth']).toBeUndefined();
  });

  it('say how the headline moved', () => {
    expect(first?.headline?.text).toBe('0.9531');
    expect(first?.headline?.delta).toBeCloseTo(0.05314);
    expect(first?.headline?.better).toBe(true);
    expect(second?.headline).toMatchObject({ key: 'loss', text: 'nan', delta: null });
    expect(third?.headline).toBeNull();
  });

  it('have text by the kind of the column', () => {
    if (!first || !second) {
      throw new Error('no rows');
    }
    expect(textOf(first, { key: 'duration', kind: 'duration' })).toBe('2.5 s');
    expect(textOf(second, { key: 'duration', kind: 'duration' })).toBe('');
    expect(textOf(first, { key: 'tags', kind: 'tags' })).toBe('baseline');
    expect(valueOf(first, 'tags.baseline')).toBe('');
    expect(params(first)).toEqual(['depth=3']);
  });

  it('are sorted by what is in them', () => {
    const rows = [first, second, third].filter(row => row !== undefined);
    expect(order(rows, ['-params.depth']).map(row => row.id)).toEqual(['b', 'a', 'c']);
    expect(order(rows, ['headline']).map(row => row.id)).toEqual(['a', 'c', 'b']);
  });
});
