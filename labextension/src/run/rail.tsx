/** The rail beside the page: its sections by name, the one in sight marked. */

import type { RefObject } from 'react';
import React, { useEffect, useState } from 'react';

import { useTrans } from '../locale';

/** A section that begins no lower than this is the one in sight, in px; the head takes half. */
const NEAR_TOP = 150;

interface IMark {
  id: string;
  title: string;
}

/** Leads to each section that the page has now. */
export function Rail(props: { scroller: RefObject<HTMLDivElement> }): React.JSX.Element {
  const { scroller } = props;
  const trans = useTrans();
  const [marks, setMarks] = useState<IMark[]>([]);
  const [current, setCurrent] = useState('');

  useEffect(() => {
    const look = (): void => {
      const found = sections(scroller.current).map(section => ({
        id: section.dataset.section ?? '',
        title: section.getAttribute('aria-label') ?? ''
      }));
      setMarks(was => (JSON.stringify(was) === JSON.stringify(found) ? was : found));
    };
    look();
    const main = scroller.current?.querySelector('main');
    const observer = new MutationObserver(look);
    if (main) {
      observer.observe(main, { childList: true }); // a section may find that it has nothing to say
    }
    return () => observer.disconnect();
  }, [scroller]);

  useEffect(() => {
    const element = scroller.current;
    if (!element) {
      return undefined;
    }
    let frame = 0;
    const look = (): void => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => setCurrent(inSight(element)));
    };
    look();
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      element.removeEventListener('scroll', look);
    };
  }, [scroller, marks]);

  const go = (id: string): void => {
    const section = sections(scroller.current).find(one => one.dataset.section === id);
    section?.scrollIntoView({ block: 'start' });
    section?.querySelector<HTMLElement>('h2 button')?.focus({ preventScroll: true });
  };

  return (
    <nav className="tb-Rail" aria-label={trans.__('Sections')}>
      <ul>
        {marks.map(({ id, title }) => (
          <li key={id}>
            <button
              className="tb-Rail-mark"
              aria-current={id === current ? 'true' : undefined}
              onClick={() => go(id)}
            >
              {title}
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function sections(scroller: HTMLElement | null): HTMLElement[] {
  return [...(scroller?.querySelectorAll<HTMLElement>('[data-section]') ?? [])];
}

/** The last section that begins near the top; at the very end the last of all. */
function inSight(scroller: HTMLElement): string {
  const all = sections(scroller);
  const atEnd = scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 2;
  const line = scroller.getBoundingClientRect().top + NEAR_TOP;
  const above = all.filter(one => one.getBoundingClientRect().top <= line);
  const found = atEnd && scroller.scrollTop > 0 ? all[all.length - 1] : above[above.length - 1];
  return (found ?? all[0])?.dataset.section ?? '';
}
