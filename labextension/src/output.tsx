/** A table of runs as the output of a cell. */

import React from 'react';

import { useModel } from './hooks';
import { useTrans } from './locale';
import type { RunsModel } from './model';
import { CompareBar } from './panel';
import { Notice } from './runs/notice';
import { RunsTable } from './table';

/** The runs of a model, with the way to compare them where the store is served. */
export function RunsOutput(props: {
  model: RunsModel;
  onCompare: (store: string, refs: string[]) => void;
  onOpen: (store: string, run: string) => void;
}): React.JSX.Element {
  const { model, onCompare } = props;
  const trans = useTrans();
  const state = useModel(model);
  if (state.rows.length === 0) {
    return <p className="tb-Note">{trans.__('No runs.')}</p>;
  }
  return (
    <div className="tb-RunsOutput">
      <RunsTable
        model={model}
        state={state}
        label={trans.__('Runs')}
        onOpen={id => state.store && props.onOpen(state.store.id, id)}
      />
      <Notice model={model} state={state} />
      {state.total > state.rows.length && (
        <p className="tb-Note">{trans.__('%1 of %2 runs', state.rows.length, state.total)}</p>
      )}
      <CompareBar model={model} state={state} onCompare={onCompare} />
    </div>
  );
}
