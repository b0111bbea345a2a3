/** The page of one run: a sticky head, a rail of its sections, and one calm column. */

import React, { useMemo, useRef } from 'react';

import { useTrans } from '../locale';
import { About } from './about';
import type { RunApi } from './api';
import type { IOverview } from './pieces';
import { Artifacts } from './artifacts';
import { Charts } from './charts';
import { Children } from './children';
import { Code } from './code';
import { Environment } from './environment';
import { Failure } from './failure';
import { useOverview } from './follow';
import { Head } from './head';
import { History } from './history';
import type { IPageContext, IRunHost } from './host';
import { PageContext } from './host';
import { Inputs } from './inputs';
import { Logs } from './logs';
import { Notebook } from './notebook';
import { Params } from './params';
import { Rail } from './rail';
import { Replay } from './replay';
import { Why } from './why';

/** Which run is shown, and where. */
export interface IRunPageProps {
  api: RunApi;
  host: IRunHost;
  visible: boolean;
  onTitle?: (title: string) => void;
}

/** All of the page. */
export function RunPage({ api, host, visible, onTitle }: IRunPageProps): React.JSX.Element {
  const trans = useTrans();
  const { overview, trouble, gone, refresh } = useOverview(api, visible);
  const version = overview?.version ?? '';
  const running = overview?.run.status === 'running';
  const page = useMemo<IPageContext>(
    () => ({ api, host, version, running, visible, refresh }),
    [api, host, version, running, visible, refresh]
  );
  const title = overview ? `${overview.run.name} #${overview.run.number}` : '';
  React.useEffect(() => {
    if (title) {
      onTitle?.(title);
    }
  }, [title, onTitle]);
  if (!overview) {
    return (
      <div className="tb-RunPage tb-mod-empty">
        <p className="tb-RunNote" role="status">
          {gone
            ? trans.__('This run cannot be found: it, or its store, is no longer there.')
            : trouble || trans.__('Loading…')}
        </p>
        {trouble && (
          <p className="tb-RunNote">
            {trouble}{' '}
            <button className="tb-Link" onClick={refresh}>
              {trans.__('Try again')}
            </button>
          </p>
        )}
      </div>
    );
  }
  return (
    <PageContext.Provider value={page}>
      <Whole
        overview={overview}
        trouble={
          gone ? trans.__('The run is no longer in its store; this is how it was.') : trouble
        }
      />
    </PageContext.Provider>
  );
}

function Whole(props: { overview: IOverview; trouble: string }): React.JSX.Element {
  const { overview, trouble } = props;
  const { run, has, git } = overview;
  const scroller = useRef<HTMLDivElement>(null);
  return (
    <div ref={scroller} className="tb-RunPage" data-run-id={run.id} data-status={run.status}>
      <Head overview={overview} />
      <div className="tb-RunPage-columns">
        <Rail scroller={scroller} />
        <main className="tb-RunPage-main">
          {trouble && (
            <p className="tb-RunNote tb-mod-warn" role="status">
              {trouble}
            </p>
          )}
          {(run.error || run.death) && <Failure run={run} />}
          <About overview={overview} />
          {has.params > 0 && <Params overview={overview} />}
          {has.metrics > 0 && <Charts machine={false} count={has.metrics} />}
          {(has.logs > 0 || run.status === 'running') && <Logs size={has.logs} />}
          {has.artifacts > 0 && <Artifacts count={has.artifacts} />}
          {has.snapshot && <Notebook run={run} />}
          {run.status !== 'running' && <Replay />}
          {(has.children > 0 || has.candidates) && <Children has={has} />}
          {overview.inputs.length > 0 && <Inputs inputs={overview.inputs} />}
          {git && <Code git={git} />}
          <Environment run={run} />
          {has.system > 0 && <Charts machine={true} count={has.system} />}
          {has.why > 0 && <Why count={has.why} />}
          {has.edits > 0 && <History count={has.edits} />}
        </main>
      </div>
    </div>
  );
}
