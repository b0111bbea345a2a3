/** The card of an attempt: what changed, what came of it, and when. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useLayoutEffect, useRef, useState } from 'react';
import { createPortal } from 'react-dom';

import { useTrans } from '../locale';
import type { IAttempt } from './api';

const GAP = 6;

/** A card beside a dot; it lies over everything, so that no cell cuts it off. */
export function Card(props: {
  id: string;
  attempt: IAttempt;
  anchor: HTMLElement;
}): React.JSX.Element {
  const { id, attempt, anchor } = props;
  const trans = useTrans();
  const own = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<React.CSSProperties>({ visibility: 'hidden' });
  useLayoutEffect(() => {
    const dot = anchor.getBoundingClientRect();
    const card = own.current?.getBoundingClientRect();
    if (card) {
      const below = dot.bottom + GAP + card.height < window.innerHeight;
      const left = Math.min(dot.left - GAP, window.innerWidth - card.width - GAP);
      setPlace({
        left: Math.max(GAP, left),
        top: below ? dot.bottom + GAP : dot.top - GAP - card.height
      });
    }
  }, [anchor, attempt]);
  const { headline, changed, error } = attempt;
  const tone = headline?.better === null ? 'same' : headline?.better ? 'better' : 'worse';
  return createPortal(
    <div ref={own} id={id} className="tb-Card" role="tooltip" style={place}>
      <div className="tb-Card-head">
        <strong>
          {attempt.name} #{attempt.number}
        </strong>
        <span className="tb-Card-status" data-status={attempt.status}>
          {attempt.status}
        </span>
      </div>
      {headline && (
        <div className="tb-Card-metric">
          <span>{headline.key}</span>
          <span className="tb-Card-value">{headline.text}</span>
          {headline.delta && (
            <span className={`tb-Delta tb-mod-${tone}`}>{headline.delta}</span>
          )}
        </div>
      )}
      {error && <div className="tb-Card-error">{error}</div>}
      {changed.length > 0 && (
        <ul className="tb-Card-changed" aria-label={trans.__('Since the attempt before')}>
          {changed.map(text => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
      <div className="tb-Card-foot">
        {[ago(attempt.started, trans), attempt.duration].filter(Boolean).join(' · ')}
      </div>
      <div className="tb-Card-foot">
        {attempt.source
          ? trans.__('Click opens the run, R restores this code')
          : trans.__('Click opens the run')}
      </div>
    </div>,
    document.body
  );
}

/** An attempt in words, for those who do not see the dot. */
export function told(attempt: IAttempt, trans: TranslationBundle): string {
  const { headline, changed } = attempt;
  const parts = [`${attempt.name} #${attempt.number}`, attempt.status];
  if (headline) {
    parts.push([headline.key, headline.text, headline.delta].filter(Boolean).join(' '));
  }
  return [...parts, ...changed, ago(attempt.started, trans)].join(', ');
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60]
];

/** `3 minutes ago`. */
export function ago(
  started: number,
  trans: TranslationBundle,
  now: number = Date.now() / 1000
): string {
  const seconds = Math.max(0, now - started);
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang || 'en');
  for (const [unit, size] of STEPS) {
    if (seconds >= size) {
      return words.format(-Math.floor(seconds / size), unit);
    }
  }
  return trans.__('just now');
}
