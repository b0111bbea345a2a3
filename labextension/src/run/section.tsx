/** A part of the page below a heading that folds it; what is folded is remembered. */

import React, { useCallback, useRef, useState } from 'react';

import { useNear } from './piece';

const KEY = 'trackbook:run-page:open';

/** One section; its content is made when it first comes near, and only while it is open. */
export function Section(props: {
  id: string;
  title: string;
  /** Stands small beside the title: how many there are. */
  count?: string | number;
  /** Whether it is open where nobody has folded it. */
  open?: boolean;
  children: (near: boolean) => React.ReactNode;
}): React.JSX.Element {
  const { id, title, count, children } = props;
  const [open, toggle] = useFold(id, props.open ?? true);
  const box = useRef<HTMLElement>(null);
  const near = useNear(box);
  const body = `tb-run-${id}-body`;
  return (
    <section ref={box} className="tb-RunSection" data-section={id} aria-label={title}>
      <h2 className="tb-RunSection-head">
        <button aria-expanded={open} aria-controls={body} onClick={toggle}>
          <span className="tb-RunSection-mark" aria-hidden="true" />
          {title}
          {count !== undefined && <span className="tb-RunSection-count">{count}</span>}
        </button>
      </h2>
      <div id={body} className="tb-RunSection-body" hidden={!open}>
        {open && children(near)}
      </div>
    </section>
  );
}

/** Whether a part is open, and what turns it; remembered for the pages of all runs. */
export function useFold(id: string, otherwise: boolean): [boolean, () => void] {
  const [open, setOpen] = useState(() => read()[id] ?? otherwise);
  const toggle = useCallback(() => {
    setOpen(was => {
      write({ ...read(), [id]: !was });
      return !was;
    });
  }, [id]);
  return [open, toggle];
}

function read(): Record<string, boolean> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, boolean>;
  } catch {
    return {}; // storage is switched off, or holds something else
  }
}

function write(state: Record<string, boolean>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(state));
  } catch {
    // Then it is remembered only as long as the page is there.
  }
}
