import type { View } from 'vega';
import { loader } from 'vega';
import { describe, expect, it } from 'vitest';

import { LIVE_DATA, liveValues, prepare, refusingLoader, shape } from '../src/spec';

const spec = { mark: 'line', data: { values: [{ x: 1 }] }, usermeta: { embedOptions: {} } };

describe('the loader', () => {
  it('has everything that Vega may call', () => {
    const needed = Object.keys(loader()).filter(
      key => key !== 'fileAccess' && key !== 'options'
    );
    expect(Object.keys(refusingLoader).sort()).toEqual(needed.sort());
  });

  it.each(['https://example.org/x.csv', 'data.csv', 'file:///etc/passwd', 'data:,x', ''])(
    'refuses %s by every way',
    async address => {
      for (const way of Object.values(refusingLoader)) {
        await expect(way(address)).rejects.toThrow('load nothing');
      }
    }
  );

  it('keeps a real Vega view from loading', async () => {
    const vega = await import('vega');
    const warnings: unknown[] = [];
    const runtime = vega.parse({ data: [{ name: 'd', url: 'https://example.org/x.json' }] });
    const view: View = new vega.View(runtime, { loader: refusingLoader as never });
    view.logger({
      ...vega.logger(vega.None),
      warn: (...said) => (warnings.push(...said), view) as never
    });
    await view.runAsync();
    expect(view.data('d')).toEqual([]);
    expect(JSON.stringify(warnings)).toContain('example.org');
    view.finalize();
  });
});

describe('a specification', () => {
  it('loses its wishes for the embedder', () => {
    expect(prepare(spec)).not.toHaveProperty('usermeta');
  });

  it('gets a name for its live rows', () => {
    expect(prepare(spec).data).toEqual({ name: LIVE_DATA, values: [{ x: 1 }] });
    expect(liveValues({ data: { url: 'x' } })).toBeNull();
    expect(prepare({ mark: 'line', data: { url: 'x' } }).data).toEqual({ url: 'x' });
  });

  it('keeps its shape while only rows change', () => {
    const more = { ...spec, data: { values: [{ x: 1 }, { x: 2 }] } };
    expect(shape(more)).toBe(shape(spec));
    expect(shape({ ...spec, mark: 'bar' })).not.toBe(shape(spec));
    expect(shape({ datasets: { a: [1] } })).not.toBe(shape({ datasets: { a: [2] } }));
  });
});
