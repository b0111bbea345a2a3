/** The images of all runs side by side, at one step. */

import React, { useEffect, useRef, useState } from 'react';

import { useTrans } from '../locale';
import type { IImages } from './api';
import { useSeen } from './asking';
import { NoChart } from './figure';
import { useShared } from './shared';
import { atStep, stepsOf } from './steps';
import { Swatch } from './swatch';

/** One block for each name that any run logged images under. */
export function Images(): React.JSX.Element {
  const trans = useTrans();
  const { comparing, store, refs, version } = useShared();
  const [images, setImages] = useState<readonly IImages[] | null>(null);
  const host = useRef<HTMLDivElement>(null);
  const seen = useSeen(host);
  const key = refs.join(',');

  useEffect(() => {
    if (!seen || !comparing) {
      return undefined;
    }
    let ended = false;
    comparing.images(store, key.split(',')).then(
      found => {
        if (!ended) {
          setImages(old => (JSON.stringify(old) === JSON.stringify(found) ? old : found));
        }
      },
      () => {
        if (!ended) {
          setImages(old => old ?? []);
        }
      }
    );
    return () => {
      ended = true;
    };
  }, [comparing, store, key, seen, version]);

  return (
    <div ref={host}>
      {images?.length === 0 && (
        <NoChart>
          {trans.__('No images yet: tb.log_image(image, "sample", step=epoch) keeps one.')}
        </NoChart>
      )}
      {images?.map(image => (
        <Steps key={image.name} image={image} />
      ))}
    </div>
  );
}

function Steps({ image }: { image: IImages }): React.JSX.Element {
  const trans = useTrans();
  const { refs, labels, styles } = useShared();
  const steps = stepsOf(image);
  const [chosen, setChosen] = useState<number | null>(null);
  const last = steps[steps.length - 1];
  // Until somebody moves the slider it stays at the newest.
  const place = chosen === null ? steps.length - 1 : Math.min(chosen, steps.length - 1);
  const step = steps[place] ?? null;
  return (
    <section className="tb-Images" aria-label={image.name}>
      <header className="tb-Figure-head">
        <h4 className="tb-Figure-title">{image.name}</h4>
        {steps.length > 1 && (
          <label className="tb-Images-step">
            {trans.__('Step')}
            <input
              type="range"
              min={0}
              max={steps.length - 1}
              value={place}
              aria-valuetext={String(step)}
              onChange={event => setChosen(Number(event.target.value))}
            />
            <output className="tb-Controls-number">
              {trans.__('%1 of %2', step ?? 0, last ?? 0)}
            </output>
          </label>
        )}
      </header>
      <div className="tb-Images-row">
        {refs.map((run, index) => (
          <figure key={run}>
            <figcaption>
              <Swatch style={styles[index]} />
              {labels[index]}
            </figcaption>
            <Picture run={run} name={image.name} at={atStep(image.steps[index], step)} />
          </figure>
        ))}
      </div>
    </section>
  );
}

function Picture(props: {
  run: string;
  name: string;
  /** The step to show, null for one without; undefined where the run has none so far. */
  at: number | null | undefined;
}): React.JSX.Element {
  const { run, name, at } = props;
  const trans = useTrans();
  const { comparing, store, labels, refs } = useShared();
  const [address, setAddress] = useState('');
  const [trouble, setTrouble] = useState('');

  useEffect(() => {
    if (!comparing || at === undefined) {
      return undefined;
    }
    let ended = false;
    let made = '';
    comparing.image(store, run, name, at).then(
      blob => {
        if (!ended) {
          made = URL.createObjectURL(blob);
          setAddress(made);
          setTrouble('');
        }
      },
      (error: unknown) => {
        if (!ended) {
          setTrouble(error instanceof Error ? error.message : String(error));
        }
      }
    );
    return () => {
      ended = true;
      URL.revokeObjectURL(made);
    };
  }, [comparing, store, run, name, at]);

  if (at === undefined) {
    return <div className="tb-Images-none">–</div>;
  }
  if (trouble) {
    return (
      <div className="tb-Images-none" title={trouble}>
        {trans.__('cannot be shown')}
      </div>
    );
  }
  const told = at === null ? name : trans.__('%1 at step %2', name, at);
  return (
    <>
      {address ? (
        <img src={address} alt={`${labels[refs.indexOf(run)]}: ${told}`} />
      ) : (
        <div className="tb-Images-none" />
      )}
      {at !== null && <span className="tb-Images-at">{trans.__('step %1', at)}</span>}
    </>
  );
}
