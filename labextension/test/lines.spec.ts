import { describe, expect, it } from 'vitest';

import {
  extent,
  linesOf,
  nearest,
  numberText,
  readings,
  rowsOf,
  snap,
  step,
  xText,
  zoomed
} from '../src/compare/lines';

const columns = {
  run: ['a', 'a', 'a', 'b', 'b'],
  x: [0, 20, 10, 5, 30],
  value: [1, null, 3, 4, 5],
  odd: [null, 'nan', null, null, null]
};

describe('lines', () => {
  const lines = linesOf(columns);

  it('are one a run, sorted by x, with what is not finite by name', () => {
    expect(lines.map(line => line.run)).toEqual(['a', 'b']);
    expect([...(lines[0]?.x ?? [])]).toEqual([0, 10, 20]);
    expect([...(lines[0]?.value ?? [])]).toEqual([1, 3, NaN]);
    expect(lines[0]?.odd).toEqual(new Map([[2, 'nan']]));
    expect(lines[0]?.smooth).toBeNull();
  });

  it('are none without columns', () => {
    expect(linesOf({})).toEqual([]);
    expect(rowsOf({})).toEqual([]);
    expect(extent([])).toBeNull();
    expect(snap([], 3)).toBeNull();
  });

  it('become rows for Vega', () => {
    expect(rowsOf(columns)[1]).toEqual({ run: 'a', x: 20, value: null, odd: 'nan' });
  });

  it('are read at their nearest point, only as far as they reach', () => {
    expect(readings(lines, 20)).toEqual([
      { run: 'a', x: 20, odd: 'nan', value: NaN, smooth: null },
      { run: 'b', x: 30, odd: null, value: 5, smooth: null }
    ]);
    expect(readings(lines, 25).map(reading => reading.run)).toEqual(['b']);
  });

  it('are snapped to and walked along', () => {
    expect(snap(lines, 6.5)).toBe(5);
    expect(step(lines, -Infinity, 1)).toBe(0);
    expect(step(lines, 5, 1)).toBe(10);
    expect(step(lines, 5, -1)).toBe(0);
    expect(step(lines, 30, 1)).toBeNull();
    expect(extent(lines)).toEqual([0, 30]);
  });
});

describe('the nearest point', () => {
  const x = Float64Array.from([0, 1, 1, 4]);
  it.each([
    [-5, 0],
    [0.4, 0],
    [0.6, 1],
    [2.6, 3],
    [99, 3]
  ])('of %d is number %d', (wanted, place) => {
    expect(nearest(x, wanted)).toBe(place);
  });

  it('is none where there are none', () => {
    expect(nearest(new Float64Array(), 1)).toBe(-1);
  });
});

describe('zooming', () => {
  it('keeps what is under the pointer in its place', () => {
    expect(zoomed([0, 100], 25, 0.5, [0, 100])).toEqual([12.5, 62.5]);
  });

  it('never goes beyond what there is; all of it is no part', () => {
    expect(zoomed([10, 50], 20, 1.5, [0, 60])).toEqual([5, 60]);
    expect(zoomed([10, 50], 20, 9, [0, 60])).toBeNull();
  });
});

describe('numbers', () => {
  it.each([
    [0.123456, '0.1235'],
    [12, '12'],
    [1234.56, '1235'],
    [0.5, '0.5'],
    [1.2e-5, '1.2e-05'],
    [123456.7, '1.235e+05'],
    [-0.000031459, '-3.146e-05'],
    [999999, '999999'],
    [NaN, 'nan'],
    [-Infinity, '-inf']
  ])('%d reads %s, as Python writes it', (value, text) => {
    expect(numberText(value)).toBe(text);
  });

  it('are steps, durations or values on x', () => {
    expect(xText(12345, 'step')).toBe('12,345');
    expect(xText(42.25, 'relative')).toBe('42.25 s');
    expect(xText(192, 'relative')).toBe('3 min 12 s');
    expect(xText(7500, 'relative')).toBe('2 h 05 min');
    expect(xText(0.123456, 'loss')).toBe('0.1235');
  });
});
