/** The head that stays in sight: which run, how it ended, and what it is worth. */

import React, { useState } from 'react';

import { StatusDot } from '../cell';
import { useTrans } from '../locale';
import type { IAgainst, IOverview } from './pieces';
import { usePage } from './host';
import { messageOf } from './piece';
import { moment } from './text';

/** Name, attempt, status and time on the left; the headline metric on the right. */
export function Head({ overview }: { overview: IOverview }): React.JSX.Element {
  const trans = useTrans();
  const { api, host } = usePage();
  const { run, result, rivals } = overview;
  const refs = [run.id, rivals.previous?.id, rivals.best?.id].filter(id => id !== undefined);
  return (
    <header className="tb-RunHead">
      <div className="tb-RunHead-what">
        <div className="tb-RunHead-line">
          <StatusDot status={run.status} death={run.death?.cause} />
          <Name name={run.name} />
          <span className="tb-RunHead-number">#{run.number}</span>
          <Star star={run.star} />
        </div>
        <div className="tb-RunHead-facts">
          <span className="tb-RunHead-status" data-status={run.status}>
            {run.status}
          </span>
          {run.duration && <span>{run.duration}</span>}
          <time dateTime={new Date(run.started * 1000).toISOString()}>
            {moment(run.started)}
          </time>
          {refs.length > 1 && (
            <button className="tb-Link" onClick={() => host.compare(api.store, refs)}>
              {trans.__('Compare')}
            </button>
          )}
        </div>
      </div>
      {result && (
        <div className="tb-RunHead-result">
          <div className="tb-RunHead-metric">
            <span className="tb-RunHead-key" title={result.key}>
              {result.key}
            </span>
            <span className="tb-RunHead-value">{result.text}</span>
          </div>
          <div className="tb-RunHead-against">
            {result.is_best && (
              <span className="tb-mod-better">
                {trans.__('best of %1 attempts', overview.attempts)}
              </span>
            )}
            {result.against.map(one => (
              <Against key={one.role} one={one} />
            ))}
          </div>
        </div>
      )}
    </header>
  );
}

function Against({ one }: { one: IAgainst }): React.JSX.Element {
  const trans = useTrans();
  const { api, host } = usePage();
  const role = one.role === 'previous' ? trans.__('previous') : trans.__('best');
  const tone = one.better === null ? 'same' : one.better ? 'better' : 'worse';
  return (
    <span className="tb-Against">
      <span className={`tb-mod-${tone}`}>{one.delta || one.text}</span>{' '}
      <button
        className="tb-Link"
        title={trans.__('%1 has %2', one.label, one.text)}
        onClick={() => host.openRun(api.store, one.id)}
      >
        {trans.__('vs %1 %2', role, one.label.slice(one.label.lastIndexOf('#')))}
      </button>
    </span>
  );
}

function Star({ star }: { star: boolean }): React.JSX.Element {
  const trans = useTrans();
  const { api, refresh } = usePage();
  const label = star ? trans.__('Remove the star') : trans.__('Star this run');
  return (
    <button
      className={`tb-Star${star ? ' tb-mod-on' : ''}`}
      aria-pressed={star}
      aria-label={label}
      title={label}
      onClick={() => void api.edit({ star: !star }).then(refresh, refresh)}
    >
      <svg viewBox="0 0 24 24" width="16" height="16" aria-hidden="true">
        <path d="M12 3.6l2.6 5.3 5.8.8-4.2 4.1 1 5.8-5.2-2.7-5.2 2.7 1-5.8L3.6 9.7l5.8-.8z" />
      </svg>
    </button>
  );
}

/** The name, which a click makes a field. */
function Name({ name }: { name: string }): React.JSX.Element {
  const trans = useTrans();
  const { api, refresh } = usePage();
  const [text, setText] = useState<string | null>(null);
  const [trouble, setTrouble] = useState('');
  const done = (): void => {
    const wanted = text?.trim() ?? '';
    setText(null);
    if (wanted && wanted !== name) {
      api
        .edit({ name: wanted })
        .then(() => setTrouble(''))
        .catch((error: unknown) => setTrouble(messageOf(error)))
        .finally(refresh);
    }
  };
  if (text === null) {
    return (
      <h1 className="tb-RunHead-name">
        <button title={trouble || trans.__('Rename')} onClick={() => setText(name)}>
          {name}
        </button>
        {trouble && <span className="tb-RunHead-trouble">{trouble}</span>}
      </h1>
    );
  }
  return (
    <input
      className="tb-RunHead-field"
      aria-label={trans.__('Name of the run')}
      value={text}
      autoFocus
      onFocus={event => event.target.select()}
      onChange={event => setText(event.target.value)}
      onBlur={done}
      onKeyDown={event => {
        if (event.key === 'Enter') {
          done();
        } else if (event.key === 'Escape') {
          setText(null);
        }
        event.stopPropagation();
      }}
    />
  );
}
