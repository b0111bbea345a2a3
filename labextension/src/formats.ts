/** How values read: the rules of Python's `formats`, held to the same texts by a test. */

import type { ColumnKind } from './api';

const MINUS = '\u2212';
const LONGEST = 60;
const WHOLE = 1e6;

/** The number in a value, also in one that JSON cannot say; null for anything else. */
export function numberIn(value: unknown): number | null {
  if (typeof value === 'number') {
    return value;
  }
  if (typeof value === 'boolean') {
    return Number(value);
  }
  const told = special(value, '$float') ?? special(value, '$int');
  return told === null ? null : toNumber(told);
}

function toNumber(text: string): number {
  const plain = text.replace('inf', 'Infinity');
  return Number(plain);
}

function special(value: unknown, kind: '$float' | '$int'): string | null {
  if (typeof value !== 'object' || value === null || !(kind in value)) {
    return null;
  }
  const told = (value as Record<string, unknown>)[kind];
  return typeof told === 'string' ? told : null;
}

/** Four significant digits, integers whole: `0.9531`, `12`, `1.2e-05`, `nan`. */
export function numberText(value: unknown): string {
  const float = special(value, '$float');
  if (float !== null) {
    return floatText(toNumber(float));
  }
  const int = special(value, '$int');
  if (int !== null) {
    return digits(toNumber(int));
  }
  if (typeof value !== 'number') {
    return valueText(value);
  }
  if (Number.isInteger(value)) {
    return Math.abs(value) < 1e15 ? String(value === 0 ? 0 : value) : digits(value);
  }
  return digits(value);
}

/** A number that is a float for certain, such as a metric's: large whole ones get an exponent. */
export function floatText(value: number): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  }
  return Number.isInteger(value) && Math.abs(value) < WHOLE
    ? String(value === 0 ? 0 : value)
    : digits(value);
}

/** `%.4g`: halves that are exact go to the even digit, as in Python. */
function digits(value: number): string {
  const size = Math.abs(value);
  let [mantissa = '', exponent = '0'] = size.toExponential(3).split('e');
  const exact = size.toExponential(40);
  if (/^\d\.\d\d[02468]50*e/.test(exact)) {
    mantissa = exact.slice(0, 5);
    exponent = exact.split('e')[1] ?? '0';
  }
  const power = Number(exponent);
  const sign = value < 0 ? '-' : '';
  if (power < -4 || power >= 4) {
    const shown = String(Math.abs(power)).padStart(2, '0');
    return `${sign}${stripped(mantissa)}e${power < 0 ? '-' : '+'}${shown}`;
  }
  return sign + stripped(Number(`${mantissa}e${power}`).toFixed(Math.max(0, 3 - power)));
}

function stripped(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** `0.42 s`, `12 s`, `3 min 05 s`, `2 h 10 min`; empty for nothing. */
export function durationText(value: unknown): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    return '';
  }
  if (value < 10) {
    return value < 0.01 ? '<0.01 s' : `${stripped(twoDigits(value))} s`;
  }
  if (even(value) < 60) {
    return `${even(value)} s`;
  }
  const whole = even(value);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) {
    return `${minutes} min ${String(whole % 60).padStart(2, '0')} s`;
  }
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

function twoDigits(value: number): string {
  const text = value.toPrecision(2);
  return text.includes('e') ? String(Number(text)) : text;
}

function even(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}

/** `2026-11-21 14:05` in the reader's time; empty for nothing. */
export function timeText(value: unknown): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    return '';
  }
  const moment = new Date(value * 1000);
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = [moment.getFullYear(), two(moment.getMonth() + 1), two(moment.getDate())];
  return `${day.join('-')} ${two(moment.getHours())}:${two(moment.getMinutes())}`;
}

/** Any plain value as one short line. */
export function valueText(value: unknown, limit = LONGEST): string {
  if (value === null || value === undefined) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  if (numberIn(value) !== null) {
    return numberText(value);
  }
  const whole = typeof value === 'string' ? value : compact(value as object);
  const text = whole.split(/\s+/).filter(Boolean).join(' ');
  const letters = text.length > limit ? [...text] : [];
  return letters.length > limit ? `${letters.slice(0, limit - 1).join('')}…` : text;
}

function compact(value: object): string {
  if (Array.isArray(value)) {
    return `[${value.map(one => valueText(one)).join(', ')}]`;
  }
  const own = value as Record<string, unknown>;
  const pairs = Array.isArray(own.$dict) ? (own.$dict as [string, unknown][]) : null;
  const shown = (pairs ?? Object.entries(own)).map(([key, one]) => `${key}: ${valueText(one)}`);
  return `{${shown.join(', ')}}`;
}

/** `baseline, stage=prod`. */
export function tagsText(tags: Readonly<Record<string, unknown>>): string {
  return Object.entries(tags)
    .map(([key, value]) => (value === '' ? key : `${key}=${valueText(value)}`))
    .join(', ');
}

/** The text of a cell from its value and the kind of its column; empty for nothing. */
export function cellText(kind: ColumnKind, value: unknown): string {
  if (value === null || value === undefined) {
    return '';
  }
  switch (kind) {
    case 'time':
      return timeText(value);
    case 'duration':
      return durationText(value);
    case 'metric':
      return floatText(numberIn(value) ?? NaN);
    case 'tags':
      return tagsText(value as Record<string, unknown>);
    default:
      return valueText(value);
  }
}

/** A number with two significant digits, for a spread. */
export function roughText(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(2))) : '';
}

/** `+0.012`, `−0.5`, `±0`; empty where there is no change to speak of. */
export function deltaText(delta: unknown): string {
  if (typeof delta !== 'number' || !Number.isFinite(delta)) {
    return '';
  }
  if (delta === 0) {
    return '±0';
  }
  return (delta > 0 ? '+' : MINUS) + roughText(Math.abs(delta));
}
