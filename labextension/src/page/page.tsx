/** The explorer as a page of its own: the same views as in JupyterLab. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useMemo, useState } from 'react';

import type { IApi, IRoutes } from '../api';
import { LiveCompare } from '../live';
import { Locale, useTrans } from '../locale';
import type { RunsModel } from '../model';
import { Panel } from '../panel';
import { RunApi } from '../run/api';
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

/** Where links and buttons lead. */
const HOST = {
  compare: (store: string, refs: string[]): void => go({ kind: 'compare', store, refs }),
  open: (store: string, run: string): void => go({ kind: 'run', store, run }),
  openRun: (store: string, run: string): void => go({ kind: 'run', store, run })
};

/** All of the page; the address says where one is, so that it can be kept and sent. */
export function Page({ api, model, trans }: IPageProps): React.JSX.Element {
  const place = usePlace();
  const [title, setTitle] = useState('');
  useEffect(() => {
    document.title = place.kind !== 'runs' && title ? `${title} · Trackbook` : 'Trackbook';
  }, [place, title]);
  return (
    <Locale.Provider value={trans}>
      <Head />
      <div className="tb-Page-main" role={place.kind === 'run' ? undefined : 'main'}>
        <View api={api} model={model} place={place} onTitle={setTitle} />
      </div>
    </Locale.Provider>
  );
}

interface IViewProps extends Pick<IPageProps, 'api' | 'model'> {
  place: Place;
  onTitle: (title: string) => void;
}

function View({ api, model, place, onTitle }: IViewProps): React.JSX.Element {
  switch (place.kind) {
    case 'runs':
      return (
        <div className="tb-PanelWidget">
          <Panel model={model} host={HOST} />
        </div>
      );
    case 'run':
      return <Run key={write(place)} api={api} place={place} onTitle={onTitle} />;
    case 'compare':
      return (
        <div className="tb-CompareWidget">
          <LiveCompare
            key={write(place)}
            api={api}
            store={place.store}
            refs={place.refs}
            known={null}
            visible={true}
            onTitle={onTitle}
          />
        </div>
      );
  }
}

function Run(props: {
  api: IApi & IRoutes;
  place: Extract<Place, { kind: 'run' }>;
  onTitle: (title: string) => void;
}): React.JSX.Element {
  const { api, place, onTitle } = props;
  const run = useMemo(() => new RunApi(api, place.store, place.run), [api, place]);
  return (
    <div className="tb-RunWidget">
      <RunPage api={run} host={HOST} visible={true} onTitle={onTitle} />
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
