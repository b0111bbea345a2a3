import { describe, expect, it } from 'vitest';

import type { IColumn } from '../src/api';
import { inSight, lay, pinnedAt, windowed } from '../src/runs/layout';
import type { IView } from '../src/runs/view';
import {
  PLAIN_VIEW,
  chosen,
  isPlain,
  moved,
  needed,
  pinToggled,
  readView,
  toggled
} from '../src/runs/view';
import { column } from './rows';

const columns = [column('name', 150, 1), column('loss', 90, 3), column('acc', 90, 3)];
const others = [column('params.seed', 80, 5)];
const keys = (found: readonly IColumn[]): string[] => found.map(one => one.key);

describe('a kept arrangement', () => {
  it('comes back as it was', () => {
    const view: IView = {
      columns: ['acc', 'name'],
      pinned: [],
      widths: { acc: 120 },
      sort: ['-acc', 'name'],
      group: 'params.seed'
    };
    expect(readView(JSON.parse(JSON.stringify(view)))).toEqual(view);
  });

  it.each([[null], ['x'], [{ columns: [1], sort: 'x', widths: [NaN], group: 3 }]])(
    'that cannot be read is the plain one: %j',
    kept => {
      expect(readView(kept)).toEqual(PLAIN_VIEW);
    }
  );

  it('has no width that hides a column', () => {
    expect(readView({ widths: { acc: 1, loss: 1e9 } }).widths).toEqual({ acc: 48, loss: 800 });
  });
});

describe('choosing columns', () => {
  it('shows what differs until somebody chooses, in the order that is chosen', () => {
    expect(keys(chosen(PLAIN_VIEW, columns, others))).toEqual(['name', 'loss', 'acc']);
    const more = toggled(PLAIN_VIEW, columns, 'params.seed');
    expect(keys(chosen(more, columns, others))).toEqual(['name', 'loss', 'acc', 'params.seed']);
    const first = moved(more, chosen(more, columns, others), 'acc', -1);
    expect(keys(chosen(first, columns, others))).toEqual([
      'name',
      'acc',
      'loss',
      'params.seed'
    ]);
    expect(toggled(first, chosen(first, columns, others), 'loss').columns).not.toContain(
      'loss'
    );
  });

  it('leaves out what no run has any more', () => {
    expect(keys(chosen({ ...PLAIN_VIEW, columns: ['gone', 'acc'] }, columns, others))).toEqual([
      'acc'
    ]);
  });

  it('puts pinned columns first', () => {
    const view = pinToggled(PLAIN_VIEW, 'acc');
    expect(keys(chosen(view, columns, others))).toEqual(['name', 'acc', 'loss']);
    expect(isPlain(view)).toBe(false);
    expect(isPlain(pinToggled(view, 'acc'))).toBe(true);
  });

  it('asks the server for what is not shown at first', () => {
    const view = { ...PLAIN_VIEW, columns: ['name', 'params.a'], group: 'twin' };
    expect(needed({ ...view, sort: ['-metrics.b'] })).toEqual([
      'params.a',
      'metrics.b',
      'twin'
    ]);
    expect(needed(PLAIN_VIEW)).toEqual([]);
  });
});

describe('the layout', () => {
  const many = [
    column('name', 150, 1),
    ...Array.from({ length: 500 }, (_, n) => column(`c${n}`, 100, 3))
  ];

  it('draws only the columns that are in sight, in a row as wide as all', () => {
    const laid = lay(PLAIN_VIEW, many, [], [], 1000);
    const [from, to] = inSight(laid, 10_000, 1000);
    expect(to - from).toBeLessThan(20);
    expect(from).toBeGreaterThan(90);
    const shown = windowed(laid, from, to);
    expect(keys(shown.columns)[0]).toBe('name');
    const sum = shown.template.split(' ').reduce((all, px) => all + parseFloat(px), 0);
    expect(sum).toBe(laid.width);
    expect(pinnedAt(laid)).toEqual([26]);
  });

  it('gives what is left over to the name', () => {
    const laid = lay(PLAIN_VIEW, columns, [], [], 1000);
    expect(laid.width).toBe(1000);
    expect(laid.pinned[0]?.width).toBe(1000 - 26 - 180);
  });

  it('lets a narrow table scroll once somebody chose its columns', () => {
    const plain = lay(PLAIN_VIEW, columns, [], [], 280);
    expect(plain.width).toBe(280);
    expect(plain.hidden).toBeGreaterThan(0);
    const view = { ...PLAIN_VIEW, columns: keys(columns).concat('params.seed') };
    const wide = lay(view, columns, others, [], 280);
    expect(wide.hidden).toBe(0);
    expect(wide.width).toBeGreaterThan(280);
  });
});
