import { describe, expect, it } from 'vitest';

import type { ICoded } from '../src/runs/code';
import { pandasCode } from '../src/runs/code';
import { column } from './rows';

const plain: ICoded = {
  store: null,
  where: '',
  folder: '',
  shelf: 'runs',
  search: '',
  sort: ['-started'],
  group: null,
  columns: [column('name', 90, 1), { ...column('headline', 90, 1), kind: 'metric' }],
  headline: 'acc',
  selected: []
};

/** tests/browser/test_table.py runs such code in a kernel. */
describe('the code of a view', () => {
  it('asks, sorts and picks the columns', () => {
    const code = pandasCode({ ...plain, where: 'status == "failed"', sort: ['-headline'] });
    expect(code).toContain('tb.runs("status == \\"failed\\"").to_pandas()');
    expect(code).toContain('sort_values(["metrics.acc"], ascending=[False])');
    expect(code).toContain('reindex(columns=["name", "number", "metrics.acc"])');
  });

  it('names the runs that are ticked, else the words that are looked for', () => {
    expect(pandasCode({ ...plain, selected: ['a', 'b'] })).toContain('isin(["a", "b"])');
    expect(pandasCode({ ...plain, search: 'Deep net' })).toContain('str.contains("deep"');
  });

  it('names a folder, the archive and another store', () => {
    const code = pandasCode({ ...plain, folder: 'a/b', shelf: 'archived', store: '~/x' });
    expect(code).toContain('tb.open_store("~/x").runs("archived", archived=True)');
    expect(code).toContain('str.startswith("a/b" + "/")');
  });

  it('groups with mean, spread and number', () => {
    const code = pandasCode({ ...plain, group: 'params.depth' });
    expect(code).toContain('groupby(["params.depth"], dropna=False)[["metrics.acc"]]');
    expect(pandasCode({ ...plain, group: 'twin' })).toContain('re.search');
  });
});
