/** Runs that came column by column, as rows whose cells are made when somebody looks. */

import type { IColumn, IHeadline, ICell, IRow } from './api';
import { cellText, floatText, numberIn, valueText } from './formats';

/** A column as `views.packed.column` writes it. */
export type Packed =
  | readonly unknown[]
  | { words: readonly string[]; of: readonly number[] }
  | { at: readonly number[]; values: readonly unknown[] };

type PackedTree = Readonly<Record<string, Packed | undefined>>;

/** Runs column by column. */
export interface IPacked {
  ids: readonly string[];
  fields: PackedTree;
  headline: {
    key?: Packed;
    value?: Packed;
    previous?: Packed;
    /** 1 where more is better, -1 where less is, 0 where nobody knows. */
    leaning: Readonly<Record<string, number>>;
  };
  tags: PackedTree;
  cells: PackedTree;
}

/** What a packed column has at a place, undefined for nothing. */
type Getter = (place: number) => unknown;

const NOTHING: Getter = () => undefined;

function getter(column: Packed | undefined): Getter {
  if (column === undefined) {
    return NOTHING;
  }
  if (Array.isArray(column)) {
    const values = column as readonly unknown[];
    return place => values[place] ?? undefined;
  }
  if ('words' in column) {
    return place => column.words[column.of[place] ?? -1];
  }
  const { at, values } = column as { at: readonly number[]; values: readonly unknown[] };
  const there = new Map(at.map((place, index) => [place, values[index]]));
  return place => there.get(place);
}

function getters(tree: PackedTree): Map<string, Getter> {
  return new Map(Object.entries(tree).map(([key, column]) => [key, getter(column)]));
}

/** What the rows of one answer share. */
class Source {
  constructor(packed: IPacked, kinds: ReadonlyMap<string, IColumn['kind']>) {
    this.ids = packed.ids;
    this.fields = getters(packed.fields);
    this.tags = getters(packed.tags);
    this.cells = getters(packed.cells);
    this.kinds = kinds;
    this.key = getter(packed.headline.key);
    this.value = getter(packed.headline.value);
    this.previous = getter(packed.headline.previous);
    this.leaning = packed.headline.leaning;
  }

  field(name: string, place: number): unknown {
    return (this.fields.get(name) ?? NOTHING)(place);
  }

  readonly ids: readonly string[];
  readonly fields: Map<string, Getter>;
  readonly tags: Map<string, Getter>;
  readonly cells: Map<string, Getter>;
  readonly kinds: ReadonlyMap<string, IColumn['kind']>;
  readonly key: Getter;
  readonly value: Getter;
  readonly previous: Getter;
  readonly leaning: Readonly<Record<string, number>>;
}

/** The rows of packed runs. */
export function unpack(packed: IPacked, columns: readonly IColumn[]): IRow[] {
  const kinds = new Map(columns.map(column => [column.key, column.kind]));
  const source = new Source(packed, kinds);
  return packed.ids.map((id, place) => new PackedRow(id, source, place));
}

class PackedRow implements IRow {
  readonly name: string;
  readonly number: number | null;
  readonly status: string;
  readonly experiment: string;
  readonly started: number;
  readonly ended: number | null;

  constructor(
    readonly id: string,
    private readonly _source: Source,
    private readonly _place: number
  ) {
    const of = (name: string): unknown => _source.field(name, _place);
    this.name = String(of('name') ?? '');
    this.number = (of('number') as number | undefined) ?? null;
    this.status = String(of('status') ?? '');
    this.experiment = String(of('experiment') ?? '');
    this.started = (of('started') as number | undefined) ?? 0;
    this.ended = (of('ended') as number | undefined) ?? null;
  }

  get star(): boolean {
    return this._of('star') === true;
  }

  get archived(): boolean {
    return this._of('archived') === true;
  }

  get note(): string {
    return String(this._of('note') ?? '');
  }

  get notebook(): string | null {
    return (this._of('notebook.path') as string | undefined) ?? null;
  }

  get cell(): string | null {
    return (this._of('cell.id') as string | undefined) ?? null;
  }

  get death(): string | null {
    return (this._of('death.cause') as string | undefined) ?? null;
  }

  get error(): { type: string; message: string } | null {
    const type = this._of('error.type');
    return type === undefined
      ? null
      : { type: String(type), message: String(this._of('error.message') ?? '') };
  }

  get tags(): Record<string, unknown> {
    const found: Record<string, unknown> = {};
    this._source.tags.forEach((get, key) => {
      const value = get(this._place);
      if (value !== undefined) {
        found[key] = value;
      }
    });
    return found;
  }

  get headline(): IHeadline | null {
    this._headline ??= { found: this._makeHeadline() };
    return this._headline.found;
  }

  get cells(): Record<string, ICell | undefined> {
    this._cells ??= this._makeCells();
    return this._cells;
  }

  /** The value of a cell, without making all of them. */
  value(key: string): unknown {
    const { _source: source, _place: place } = this;
    if (key.startsWith('tags.')) {
      return source.tags.get(key.slice(5))?.(place);
    }
    const own = source.cells.get(key);
    return own ? own(place) : this._told(key);
  }

  keys(): string[] {
    return [...this._source.cells.keys()];
  }

  private _told(key: string): unknown {
    switch (key) {
      case 'headline':
        return this.headline?.value;
      case 'duration':
        return this.ended === null ? undefined : Math.max(0, this.ended - this.started);
      case 'tags':
        return this.tags;
      case 'damage':
        return this.error?.type === 'Damaged'
          ? this.error.message.replace('run.json cannot be read: ', '')
          : undefined;
      default:
        return this._of(key);
    }
  }

  private _makeCells(): Record<string, ICell | undefined> {
    const cells: Record<string, ICell | undefined> = {};
    this._source.kinds.forEach((kind, key) => {
      const value = this.value(key);
      if (value !== undefined) {
        const text = key === 'headline' ? (this.headline?.text ?? '') : cellText(kind, value);
        cells[key] = { text, value };
      }
    });
    return cells;
  }

  private _makeHeadline(): IHeadline | null {
    const { _source: source, _place: place } = this;
    const key = source.key(place) as string | undefined;
    if (key === undefined) {
      return null;
    }
    const value = source.value(place) ?? null;
    const now = numberIn(value);
    const before = numberIn(source.previous(place));
    const change = now === null || before === null ? null : now - before;
    const delta = change !== null && Number.isFinite(change) ? change : null;
    const leaning = source.leaning[key] ?? 0;
    const better = delta && leaning ? delta * leaning > 0 : null;
    return { key, value, text: now === null ? '' : floatText(now), delta, better };
  }

  private _of(name: string): unknown {
    return this._source.field(name, this._place);
  }

  private _headline: { found: IHeadline | null } | null = null;
  private _cells: Record<string, ICell | undefined> | null = null;
}

/** The value of a run in a column; undefined for nothing. */
export function valueOf(row: IRow, key: string): unknown {
  if (row instanceof PackedRow) {
    return row.value(key);
  }
  switch (key) {
    case 'experiment':
    case 'started':
    case 'status':
    case 'note':
      return row[key];
    case 'headline':
      return row.headline?.value;
    default:
      return key.startsWith('tags.')
        ? row.tags?.[key.slice(5)]
        : (row.cells[key]?.value ?? undefined);
  }
}

/** The text of a run in a column; empty for nothing. */
export function textOf(row: IRow, column: Pick<IColumn, 'key' | 'kind'>): string {
  return row instanceof PackedRow
    ? cellText(column.kind, row.value(column.key))
    : (row.cells[column.key]?.text ?? cellText(column.kind, valueOf(row, column.key)));
}

/** `depth=3` for each param of a run that we hold. */
export function params(row: IRow): string[] {
  const keys = row instanceof PackedRow ? row.keys() : Object.keys(row.cells);
  return keys
    .filter(key => key.startsWith('params.'))
    .map(key => [key.slice(7), valueOf(row, key)])
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${typeof value === 'object' ? valueText(value) : value}`);
}
