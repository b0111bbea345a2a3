import { describe, expect, it } from 'vitest';

import { moved } from '../src/strip/keys';
import { trackLine, trackName } from '../src/strip/track';

describe('trackName', () => {
  it.each([
    ['%%track forest\nx = 1', 'forest'],
    ['%%track forest -p a=1 -t baseline', 'forest'],
    ['%%track -e study -p a=1 forest --quiet', 'forest'],
    ['%%track "two words"', 'two words'],
    ['%%time\n%%track forest', 'forest'],
    ['%%track\nx = 1', null],
    ['%%track --quiet', null],
    ['x = 1\n%%track forest', null],
    ['%%tracked forest', null],
    ['', null]
  ])('of %j is %j', (source, name) => {
    expect(trackName(source)).toBe(name);
  });
});

describe('trackLine', () => {
  it('is where the line stands', () => {
    const source = '%%time\n%%track forest\nx = 1';
    const place = trackLine(source);
    expect(place && source.slice(place.start, place.end)).toBe('%%track forest');
  });
});

describe('moved', () => {
  it('stays among the dots', () => {
    expect(moved('ArrowLeft', 0, 3)).toBe(0);
    expect(moved('ArrowRight', 1, 3)).toBe(2);
    expect(moved('End', 0, 3)).toBe(2);
    expect(moved('a', 1, 3)).toBeNull();
  });
});
