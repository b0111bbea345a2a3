import { describe, expect, it, vi } from 'vitest';

import { brushed, passing } from '../src/compare/brushing';
import { Latest } from '../src/compare/latest';
import { Crosshair } from '../src/compare/shared';
import { atStep, stepsOf } from '../src/compare/steps';
import { FIRST, curveOptions, readView, toggleLog } from '../src/compare/view';

describe('a kept view', () => {
  it('comes back as it was', () => {
    const view = {
      curves: { x: 'time', smoothing: 0.6, log: 'y' },
      baseline: 'r1',
      relations: [{ id: 1, kind: 'scatter', key: 'metrics.acc', options: { x: 'params.lr' } }],
      hidden: ['lr']
    };
    expect(readView(JSON.parse(JSON.stringify(view)))).toEqual(view);
  });

  it.each([undefined, null, 3, 'x', [], { curves: 5, relations: {}, hidden: 'x' }])(
    'that is %j is the first one',
    kept => {
      expect(readView(kept)).toEqual(FIRST);
    }
  );

  it('loses what cannot be, and keeps the rest', () => {
    const relations = [{ id: 1, kind: 'pie', key: 'm', options: {} }, null];
    const kept = { curves: { x: 'time', smoothing: 7, log: 'z' }, relations, hidden: [1, 'a'] };
    expect(readView(kept)).toEqual({
      ...FIRST,
      curves: { x: 'time', smoothing: 0, log: '' },
      hidden: ['a']
    });
  });
});

describe('options of curves', () => {
  it('leave out what is as always', () => {
    expect(curveOptions(FIRST.curves, null)).toEqual({});
    expect(curveOptions({ x: 'time', smoothing: 0.5, log: 'y' }, [1, 2])).toEqual({
      x: 'time',
      smoothing: 0.5,
      log: 'y',
      within: [1, 2]
    });
  });

  it('have log scales by axis', () => {
    expect(toggleLog('', 'y')).toBe('y');
    expect(toggleLog('y', 'x')).toBe('xy');
    expect(toggleLog('xy', 'y')).toBe('x');
  });
});

describe('brushes', () => {
  const rows = [
    { run: 'a', axis: 'lr', place: 0.1 },
    { run: 'a', axis: 'acc', place: 0.9 },
    { run: 'b', axis: 'lr', place: 0.8 },
    { run: 'b', axis: 'acc', place: 0.95 },
    { run: 'c', axis: 'acc', place: 0.99 }
  ];

  it('let the runs through that pass all of them', () => {
    expect(passing(rows, {})).toBeNull();
    expect(passing(rows, { acc: [0.92, 1] })).toEqual(['b', 'c']);
    expect(passing(rows, { acc: [0.92, 1], lr: [0, 1] })).toEqual(['b']);
  });

  it('go away with a click', () => {
    const one = brushed({}, 'lr', 0.9, 0.2);
    expect(one).toEqual({ lr: [0.2, 0.9] });
    expect(brushed(one, 'lr', 0.5, 0.505)).toEqual({});
  });
});

describe('images', () => {
  const image = { name: 'sample', steps: [[0, 10], null, [5], [null]] };

  it('have the steps of all runs', () => {
    expect(stepsOf(image)).toEqual([0, 5, 10]);
  });

  it('stay at the last step that a run has by then', () => {
    expect(image.steps.map(steps => atStep(steps, 7))).toEqual([0, undefined, 5, null]);
    expect(atStep([5], 1)).toBeUndefined();
  });
});

describe('questions', () => {
  it('are asked one at a time, the last of those that wait', async () => {
    const latest = new Latest<string>();
    const told: string[] = [];
    const asked: string[] = [];
    let answer: () => void = () => undefined;
    const put = (key: string): void =>
      latest.put({
        key,
        ask: () => {
          asked.push(key);
          return new Promise(resolve => (answer = () => resolve(key)));
        },
        done: text => told.push(text),
        failed: () => told.push('failed')
      });
    put('a');
    put('b');
    put('c');
    answer();
    await vi.waitFor(() => expect(asked).toEqual(['a', 'c']));
    answer();
    await vi.waitFor(() => expect(told).toEqual(['c']));
  });

  it('asked anew while under way are answered both times', async () => {
    const latest = new Latest<number>();
    const told: number[] = [];
    let count = 0;
    const question = {
      key: 'same',
      ask: async () => ++count,
      done: (answer: number) => told.push(answer),
      failed: () => undefined
    };
    latest.put(question);
    latest.put(question);
    await vi.waitFor(() => expect(told).toEqual([1, 2]));
  });

  it('that were stopped go nowhere', async () => {
    const latest = new Latest<number>();
    const done = vi.fn();
    latest.put({ key: 'k', ask: async () => 1, done, failed: done });
    latest.stop();
    const later = vi.fn();
    latest.put({ key: 'k', ask: async () => 2, done: later, failed: later });
    await vi.waitFor(() => expect(later).toHaveBeenCalledWith(2));
    expect(done).not.toHaveBeenCalled();
  });
});

describe('the crosshair', () => {
  it('tells only when it moves', () => {
    const crosshair = new Crosshair();
    const listener = vi.fn();
    const leave = crosshair.subscribe(listener);
    crosshair.set(5);
    crosshair.set(5);
    expect(listener).toHaveBeenCalledTimes(1);
    leave();
    crosshair.set(null);
    expect(listener).toHaveBeenCalledTimes(1);
  });
});
