/** What stands where runs are not: how to begin, what is missing, what to try. */

import React from 'react';

import { useTrans } from './locale';
import type { Shelf } from './runs/arrange';

/** Teaches the two lines that make the first run. */
export function HowToBegin(): React.JSX.Element {
  const trans = useTrans();
  return (
    <div className="tb-Empty">
      <h2 className="tb-Empty-title">{trans.__('No runs yet')}</h2>
      <p>{trans.__('Every attempt at a tracked cell becomes a run here. Two lines do it:')}</p>
      <ol className="tb-Steps">
        <li>
          {trans.__('Load Trackbook once in the notebook')}
          <code className="tb-Code">%load_ext trackbook</code>
        </li>
        <li>
          {trans.__('Put this on top of the cell that trains')}
          <code className="tb-Code">%%track</code>
        </li>
      </ol>
      <p className="tb-Soft">{trans.__('Runs stay in plain files beside your notebook.')}</p>
    </div>
  );
}

/** Says that the server part is not there, and what brings it. */
export function ServerAbsent(): React.JSX.Element {
  const trans = useTrans();
  return (
    <div className="tb-Empty">
      <h2 className="tb-Empty-title">{trans.__('Runs cannot be listed here')}</h2>
      <p>
        {trans.__(
          'This Jupyter server does not have Trackbook. Tracking in notebooks works without it; to see runs in this panel, install it where the server runs and restart the server:'
        )}
      </p>
      <code className="tb-Code">pip install trackbook</code>
    </div>
  );
}

/** Says that the server does not answer; the panel keeps asking. */
export function ServerOffline(props: { message: string }): React.JSX.Element {
  const trans = useTrans();
  return (
    <p className="tb-Note" title={props.message}>
      {trans.__('The server does not answer; trying again.')}
    </p>
  );
}

/** Says that nothing is archived or in the trash, and what would be. */
export function NothingHere(props: { shelf: Shelf; onBack: () => void }): React.JSX.Element {
  const trans = useTrans();
  return (
    <div className="tb-Empty">
      <p>
        {props.shelf === 'trash'
          ? trans.__(
              'The trash is empty. Runs that you delete stay here until they are purged.'
            )
          : trans.__(
              'Nothing is archived. Runs that you archive leave the list and stay here.'
            )}
      </p>
      <button className="tb-Link" onClick={props.onBack}>
        {trans.__('Back to the runs')}
      </button>
    </div>
  );
}

/** Says that a filter matches nothing, and takes it back. */
export function NoMatch(props: { onClear: () => void }): React.JSX.Element {
  const trans = useTrans();
  return (
    <div className="tb-Empty">
      <p>{trans.__('No run matches.')}</p>
      <button className="tb-Link" onClick={props.onClear}>
        {trans.__('Show all runs')}
      </button>
    </div>
  );
}
