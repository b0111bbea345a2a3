/** Plain data as a tree, each level made when it is unfolded. */

import React, { useState } from 'react';

import { useTrans } from '../locale';

/** So many entries of a level stand there at once. */
const MOST = 100;

/** The tree of a JSON text; text that is none as it is. */
export function Json({ text }: { text: string }): React.JSX.Element {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return <pre className="tb-Pre">{text}</pre>;
  }
  return (
    <div className="tb-Json" role="group">
      <Entry name={null} value={value} open={true} />
    </div>
  );
}

function Entry(props: {
  name: string | null;
  value: unknown;
  open?: boolean;
}): React.JSX.Element {
  const trans = useTrans();
  const { name, value } = props;
  const [open, setOpen] = useState(props.open ?? false);
  const [most, setMost] = useState(MOST);
  if (typeof value !== 'object' || value === null) {
    return (
      <div className="tb-Json-leaf">
        {name !== null && <span className="tb-Json-key">{name}</span>}
        <span className={`tb-Json-value tb-mod-${typeof value}`}>{JSON.stringify(value)}</span>
      </div>
    );
  }
  const list = Array.isArray(value);
  const entries = Object.entries(value as Record<string, unknown>);
  return (
    <div className="tb-Json-node">
      <button className="tb-Json-fold" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className="tb-RunSection-mark" aria-hidden="true" />
        {name !== null && <span className="tb-Json-key">{name}</span>}
        <span className="tb-Soft">{list ? `[${entries.length}]` : `{${entries.length}}`}</span>
      </button>
      {open && (
        <div className="tb-Json-level">
          {entries.slice(0, most).map(([key, one]) => (
            <Entry key={key} name={key} value={one} open={entries.length <= 8} />
          ))}
          {entries.length > most && (
            <button className="tb-Link" onClick={() => setMost(most + 10 * MOST)}>
              {trans.__('Show the next of %1', entries.length - most)}
            </button>
          )}
        </div>
      )}
    </div>
  );
}
