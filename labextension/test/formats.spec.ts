import { describe, expect, it } from 'vitest';

import {
  cellText,
  durationText,
  floatText,
  numberText,
  tagsText,
  valueText
} from '../src/formats';
import rules from './formats.json';

/** The other half of these tests is tests/test_packed.py, which reads the same file. */
describe('texts', () => {
  it.each(rules.number as [unknown, string][])('number %j', (value, text) => {
    expect(numberText(value)).toBe(text);
  });

  it.each(rules.value as [unknown, string][])('value %j', (value, text) => {
    expect(valueText(value)).toBe(text);
  });

  it.each(rules.duration as [number, string][])('duration %j', (value, text) => {
    expect(durationText(value)).toBe(text);
  });

  it('gives large whole floats an exponent', () => {
    expect(floatText(2_000_000)).toBe('2e+06');
    expect(floatText(300)).toBe('300');
    expect(cellText('metric', { $float: 'nan' })).toBe('nan');
  });

  it('shows bare tags by their name', () => {
    expect(tagsText({ baseline: '', stage: 'prod' })).toBe('baseline, stage=prod');
  });

  it('says nothing for nothing', () => {
    expect(cellText('param', null)).toBe('');
    expect(cellText('time', undefined)).toBe('');
  });
});
