/** The overview of a run, asked for again whenever its store changes. */

import { useCallback, useEffect, useRef, useState } from 'react';

import type { IApi, IRevision } from '../api';
import { ApiError } from '../api';
import type { RunApi } from './api';
import type { IOverview } from './pieces';
import { messageOf } from './piece';

/** Time between looks when no event comes, in ms; a running run is looked at more often. */
const BACKSTOP = 30_000;
const RUNNING = 5_000;

/** The overview as last heard of, and what is wrong now. */
export interface IFollowed {
  overview: IOverview | null;
  trouble: string;
  /** Whether the server says that there is no such run or store. */
  gone: boolean;
  refresh: () => void;
}

/** Follows a run while the page is visible. An overview with the same version is the same object. */
export function useOverview(api: RunApi, visible: boolean): IFollowed {
  const [heard, setHeard] = useState<Omit<IFollowed, 'refresh'>>({
    overview: null,
    trouble: '',
    gone: false
  });
  const look = useRef<() => void>(() => undefined);
  const running = heard.overview?.run.status === 'running';

  useEffect(() => {
    let ended = false;
    let busy = false;
    let again = false;
    const ask = async (): Promise<void> => {
      again = true;
      if (busy) {
        return;
      }
      busy = true;
      while (again && !ended) {
        again = false;
        const next = await told(api);
        if (!ended) {
          setHeard(was => merged(was, next));
        }
      }
      busy = false;
    };
    look.current = () => void ask();
    if (!visible) {
      return () => {
        ended = true;
      };
    }
    const onRevision = (_: IApi, news: IRevision): void => {
      if (news.store === api.store) {
        void ask();
      }
    };
    api.api.revisions.connect(onRevision);
    void ask();
    return () => {
      ended = true;
      api.api.revisions.disconnect(onRevision);
    };
  }, [api, visible]);

  useEffect(() => {
    if (!visible) {
      return undefined;
    }
    const timer = setInterval(() => look.current(), running ? RUNNING : BACKSTOP);
    return () => clearInterval(timer);
  }, [visible, running]);

  const refresh = useCallback(() => look.current(), []);
  return { ...heard, refresh };
}

type Heard = Omit<IFollowed, 'refresh'>;

async function told(api: RunApi): Promise<Heard> {
  try {
    return { overview: await api.piece('overview'), trouble: '', gone: false };
  } catch (error) {
    const gone = error instanceof ApiError && error.status === 404;
    return { overview: null, trouble: messageOf(error), gone };
  }
}

function merged(was: Heard, next: Heard): Heard {
  const same = next.overview !== null && next.overview.version === was.overview?.version;
  const overview = same ? was.overview : (next.overview ?? was.overview);
  return overview === was.overview && next.trouble === was.trouble && next.gone === was.gone
    ? was
    : { ...next, overview };
}
