/** A chart that is asked for when it is seen, and its data again when the runs change. */

import type { RefObject } from 'react';
import { useEffect, useRef, useState } from 'react';

import type { Spec } from '../api';
import type { Columns, IAsk, IChartReply } from './api';
import { Latest } from './latest';
import { useShared } from './shared';

/** A chart as far as it is known. */
export interface IAsked {
  spec: Spec | null;
  columns: Columns;
  python: string;
  /** The server's sentence where there is no such chart. */
  trouble: string;
}

/** Zooming asks once the hand rests, for so many ms. */
const REST = 120;
/** Widths are told in steps of so many px: a chart is not asked for anew for each of them. */
const GRAIN = 100;

const NOTHING: IAsked = { spec: null, columns: {}, python: '', trouble: '' };

/** The chart that is asked for; until it comes, the one before. */
export function useChart(ask: IAsk, width: number, seen: boolean): IAsked {
  const { comparing, store, refs, version } = useShared();
  const [asked, setAsked] = useState(NOTHING);
  const latest = useRef(new Latest<IChartReply>());
  const held = useRef('');
  const { within, ...rest } = ask.options;
  const form = JSON.stringify([store, refs, ask.kind, ask.key, rest]);
  const part = JSON.stringify(within ?? null);
  const grains = Math.ceil(width / GRAIN) * GRAIN;

  useEffect(() => {
    const queue = latest.current;
    return () => queue.stop();
  }, []);

  useEffect(() => {
    if (!seen || !comparing || grains === 0) {
      return undefined;
    }
    const [ownStore, ownRefs, kind, key, options] = JSON.parse(form) as [
      string,
      string[],
      string,
      string,
      Record<string, unknown>
    ];
    const range = JSON.parse(part) as unknown;
    const question = {
      key: form + part,
      ask: () =>
        comparing.chart(
          ownStore,
          ownRefs,
          { kind, key, options: range ? { ...options, within: range } : options },
          { width: grains, spec: held.current !== form }
        ),
      done: (reply: IChartReply) => {
        held.current = form;
        const { columns, python } = reply;
        setAsked(old => ({ spec: reply.spec ?? old.spec, columns, python, trouble: '' }));
      },
      failed: (error: unknown) => {
        held.current = '';
        const trouble = error instanceof Error ? error.message : String(error);
        setAsked({ ...NOTHING, trouble });
      }
    };
    const timer = setTimeout(
      () => latest.current.put(question),
      held.current === form ? REST : 0
    );
    return () => clearTimeout(timer);
  }, [comparing, form, part, grains, seen, version]);

  return asked;
}

/** Whether an element has come into sight; once it has, it stays so. */
export function useSeen(ref: RefObject<HTMLElement>): boolean {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (!element || seen) {
      return undefined;
    }
    const observer = new IntersectionObserver(
      entries => {
        if (entries.some(entry => entry.isIntersecting)) {
          setSeen(true);
        }
      },
      { rootMargin: '200px' }
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref, seen]);
  return seen;
}
