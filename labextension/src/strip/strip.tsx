/** The attempt strip: one dot an attempt, the newest on the right. */

import React, { useCallback, useEffect, useId, useRef, useState } from 'react';

import { useWidth } from '../hooks';
import { useTrans } from '../locale';
import type { IAttempt, IStrip } from './api';
import { Card, told } from './card';
import { moved } from './keys';

/** Width of a dot with its room, in px. */
const DOT = 18;

/** Room for the text on the right, in px. */
const TEXT = 260;

/** Dots that are shown while the width is not known. */
const FEW = 12;

/** What a strip shows and what its dots do. */
export interface IStripProps {
  store: string;
  strip: IStrip;
  onOpen: (run: string) => void;
  onRestore: (run: string) => void;
  /** The keyboard leaves the strip. */
  onLeave: () => void;
}

/** A toolbar of dots; arrows move, Enter opens, R restores, Escape goes back to the notebook. */
export function Strip(props: IStripProps): React.JSX.Element {
  const { store, strip, onOpen, onRestore, onLeave } = props;
  const trans = useTrans();
  const host = useRef<HTMLDivElement>(null);
  const width = useWidth(host);
  const card = useId();
  const [active, setActive] = useState<string | null>(null);
  const [shown, setShown] = useState<HTMLElement | null>(null);
  const room = width ? Math.max(3, Math.floor((width - TEXT) / DOT)) : FEW;
  const dots = strip.attempts.slice(-room);
  const more = strip.total - dots.length;
  const last = dots[dots.length - 1];
  const current = dots.some(one => one.id === active) ? active : last?.id;
  const looked = dots.find(one => one.id === shown?.dataset.runId);

  const hide = useCallback(() => setShown(null), []);
  useEffect(() => {
    const top = shown?.getBoundingClientRect().top;
    const onScroll = (): void => {
      if (shown?.getBoundingClientRect().top !== top) {
        hide(); // the card stays where the dot was
      }
    };
    document.addEventListener('scroll', onScroll, true);
    return () => document.removeEventListener('scroll', onScroll, true);
  }, [shown, hide]);

  const onKeyDown = (event: React.KeyboardEvent): void => {
    const at = dots.findIndex(one => one.id === current);
    const to = moved(event.key, at, dots.length);
    if (to !== null) {
      const next = dots[to] as IAttempt;
      setActive(next.id);
      host.current?.querySelector<HTMLElement>(`[data-run-id="${next.id}"]`)?.focus();
    } else if (event.key === 'Escape') {
      hide();
      onLeave();
    } else if (event.key.toLowerCase() === 'r' && !event.ctrlKey && !event.metaKey && current) {
      onRestore(current);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div
      ref={host}
      className="tb-Strip"
      role="toolbar"
      aria-label={trans.__('Attempts of %1', last?.name ?? '')}
      data-lm-suppress-shortcuts="true"
      onKeyDown={onKeyDown}
    >
      {more > 0 && (
        <span className="tb-Strip-more" title={trans.__('%1 earlier attempts', more)}>
          +{more}
        </span>
      )}
      {dots.map(one => (
        <button
          key={one.id}
          type="button"
          className="tb-Attempt"
          data-run-id={one.id}
          data-store={store}
          data-status={one.status}
          data-shaded={one.shade !== null}
          data-best={one.id === strip.best}
          style={
            {
              '--tb-shade': `${Math.round(20 + 80 * (one.shade ?? 0))}%`
            } as React.CSSProperties
          }
          tabIndex={one.id === current ? 0 : -1}
          aria-label={told(one, trans)}
          aria-describedby={looked === one ? card : undefined}
          aria-keyshortcuts="R"
          onClick={() => onOpen(one.id)}
          onMouseEnter={event => setShown(event.currentTarget)}
          onMouseLeave={hide}
          onFocus={event => {
            setActive(one.id);
            setShown(event.currentTarget);
          }}
          onBlur={hide}
        >
          <span className="tb-Attempt-dot" />
        </button>
      ))}
      <Summary strip={strip} last={last} />
      {shown && looked && <Card id={card} attempt={looked} anchor={shown} />}
    </div>
  );
}

/** The newest attempt in numbers, and the best where that is another. */
function Summary(props: { strip: IStrip; last: IAttempt | undefined }): React.JSX.Element {
  const { strip, last } = props;
  const trans = useTrans();
  const best = strip.attempts.find(one => one.id === strip.best);
  const runs = trans._n('%1 attempt', '%1 attempts', strip.total);
  return (
    <span className="tb-Strip-text">
      {last?.headline ? (
        <>
          <span className="tb-Strip-key">{last.headline.key}</span> {last.headline.text}
          {best && best !== last && best.headline && (
            <span>
              {' · '}
              {trans.__('best #%1', String(best.number))} {best.headline.text}
            </span>
          )}
        </>
      ) : (
        runs
      )}
    </span>
  );
}
