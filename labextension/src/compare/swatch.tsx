/** A short piece of a run's line: its colour and its dashes. */

import React from 'react';

import type { IStyle } from './api';

/** How the run is drawn; for eyes only, the name stands beside it. */
export function Swatch({ style }: { style: IStyle | undefined }): React.JSX.Element {
  return (
    <svg className="tb-Swatch" width="22" height="10" aria-hidden="true">
      <line
        x1="1"
        x2="21"
        y1="5"
        y2="5"
        stroke={style?.colour ?? 'currentColor'}
        strokeWidth="3"
        strokeDasharray={style?.dash.join(' ')}
      />
    </svg>
  );
}
