import { describe, expect, it } from 'vitest';

import { lastLines, moment, patchKind, plainText, tagOf } from '../src/run/text';

describe('the text of a run', () => {
  it('has no colours, titles, carriage returns or other controls', () => {
    expect(plainText('\u001b[1;32mok\u001b[0m\u001b]0;title\u0007 \u001b[2K\rdone\u0000')).toBe(
      'ok \ndone'
    );
    expect(plainText('a\r\nb\tc')).toBe('a\nb\tc');
  });

  it('is kept to its last whole lines', () => {
    expect(lastLines('one\ntwo\nthree', 9)).toBe('three');
    expect(lastLines('one', 9)).toBe('one');
  });

  it('is a tag with or without a value', () => {
    expect(tagOf(' owner = ada=b ')).toEqual(['owner', 'ada=b']);
    expect(tagOf('baseline')).toEqual(['baseline', '']);
    expect(tagOf('  ')).toBeNull();
    expect(tagOf('=x')).toBeNull();
  });

  it('tells the lines of a patch apart', () => {
    const lines = ['diff --git a/x b/x', '+++ b/x', '@@ -1 +1 @@', '+new', '-old', ' same', ''];
    expect(lines.map(patchKind)).toEqual([
      'file',
      'place',
      'place',
      'added',
      'gone',
      'kept',
      'kept'
    ]);
  });

  it('says nothing of a moment that is none', () => {
    expect(moment(null)).toBe('');
    expect(moment(Number.NaN)).toBe('');
    expect(moment(1_795_000_000)).toContain('2026');
  });
});
