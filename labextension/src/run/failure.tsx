/** How a run ended badly: the error with its traceback, or what is known of the kernel's death. */

import React from 'react';

import { useTrans } from '../locale';
import type { IDeath, IFacts } from './pieces';
import { Rendered } from './drawn';
import { Section } from './section';
import { moment, plainText } from './text';

/** The section. */
export function Failure({ run }: { run: IFacts }): React.JSX.Element {
  const trans = useTrans();
  const { error, death } = run;
  return (
    <Section id="failure" title={death ? trans.__('How it died') : trans.__('Failure')}>
      {() => (
        <>
          {death && <Death death={death} />}
          {error && (
            <div className="tb-Failure">
              <p className="tb-Failure-what">
                <strong>{error.type}</strong>
                {error.message && `: ${plainText(error.message).slice(0, 2000)}`}
              </p>
              {error.traceback && (
                <div className="tb-Failure-trace">
                  <Rendered mime="application/vnd.jupyter.stderr" text={error.traceback} />
                </div>
              )}
            </div>
          )}
        </>
      )}
    </Section>
  );
}

function Death({ death }: { death: IDeath }): React.JSX.Element {
  const trans = useTrans();
  const step = death.last_step;
  return (
    <div className="tb-Failure">
      <p className="tb-Failure-what">{death.cause}</p>
      <dl className="tb-Facts">
        <dt>{trans.__('When')}</dt>
        <dd>{moment(death.time)}</dd>
        {death.exit !== null && (
          <>
            <dt>{trans.__('Exit code')}</dt>
            <dd>{death.exit}</dd>
          </>
        )}
        {step && (
          <>
            <dt>{trans.__('Last point')}</dt>
            <dd>{trans.__('%1 at step %2', step.key, step.step)}</dd>
          </>
        )}
        {death.memory && death.memory.length > 1 && (
          <>
            <dt>{trans.__('Memory')}</dt>
            <dd>
              <Memory pairs={death.memory} />
            </dd>
          </>
        )}
        {death.last_cell && (
          <>
            <dt>{trans.__('Last cell')}</dt>
            <dd>
              <pre className="tb-Pre">{death.last_cell}</pre>
            </dd>
          </>
        )}
      </dl>
    </div>
  );
}

/** The memory of the process up to its end, in GB. */
function Memory({ pairs }: { pairs: readonly [number, number][] }): React.JSX.Element {
  const trans = useTrans();
  const values = pairs.map(pair => pair[1]);
  const [low, high] = [0, Math.max(...values, 1e-9)];
  const points = values
    .map(
      (value, at) =>
        `${(at / (values.length - 1)) * 160},${31 - ((value - low) / (high - low)) * 30}`
    )
    .join(' ');
  const told = trans.__(
    '%1 GB at the end',
    Number((values[values.length - 1] ?? 0).toPrecision(4))
  );
  return (
    <span className="tb-Memory">
      <svg width="160" height="32" role="img" aria-label={told}>
        <polyline points={points} fill="none" stroke="currentColor" strokeWidth="1.5" />
      </svg>
      {told}
    </span>
  );
}
