import { describe, expect, it } from 'vitest';

import type { IHeld } from '../src/revision';
import { NOTHING, judge, merge } from '../src/revision';
import { reply, row } from './rows';

describe('judge', () => {
  it.each([
    [null, 'a.1', 'all'],
    ['a.1', 'a.1', 'known'],
    ['a.2', 'a.1', 'known'],
    ['a.1', 'a.2', 'changes'],
    ['a.1', 'a.9', 'changes'],
    ['a.9', 'b.1', 'all'],
    ['a.9', 'nonsense', 'all']
  ])('%s, then %s, means %s', (held, announced, news) => {
    expect(judge(held, announced)).toBe(news);
  });
});

describe('merge', () => {
  const held: IHeld = { revision: 'a.1', columns: [], others: [], rows: [row('1'), row('2')] };

  it('takes a full reply as it is', () => {
    expect(merge(held, reply('b.7', true, [row('3')]))?.rows.map(r => r.id)).toEqual(['3']);
  });

  it('replaces, adds and removes by id', () => {
    const changes = reply('a.2', false, [row('2', { status: 'failed' }), row('3')], ['1']);
    const merged = merge(held, changes);
    expect(merged?.rows.map(r => [r.id, r.status])).toEqual([
      ['2', 'failed'],
      ['3', 'finished']
    ]);
    expect(merged?.revision).toBe('a.2');
  });

  it('leaves the rows it is given alone', () => {
    merge(held, reply('a.2', false, [row('2', { status: 'failed' })], ['1']));
    expect(held.rows.map(r => r.status)).toEqual(['finished', 'finished']);
  });

  it.each([
    ['another start of the server', held, 'b.2'],
    ['changes to nothing', NOTHING, 'a.2']
  ])('refuses %s', (_, before, revision) => {
    expect(merge(before, reply(revision, false, []))).toBeNull();
  });
});
