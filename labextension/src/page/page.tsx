/** The explorer as a page of its own: the same views as in JupyterLab. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useMemo, useState } from 'react';

import type { IApi, IRoutes } from '../api';
import { LiveCompare } from '../live';
import { Locale, useTrans } from '../locale';
import type { RunsModel } from '../model';
import { Panel } from '../panel';
import { RunApi } from '../run/api';
import type { IRunHost } from '../run/host';
import { RunPage } from '../run/page';
import type { Place } from './place';
import { read, write } from './place';
import { otherTheme } from './theme';

/** What the page shows. */
export interface IPageProps {
  api: IApi & IRoutes;
  model: RunsModel;
  trans: TranslationBundle;
}

/** All of the page; the address says where one is, so that it can be kept and sent. */
export function Page({ api, model, trans }: IPageProps): React.JSX.Element {
  const place = usePlace();
  const [title, setTitle] = useState('');
  const compare = (store: string, refs: string[]): void => go({ kind: 'compare', store, refs });
  useEffect(() => {
    document.title = place.kind !== 'runs' && title ? `${title} · Trackbook` : 'Trackbook';
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
        ) : place.kind === 'run' ? (
          <OneRun key={write(place)} api={api} {...place} onTitle={setTitle} />
        ) : (
          <div className="tb-PanelWidget">
            <Panel model={model} onCompare={compare} />
          </div>
        )}
      </main>
    </Locale.Provider>
  );
}

/** The leads of a run's page, which here are addresses; what Lab would render stays text. */
const HOST: IRunHost = {
  openRun: (store, run) => go({ kind: 'run', store, run }),
  compare: (store, refs) => go({ kind: 'compare', store, refs })
};

function OneRun(props: {
  api: IApi & IRoutes;
  store: string;
  run: string;
  onTitle: (title: string) => void;
}): React.JSX.Element {
  const { api, store, run, onTitle } = props;
  const one = useMemo(() => new RunApi(api, store, run), [api, store, run]);
  return (
    <div className="tb-RunWidget">
      <RunPage api={one} host={HOST} visible={true} onTitle={onTitle} />
    </div>
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
