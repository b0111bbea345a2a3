/** What the run printed: the end of it, which follows while the run goes on. */

import React, { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

import { useTrans } from '../locale';
import { Trouble } from './drawn';
import { usePage } from './host';
import { messageOf } from './piece';
import { Section } from './section';
import { lastLines, plainText } from './text';

/** Time between looks while the run goes on, in ms. */
const OFTEN = 2000;
/** What the page holds of a log, in characters. */
const MOST = 1_000_000;

/** The section. */
export function Logs({ size }: { size: number }): React.JSX.Element {
  const trans = useTrans();
  return (
    <Section id="logs" title={trans.__('Log')}>
      {near => (near ? <Log size={size} /> : <div className="tb-Waiting" />)}
    </Section>
  );
}

interface IShown {
  text: string;
  start: number;
  end: number;
}

/** What is shown with what came after it; a log that is shorter than before begins anew. */
function joined(was: IShown, part: IShown): IShown {
  if (part.start !== was.end) {
    return part;
  }
  if (!part.text) {
    return was;
  }
  const text = lastLines(was.text + part.text, MOST);
  return { text, start: part.end - text.length, end: part.end };
}

function Log({ size }: { size: number }): React.JSX.Element {
  const trans = useTrans();
  const { api, running, visible } = usePage();
  const [shown, setShown] = useState<IShown | null>(null);
  const [trouble, setTrouble] = useState('');
  const box = useRef<HTMLPreElement>(null);
  const end = useRef<number | null>(null);
  const atEnd = useRef(true);
  const kept = useRef<number | null>(null);

  const busy = useRef(false);
  const look = useCallback(async (): Promise<void> => {
    if (busy.current) {
      return; // two answers at once would not fit together
    }
    busy.current = true;
    try {
      const part = await api.piece('logs', end.current === null ? {} : { after: end.current });
      end.current = part.end;
      setTrouble('');
      setShown(was => (was === null ? part : joined(was, part)));
    } catch (error) {
      setTrouble(messageOf(error));
    }
    busy.current = false;
  }, [api]);

  useEffect(() => {
    if (visible) {
      void look();
    }
  }, [look, visible, size]);

  useEffect(() => {
    if (!running || !visible) {
      return undefined;
    }
    const timer = setInterval(() => void look(), OFTEN);
    return () => clearInterval(timer);
  }, [look, running, visible]);

  useLayoutEffect(() => {
    const element = box.current;
    if (element && kept.current !== null) {
      element.scrollTop = element.scrollHeight - kept.current;
      kept.current = null;
    } else if (element && atEnd.current) {
      element.scrollTop = element.scrollHeight;
    }
  }, [shown]);

  const earlier = async (): Promise<void> => {
    try {
      const part = await api.piece('logs', { before: shown?.start ?? 0 });
      const element = box.current;
      kept.current = element ? element.scrollHeight - element.scrollTop : null;
      atEnd.current = false;
      setShown(was => was && { ...was, text: part.text + was.text, start: part.start });
    } catch (error) {
      setTrouble(messageOf(error));
    }
  };

  if (!shown) {
    return trouble ? <Trouble text={trouble} /> : <div className="tb-Waiting" />;
  }
  return (
    <>
      {shown.start > 0 && (
        <button className="tb-Link" onClick={() => void earlier()}>
          {trans.__('Show what came before')}
        </button>
      )}
      {shown.text ? (
        <pre
          ref={box}
          className="tb-Log"
          tabIndex={0}
          aria-label={trans.__('Log of the run')}
          onScroll={event => {
            const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
            atEnd.current = scrollTop + clientHeight >= scrollHeight - 8;
          }}
        >
          {plainText(shown.text)}
        </pre>
      ) : (
        <p className="tb-RunNote">
          {running
            ? trans.__('Nothing has been printed yet.')
            : trans.__('Nothing was printed.')}
        </p>
      )}
      <Trouble text={trouble} />
    </>
  );
}
