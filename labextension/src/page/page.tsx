/** The explorer as a page of its own: the same views as in JupyterLab. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useState } from 'react';

import type { IApi } from '../api';
import { LiveCompare } from '../live';
import { Locale, useTrans } from '../locale';
import type { RunsModel } from '../model';
import { Panel } from '../panel';
import type { Place } from './place';
import { read, write } from './place';
import { otherTheme } from './theme';

/** What the page shows. */
export interface IPageProps {
  api: IApi;
  model: RunsModel;
  trans: TranslationBundle;
}

/** All of the page; the address says where one is, so that it can be kept and sent. */
export function Page({ api, model, trans }: IPageProps): React.JSX.Element {
  const place = usePlace();
  const [title, setTitle] = useState('');
  const compare = (store: string, refs: string[]): void => go({ kind: 'compare', store, refs });
  useEffect(() => {
    document.title = place.kind === 'compare' && title ? `${title} · Trackbook` : 'Trackbook';
  }, [place, title]);
  return (
    <Locale.Provider value={trans}>
      <Head />
      <main className="tb-Page-main">
        {place.kind === 'compare' ? (
          <div className="tb-CompareWidget">
            <LiveCompare
              key={write(place)}
              api={api}
              store={place.store}
              refs={place.refs}
              known={null}
              visible={true}
              onTitle={setTitle}
            />
          </div>
        ) : (
          <div className="tb-PanelWidget">
            <Panel model={model} onCompare={compare} />
          </div>
        )}
      </main>
    </Locale.Provider>
  );
}

function Head(): React.JSX.Element {
  const trans = useTrans();
  return (
    <header className="tb-Page-head">
      <a className="tb-Page-name" href={write({ kind: 'runs' })}>
        Trackbook
      </a>
      <button type="button" className="tb-Link" onClick={otherTheme}>
        {trans.__('Light or dark')}
      </button>
    </header>
  );
}

function usePlace(): Place {
  const [place, setPlace] = useState(() => read(location.hash));
  useEffect(() => {
    const look = (): void => setPlace(read(location.hash));
    window.addEventListener('hashchange', look);
    return () => window.removeEventListener('hashchange', look);
  }, []);
  return place;
}

function go(place: Place): void {
  location.hash = write(place);
}
