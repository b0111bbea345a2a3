/** How a part of the page gets its piece: when it comes into view, again when the run changed. */

import type { RefObject } from 'react';
import { useEffect, useState } from 'react';

import type { Asked } from './api';
import type { IPieces } from './pieces';
import { usePage } from './host';

/** A piece as last heard of. */
export interface IHeard<T> {
  data: T | null;
  /** The server's sentence, empty when all is well. */
  trouble: string;
}

/**
 * A piece of the page, asked for while `wanted` and whenever `turn` changes (default: the run's
 * version). What was heard stays until there is something newer.
 */
export function usePiece<K extends keyof IPieces>(
  name: K,
  asked: Asked,
  wanted: boolean,
  turn?: string
): IHeard<IPieces[K]> {
  const { api, version, visible } = usePage();
  const [heard, setHeard] = useState<IHeard<IPieces[K]>>({ data: null, trouble: '' });
  const question = JSON.stringify(asked);
  const when = turn ?? version;
  useEffect(() => {
    if (!wanted || !visible) {
      return undefined;
    }
    let ended = false;
    api
      .piece(name, JSON.parse(question) as Asked)
      .then(data => {
        if (!ended) {
          setHeard({ data, trouble: '' });
        }
      })
      .catch((error: unknown) => {
        if (!ended) {
          setHeard(({ data }) => ({ data, trouble: messageOf(error) }));
        }
      });
    return () => {
      ended = true;
    };
  }, [api, name, question, wanted, visible, when]);
  return heard;
}

/** Whether an element has ever come near the window; it stays true. */
export function useNear(ref: RefObject<HTMLElement>): boolean {
  const [near, setNear] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (!element || near) {
      return undefined;
    }
    const observer = new IntersectionObserver(
      entries => {
        if (entries.some(entry => entry.isIntersecting)) {
          setNear(true);
        }
      },
      { rootMargin: '300px' }
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref, near]);
  return near;
}

/** What went wrong, as a sentence. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
