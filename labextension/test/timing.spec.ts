import { describe, expect, it } from 'vitest';

import { Clock, spent, worthTelling } from '../src/notebook/timing';

describe('Clock', () => {
  it('counts from when the cell ahead has ended', () => {
    const clock = new Clock();
    const notebook = {};
    clock.scheduled(notebook, 'a', 0);
    clock.scheduled(notebook, 'b', 0);
    expect(clock.ended(notebook, 'a', 30_000)).toBe(30);
    expect(clock.ended(notebook, 'b', 31_000)).toBe(1);
    expect(clock.ended(notebook, 'never scheduled', 40_000)).toBe(0);
    expect(clock.ended({}, 'b', 50_000)).toBe(0);
  });
});

describe('worthTelling', () => {
  it('is from the chosen time on, and never for 0', () => {
    expect(worthTelling({ after: 30, system: false }, 30)).toBe(true);
    expect(worthTelling({ after: 30, system: false }, 29.9)).toBe(false);
    expect(worthTelling({ after: 0, system: false }, 1e6)).toBe(false);
  });
});

describe('spent', () => {
  it.each([
    [42.4, '42 s'],
    [59.6, '1 min 00 s'],
    [185, '3 min 05 s'],
    [7800, '2 h 10 min']
  ])('of %d s', (seconds, text) => {
    expect(spent(seconds)).toBe(text);
  });
});
