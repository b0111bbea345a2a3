/** The bar that says what was done to runs and takes it back. */

import React, { useEffect } from 'react';

import { useTrans } from '../locale';
import type { IState, RunsModel } from '../model';

/** So long it stays when nobody looks at it, in ms. */
const STAYS = 20_000;

/** Nothing where nothing was done. */
export function Notice(props: { model: RunsModel; state: IState }): React.JSX.Element {
  const trans = useTrans();
  const { model, state } = props;
  const { notice } = state;
  useEffect(() => {
    if (!notice || notice.failed) {
      return undefined;
    }
    const timer = setTimeout(() => model.dismiss(), STAYS);
    return () => clearTimeout(timer);
  }, [model, notice]);
  return (
    <div className="tb-NoticeRoot" role="status">
      {notice && (
        <div className={`tb-Notice${notice.failed ? ' tb-mod-error' : ''}`}>
          <span className="tb-Notice-text" title={notice.said}>
            {notice.undone ? trans.__('Taken back: %1', notice.said) : notice.said}
          </span>
          {!notice.failed && (
            <button className="tb-Link" onClick={() => void model.undo()}>
              {notice.undone ? trans.__('Redo') : trans.__('Undo')}
            </button>
          )}
          <button
            className="tb-Mini"
            aria-label={trans.__('Dismiss')}
            onClick={() => model.dismiss()}
          >
            <span aria-hidden={true}>×</span>
          </button>
        </div>
      )}
    </div>
  );
}
