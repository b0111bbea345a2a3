/** A field of a run edited in its row: Enter keeps, Escape leaves it as it was. */

import React, { useEffect, useRef, useState } from 'react';

import type { IRow } from '../api';
import { useTrans } from '../locale';
import type { RunsModel } from '../model';
import type { IEditing } from '../state';
import { labelOf } from './row';
import { editable, tagsChange } from './tags';

/** The run, which of its fields, and where its row is. */
export interface IEditorProps {
  model: RunsModel;
  row: IRow;
  field: IEditing['field'];
  top: number;
  /** Called at the end; the table takes the focus back. */
  onDone: () => void;
}

/** The field over its row. */
export function Editor({ model, row, field, top, onDone }: IEditorProps): React.JSX.Element {
  const trans = useTrans();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(() => textOf(row, field));
  const over = useRef(false);
  useEffect(() => input.current?.select(), []);

  const end = (keep: boolean): void => {
    if (over.current) {
      return;
    }
    over.current = true;
    model.setEditing(null);
    const change = keep ? changeOf(row, field, text) : null;
    if (change) {
      const done = {
        name: trans.__('%1 renamed', labelOf(row)),
        tags: trans.__('Tags of %1 changed', labelOf(row)),
        note: trans.__('Note of %1 changed', labelOf(row))
      };
      void model.edit([row.id], change, done[field]);
    }
    onDone();
  };
  const titles = { name: trans.__('Name'), tags: trans.__('Tags'), note: trans.__('Note') };
  const hints = {
    name: '',
    tags: trans.__('baseline, stage=prod'),
    note: trans.__('What you want to remember')
  };
  return (
    <div className="tb-Editor" style={{ transform: `translateY(${top}px)` }}>
      <label className="tb-Editor-label">
        {titles[field]}
        <input
          ref={input}
          className="tb-Input"
          aria-label={trans.__('%1 of %2', titles[field], labelOf(row))}
          placeholder={hints[field]}
          value={text}
          spellCheck={field === 'note'}
          onChange={event => setText(event.target.value)}
          onBlur={() => end(true)}
          onKeyDown={event => {
            event.stopPropagation();
            if (event.key === 'Enter' || event.key === 'Escape') {
              event.preventDefault();
              end(event.key === 'Enter');
            }
          }}
        />
      </label>
    </div>
  );
}

function textOf(row: IRow, field: IEditing['field']): string {
  return field === 'name'
    ? row.name
    : field === 'tags'
      ? editable(row.tags ?? {})
      : (row.note ?? '');
}

/** What the text changes; null for nothing. */
function changeOf(
  row: IRow,
  field: IEditing['field'],
  text: string
): Record<string, unknown> | null {
  if (field === 'tags') {
    const tags = tagsChange(row.tags ?? {}, text);
    return Object.keys(tags).length > 0 ? { tags } : null;
  }
  const changed = text.trim() !== textOf(row, field).trim();
  return changed && (field === 'note' || text.trim() !== '') ? { [field]: text.trim() } : null;
}
