/** The button that replays a run, its progress, and the question whether the code is trusted. */

import React, { useEffect, useState } from 'react';

import { ApiError } from '../api';
import { useTrans } from '../locale';
import type { IJob } from './pieces';
import { Trouble } from './drawn';
import { usePage } from './host';
import { messageOf } from './piece';

/** Time between looks at a replay, in ms. */
const OFTEN = 700;

/** Replays the run in a process of its own; `onDone` is called with each verdict. */
export function Trial(props: { onDone: () => void; again: boolean }): React.JSX.Element {
  const trans = useTrans();
  const { api, refresh } = usePage();
  const { onDone } = props;
  const [job, setJob] = useState('');
  const [state, setState] = useState<IJob | null>(null);
  /** The code that is nobody's here, while it waits for the user's word. */
  const [asked, setAsked] = useState<string | null>(null);
  const [writes, setWrites] = useState(false);
  const [trouble, setTrouble] = useState('');

  const begin = (trust: boolean): void => {
    setTrouble('');
    setAsked(null);
    api
      .replay({ trust, allow_writes: writes })
      .then(setJob)
      .catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 403 && !trust) {
          setAsked(codeOf(error));
        } else {
          setTrouble(messageOf(error));
        }
      });
  };

  useEffect(() => {
    if (!job) {
      return undefined;
    }
    let ended = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      try {
        const found = await api.job(job);
        if (ended) {
          return;
        }
        setState(found);
        if (found.state === 'running') {
          timer = setTimeout(() => void look(), OFTEN);
          return;
        }
        setTrouble(found.verdict?.status === 'not determined' ? found.verdict.text : '');
      } catch (error) {
        setTrouble(messageOf(error));
      }
      setJob('');
      setState(null);
      onDone();
      refresh();
    };
    void look();
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, [api, job, onDone, refresh]);

  if (job) {
    return (
      <Progress state={state} onCancel={() => void api.job(job, true).catch(setNothing)} />
    );
  }
  return (
    <div className="tb-Trial">
      {asked !== null ? (
        <Trust code={asked} onTrust={() => begin(true)} onCancel={() => setAsked(null)} />
      ) : (
        <div className="tb-Buttons">
          <button className="tb-Button" onClick={() => begin(false)}>
            {props.again ? trans.__('Replay again') : trans.__('Replay')}
          </button>
          <label className="tb-Check">
            <input
              type="checkbox"
              checked={writes}
              onChange={event => setWrites(event.target.checked)}
            />
            {trans.__('It may write files')}
          </label>
        </div>
      )}
      <Trouble text={trouble} />
    </div>
  );
}

/** A cancel that comes too late needs no word: the verdict is there. */
function setNothing(): void {
  return undefined;
}

function Progress(props: { state: IJob | null; onCancel: () => void }): React.JSX.Element {
  const trans = useTrans();
  const { state, onCancel } = props;
  const cell = state?.cell ?? 0;
  const of = state?.of ?? 0;
  return (
    <div className="tb-Trial tb-Buttons" role="status">
      <progress max={of || 1} value={of ? cell : undefined} aria-label={trans.__('Replay')} />
      <span>
        {of > 0 ? trans.__('Cell %1 of %2', cell, of) : trans.__('A fresh kernel is starting…')}
      </span>
      <button className="tb-Link" onClick={onCancel}>
        {trans.__('Cancel')}
      </button>
    </div>
  );
}

function Trust(props: {
  code: string;
  onTrust: () => void;
  onCancel: () => void;
}): React.JSX.Element {
  const trans = useTrans();
  const { code, onTrust, onCancel } = props;
  return (
    <div className="tb-Trust" role="group" aria-label={trans.__('Do you trust this code?')}>
      <p className="tb-RunNote tb-mod-warn">
        {trans.__(
          'This run was not recorded and signed here, and a replay runs its code: look at it first.'
        )}
      </p>
      <pre className="tb-Pre" tabIndex={0} aria-label={trans.__('The code that would run')}>
        {code}
      </pre>
      <div className="tb-Buttons">
        <button className="tb-Button" onClick={onTrust}>
          {trans.__('I trust this code: replay')}
        </button>
        <button className="tb-Link" autoFocus onClick={onCancel}>
          {trans.__('Cancel')}
        </button>
      </div>
    </div>
  );
}

function codeOf(error: ApiError): string {
  return typeof error.told.code === 'string' ? error.told.code : '';
}
