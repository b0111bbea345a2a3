/** Where the run belongs, its tags and its note; all of them can be edited here. */

import React, { useState } from 'react';

import { useTrans } from '../locale';
import type { IChange, IOverview } from './pieces';
import { Rendered, Trouble } from './drawn';
import { usePage } from './host';
import { messageOf } from './piece';
import { Section } from './section';
import { tagOf } from './text';

/** The section. */
export function About({ overview }: { overview: IOverview }): React.JSX.Element {
  const trans = useTrans();
  const { api, host, refresh } = usePage();
  const [trouble, setTrouble] = useState('');
  const { run } = overview;
  const edit = (change: IChange): Promise<void> =>
    api
      .edit(change)
      .then(() => setTrouble(''))
      .catch((error: unknown) => setTrouble(messageOf(error)))
      .finally(refresh);
  return (
    <Section id="about" title={trans.__('About')}>
      {() => (
        <>
          <Put run={run} edit={edit} />
          <div className="tb-About">
            <div className="tb-About-told">
              <Tags tags={run.tags} edit={edit} />
              <Note note={run.note} edit={edit} />
            </div>
            <dl className="tb-Facts">
              <dt>{trans.__('Experiment')}</dt>
              <dd>{run.experiment}</dd>
              {run.notebook && (
                <>
                  <dt>{trans.__('Notebook')}</dt>
                  <dd>{run.notebook}</dd>
                </>
              )}
              {(run.user || run.host) && (
                <>
                  <dt>{trans.__('By')}</dt>
                  <dd>{[run.user, run.host].filter(Boolean).join(' @ ')}</dd>
                </>
              )}
              {run.parent && (
                <>
                  <dt>{trans.__('Part of')}</dt>
                  <dd>
                    <button
                      className="tb-Link"
                      onClick={() => run.parent && host.openRun(api.store, run.parent.id)}
                    >
                      {run.parent.label}
                    </button>
                  </dd>
                </>
              )}
              <dt>{trans.__('Run id')}</dt>
              <dd className="tb-Mono">{run.id}</dd>
            </dl>
          </div>
          <Trouble text={trouble} />
        </>
      )}
    </Section>
  );
}

interface IEditing {
  edit: (change: IChange) => Promise<void>;
}

/** Says that the run is put aside, and takes it back. */
function Put(props: IEditing & { run: IOverview['run'] }): React.JSX.Element | null {
  const trans = useTrans();
  const { run, edit } = props;
  if (!run.deleted && !run.archived) {
    return null;
  }
  return (
    <p className="tb-RunNote tb-mod-warn">
      {run.deleted ? trans.__('This run is in the trash.') : trans.__('This run is archived.')}{' '}
      <button
        className="tb-Link"
        onClick={() => void edit(run.deleted ? { deleted: false } : { archived: false })}
      >
        {run.deleted ? trans.__('Restore') : trans.__('Take out of the archive')}
      </button>
    </p>
  );
}

function Tags(props: IEditing & { tags: Record<string, string> }): React.JSX.Element {
  const trans = useTrans();
  const { tags, edit } = props;
  const [text, setText] = useState('');
  const add = (): void => {
    const tag = tagOf(text);
    if (tag) {
      setText('');
      void edit({ tags: { [tag[0]]: tag[1] } });
    }
  };
  return (
    <div className="tb-Tags">
      {Object.entries(tags).map(([key, value]) => (
        <span key={key} className="tb-Tag">
          {key}
          {value && <span className="tb-Tag-value">{value}</span>}
          <button
            aria-label={trans.__('Remove the tag %1', key)}
            title={trans.__('Remove')}
            onClick={() => void edit({ tags: { [key]: null } })}
          >
            ×
          </button>
        </span>
      ))}
      <input
        className="tb-Tags-field"
        placeholder={trans.__('Add a tag')}
        aria-label={trans.__('Add a tag: name or name=value')}
        title={trans.__('name or name=value, then Enter')}
        value={text}
        onChange={event => setText(event.target.value)}
        onBlur={add}
        onKeyDown={event => {
          if (event.key === 'Enter') {
            add();
          }
          event.stopPropagation();
        }}
      />
    </div>
  );
}

function Note(props: IEditing & { note: string }): React.JSX.Element {
  const trans = useTrans();
  const { note, edit } = props;
  const [text, setText] = useState<string | null>(null);
  if (text === null) {
    return (
      <div className="tb-NoteText">
        {note && <Rendered mime="text/markdown" text={note} />}
        <button className="tb-Link" onClick={() => setText(note)}>
          {note ? trans.__('Edit the note') : trans.__('Write a note')}
        </button>
      </div>
    );
  }
  const save = (): void => {
    setText(null);
    if (text !== note) {
      void edit({ note: text });
    }
  };
  return (
    <div className="tb-NoteText">
      <textarea
        aria-label={trans.__('Note, in Markdown')}
        rows={Math.min(16, Math.max(4, text.split('\n').length + 1))}
        value={text}
        autoFocus
        onChange={event => setText(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Escape') {
            setText(null);
          } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
            save();
          }
          event.stopPropagation();
        }}
      />
      <div className="tb-Buttons">
        <button className="tb-Button" onClick={save}>
          {trans.__('Save')}
        </button>
        <button className="tb-Link" onClick={() => setText(null)}>
          {trans.__('Cancel')}
        </button>
      </div>
    </div>
  );
}
