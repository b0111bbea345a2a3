/** A comparison that is asked for again whenever its store changes. */

import React, { useEffect, useState } from 'react';

import type { IApi, IComparison, IRevision } from './api';
import { Compare } from './compare';
import { useTrans } from './locale';

/** What to compare, what is known of it already, and whether anybody looks. */
export interface ILiveCompareProps {
  api: IApi;
  store: string;
  refs: readonly string[];
  known: IComparison | null;
  visible: boolean;
  onTitle?: (title: string) => void;
}

/** Shows the known comparison at once, then the server's, and keeps it current. */
export function LiveCompare(props: ILiveCompareProps): React.JSX.Element {
  const { api, store, visible, known, onTitle } = props;
  const trans = useTrans();
  const key = props.refs.join(',');
  const [comparison, setComparison] = useState(known);
  const [trouble, setTrouble] = useState('');

  useEffect(() => {
    if (!visible) {
      return undefined;
    }
    let ended = false;
    let busy = false;
    let again = false;
    const look = async (): Promise<void> => {
      again = true;
      if (busy) {
        return;
      }
      busy = true;
      while (again && !ended) {
        again = false;
        try {
          const found = await api.compare(store, key.split(','));
          if (!ended) {
            setComparison(found);
            setTrouble('');
            onTitle?.(found.title);
          }
        } catch (error) {
          if (!ended) {
            setTrouble(error instanceof Error ? error.message : String(error));
          }
        }
      }
      busy = false;
    };
    const onRevision = (_: IApi, news: IRevision): void => {
      if (news.store === store) {
        void look();
      }
    };
    api.revisions.connect(onRevision);
    void look();
    return () => {
      ended = true;
      api.revisions.disconnect(onRevision);
    };
  }, [api, store, key, visible, onTitle]);

  if (comparison) {
    return <Compare comparison={comparison} />;
  }
  return <p className="tb-Note">{trouble || trans.__('Loading…')}</p>;
}
