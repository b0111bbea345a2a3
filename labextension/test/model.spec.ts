import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ApiError } from '../src/api';
import { BACKSTOP, RunsModel } from '../src/model';
import { LocalApi, reply, row } from './rows';

/** Lets every answer that is on its way arrive. */
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

let api: LocalApi;
let model: RunsModel;
const ids = (): string[] => model.state.rows.map(r => r.id);

beforeEach(() => {
  vi.useFakeTimers();
  api = new LocalApi();
  api.write('1', row('1', { started: 1 }), false);
  model = new RunsModel(api);
});

afterEach(() => {
  model.dispose();
  vi.useRealTimers();
});

async function show(): Promise<void> {
  model.setVisible(true);
  await settle();
}

describe('keeping current', () => {
  it('fetches all at first and only changes later', async () => {
    await show();
    api.write('2', row('2', { started: 2 }));
    await settle();
    expect(ids()).toEqual(['2', '1']);
    expect(api.asked).toEqual([null, 'a.1']);
  });

  it('catches up over a gap in the events', async () => {
    await show();
    api.write('2', row('2', { started: 2 }), false);
    api.write('1', null, false);
    api.write('3', row('3', { started: 3 }));
    await settle();
    expect(ids()).toEqual(['3', '2']);
  });

  it('fetches all again when the server was started anew', async () => {
    await show();
    api.restart();
    api.announce();
    await settle();
    expect(ids()).toEqual(['1']);
    expect(api.asked).toEqual([null, null]);
  });

  it('asks nothing for what it knows already, or for another store', async () => {
    await show();
    api.announce();
    api.found = {
      ...api.found,
      stores: [...api.found.stores, { id: 'x', path: '', name: '' }]
    };
    await model.refresh(true);
    const asked = api.asked.length;
    api.revisions.emit({ store: 'x', revision: 'a.5' });
    await settle();
    expect(api.asked).toHaveLength(asked);
  });

  it('asks nothing while hidden and catches up when shown', async () => {
    await show();
    model.setVisible(false);
    api.write('2', row('2', { started: 2 }));
    await vi.advanceTimersByTimeAsync(2 * BACKSTOP);
    expect(api.asked).toHaveLength(1);
    await show();
    expect(ids()).toEqual(['2', '1']);
  });

  it('looks by itself when events stay away', async () => {
    await show();
    api.write('2', row('2', { started: 2 }), false);
    await vi.advanceTimersByTimeAsync(BACKSTOP);
    expect(ids()).toEqual(['2', '1']);
  });

  it('asks one question for many events', async () => {
    await show();
    for (let n = 2; n < 50; n++) {
      api.write(String(n), row(String(n), { started: n }));
    }
    await settle();
    expect(ids()).toHaveLength(49);
    expect(api.asked.length).toBeLessThan(5);
  });

  it('finds a store that appears later', async () => {
    api.found = { stores: [], own: null, current: null };
    await show();
    expect(model.state.store).toBeNull();
    api.found = new LocalApi().found;
    api.announce();
    await settle();
    expect(ids()).toEqual(['1']);
  });
});

describe('troubles', () => {
  it('says that the server has no Trackbook', async () => {
    api.failure = new ApiError(404, 'Not Found');
    await show();
    expect(model.state.phase).toBe('absent');
  });

  it('keeps the runs when the server is away, and recovers', async () => {
    await show();
    api.failure = new ApiError(0, 'no answer');
    await model.refresh();
    expect([model.state.phase, ids()]).toEqual(['offline', ['1']]);
    api.failure = null;
    await vi.advanceTimersByTimeAsync(BACKSTOP);
    expect(model.state.phase).toBe('ready');
  });

  it('keeps the runs under a bad filter and shows the sentence', async () => {
    await show();
    api.failure = new ApiError(400, 'unknown name "metrix"');
    model.setWhere('metrix > 1');
    await settle();
    expect([model.state.whereError, ids()]).toEqual(['unknown name "metrix"', ['1']]);
    api.failure = null;
    model.setWhere('');
    await settle();
    expect(model.state.whereError).toBe('');
  });
});

describe('what the user chose', () => {
  it('forgets ticks of runs that are gone', async () => {
    await show();
    model.toggle('1');
    api.write('1', null);
    await settle();
    expect(model.state.selected.size).toBe(0);
  });

  it('keeps ticks of runs that only the filter hides', async () => {
    await show();
    model.toggle('1');
    api.runs = async () => reply('a.1', true, []);
    model.setWhere('metrics.acc > 0.9');
    await settle();
    expect([...model.state.selected]).toEqual(['1']);
  });

  it('keeps its sorting over changes', async () => {
    await show();
    model.setSort(['started']);
    api.write('2', row('2', { started: 2 }));
    await settle();
    expect(ids()).toEqual(['1', '2']);
  });
});

it('shows the rows it was given before the server answers, and where it never does', async () => {
  const { table } = reply('a.0', true, [row('9')]);
  const output = new RunsModel(api, { store: 'elsewhere', table });
  expect(output.state.rows.map(r => r.id)).toEqual(['9']);
  output.setVisible(true);
  await settle();
  expect(output.state.rows.map(r => r.id)).toEqual(['9']);
  expect(output.state.phase).toBe('ready');
  output.dispose();
});
