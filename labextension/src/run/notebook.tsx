/** The notebook as it was when the run started, with the tracked cell marked. */

import React, { useEffect, useRef, useState } from 'react';

import { useTrans } from '../locale';
import type { IFacts, ISnapshot } from './pieces';
import { Trouble } from './drawn';
import { usePage } from './host';
import { messageOf, usePiece } from './piece';
import { Section } from './section';

/** The section. */
export function Notebook({ run }: { run: IFacts }): React.JSX.Element {
  const trans = useTrans();
  return (
    <Section id="notebook" title={trans.__('Notebook')}>
      {near => <Content near={near} run={run} />}
    </Section>
  );
}

function Content({ near, run }: { near: boolean; run: IFacts }): React.JSX.Element {
  const trans = useTrans();
  // It changes only when the run ends: then the outputs of its cell are there.
  const { data, trouble } = usePiece('snapshot', {}, near, run.status);
  if (!data) {
    return trouble ? <Trouble text={trouble} /> : <div className="tb-Waiting" />;
  }
  const shown = data.end - data.start;
  return (
    <>
      <Actions />
      {shown < data.total && (
        <p className="tb-RunNote">
          {trans.__(
            'This notebook is large: cells %1 to %2 of %3 are shown, around the one that made the run.',
            data.start + 1,
            data.end,
            data.total
          )}
        </p>
      )}
      <Cells snapshot={data} />
    </>
  );
}

function Actions(): React.JSX.Element | null {
  const trans = useTrans();
  const { api, host } = usePage();
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState('');
  const { openCopy } = host;
  if (!openCopy) {
    return null;
  }
  const open = async (): Promise<void> => {
    setBusy(true);
    try {
      const { notebook } = await api.piece('snapshot', { whole: 1 });
      await openCopy.call(host, notebook);
      setTrouble('');
    } catch (error) {
      setTrouble(messageOf(error));
    }
    setBusy(false);
  };
  return (
    <div className="tb-Buttons">
      <button className="tb-Link" disabled={busy} onClick={() => void open()}>
        {trans.__('Open as new notebook')}
      </button>
      <Trouble text={trouble} />
    </div>
  );
}

/** The cells, by the host's renderer; where there is none, their sources. */
function Cells({ snapshot }: { snapshot: ISnapshot }): React.JSX.Element {
  const { host } = usePage();
  const element = useRef<HTMLDivElement>(null);
  const { notebook, tracked } = snapshot;
  useEffect(() => {
    if (!element.current || !host.notebook) {
      return undefined;
    }
    const drawing = host.notebook(element.current, notebook, tracked);
    return () => drawing.dispose();
  }, [host, notebook, tracked]);
  if (host.notebook) {
    return <div ref={element} className="tb-Snapshot" />;
  }
  return (
    <div className="tb-Snapshot">
      {notebook.cells.map((cell, index) => (
        <pre key={index} className={`tb-Pre${index === tracked ? ' tb-mod-tracked' : ''}`}>
          {cell.source}
        </pre>
      ))}
    </div>
  );
}
