/** A comparison that is asked for again whenever its store changes. */

import React, { useEffect, useRef, useState } from 'react';

import type { IApi, IComparison, IRevision } from './api';
import { Compare } from './compare/compare';
import { Latest } from './compare/latest';
import type { IView } from './compare/view';
import { FIRST } from './compare/view';
import { useTrans } from './locale';

/** What to compare, what is known of it already, and whether anybody looks. */
export interface ILiveCompareProps {
  api: IApi;
  store: string;
  refs: readonly string[];
  known: IComparison | null;
  visible: boolean;
  onTitle?: (title: string) => void;
  /** What was chosen to be seen before. */
  view?: IView;
  onView?: (view: IView) => void;
}

/** Shows the known comparison at once, then the server's, and keeps it current. */
export function LiveCompare(props: ILiveCompareProps): React.JSX.Element {
  const { api, store, visible, known, onTitle, onView } = props;
  const trans = useTrans();
  const key = props.refs.join(',');
  const [comparison, setComparison] = useState(known);
  const [served, setServed] = useState(false);
  const [version, setVersion] = useState(0);
  const [trouble, setTrouble] = useState('');
  const [view, setView] = useState(props.view ?? FIRST);
  const queue = useRef(new Latest<IComparison>());

  useEffect(() => {
    if (!visible) {
      return undefined;
    }
    const latest = queue.current;
    const look = (): void =>
      latest.put({
        key,
        ask: () => api.compare(store, key.split(',')),
        done: found => {
          setComparison(old => (JSON.stringify(old) === JSON.stringify(found) ? old : found));
          setServed(true);
          setVersion(count => count + 1);
          setTrouble('');
          onTitle?.(found.title);
        },
        failed: error => setTrouble(error instanceof Error ? error.message : String(error))
      });
    const onRevision = (_: IApi, news: IRevision): void => {
      if (news.store === store) {
        look();
      }
    };
    api.revisions.connect(onRevision);
    look();
    return () => {
      latest.stop();
      api.revisions.disconnect(onRevision);
    };
  }, [api, store, key, visible, onTitle]);

  if (!comparison) {
    return <p className="tb-Note">{trouble || trans.__('Loading…')}</p>;
  }
  return (
    <Compare
      comparison={comparison}
      store={store}
      comparing={served ? (api.comparing ?? null) : null}
      version={version}
      view={view}
      onView={next => {
        setView(next);
        onView?.(next);
      }}
    />
  );
}
