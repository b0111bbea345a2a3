/** The frame of a chart: its title, what can be done with it, and the chart or why there is none. */

import React, { useContext, useEffect, useId, useRef, useState } from 'react';

import { useTrans } from '../locale';
import type { IAsk } from './api';
import { rowsOf } from './lines';
import { Actions, useShared } from './shared';

export interface IFigureProps {
  title: string;
  ask: IAsk;
  /** The Python of the chart; empty until it is known. */
  python: string;
  children: React.ReactNode;
  /** More in the title's line, before the menu. */
  tools?: React.ReactNode;
  onRemove?: () => void;
}

/** A chart in its frame. */
export function Figure(props: IFigureProps): React.JSX.Element {
  const { title, children, tools } = props;
  const heading = useId();
  return (
    <section className="tb-Figure" aria-labelledby={heading}>
      <header className="tb-Figure-head">
        <h4 className="tb-Figure-title" id={heading} title={title}>
          {title}
        </h4>
        {tools}
        <Menu {...props} />
      </header>
      {children}
    </section>
  );
}

function Menu(props: IFigureProps): React.JSX.Element {
  const { title, ask, python, onRemove } = props;
  const trans = useTrans();
  const { insert } = useContext(Actions);
  const { comparing, store, refs } = useShared();
  const [open, setOpen] = useState(false);
  const [said, setSaid] = useState('');
  const host = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!open) {
      return undefined;
    }
    const leave = (event: Event): void => {
      if (!host.current?.contains(event.target as Node)) {
        setOpen(false);
      }
    };
    document.addEventListener('pointerdown', leave);
    return () => document.removeEventListener('pointerdown', leave);
  }, [open]);

  useEffect(() => {
    if (!said) {
      return undefined;
    }
    const timer = setTimeout(() => setSaid(''), 2500);
    return () => clearTimeout(timer);
  }, [said]);

  const save = async (kind: 'png' | 'svg'): Promise<void> => {
    if (!comparing) {
      return;
    }
    const how = { width: 760, spec: true, legend: true };
    const reply = await comparing.chart(store, refs, ask, how);
    const { picture } = await import('../vega');
    const values = rowsOf(reply.columns);
    download(
      await picture({ ...reply.spec, width: 760, data: { values } }, kind),
      `${fileName(title)}.${kind}`
    );
  };
  const act = (work: () => unknown, told = ''): void => {
    setOpen(false);
    Promise.resolve(work()).then(
      () => setSaid(told),
      (error: unknown) => setSaid(error instanceof Error ? error.message : String(error))
    );
  };
  const place = (): void => {
    const done = insert?.(python) ?? false;
    setOpen(false);
    setSaid(done ? trans.__('In a new cell') : trans.__('Open a notebook first'));
  };
  return (
    <div
      className="tb-Menu"
      ref={host}
      onKeyDown={event => {
        if (event.key === 'Escape' && open) {
          setOpen(false);
          host.current?.querySelector('button')?.focus();
          event.stopPropagation();
        }
      }}
    >
      <span className="tb-Menu-said" role="status">
        {said}
      </span>
      <button
        className="tb-FigureButton"
        aria-label={trans.__('What to do with %1', title)}
        aria-expanded={open}
        title={trans.__('Save, copy, insert')}
        onClick={() => setOpen(wasOpen => !wasOpen)}
      >
        <span aria-hidden="true">⋯</span>
      </button>
      {open && (
        <div className="tb-Menu-items">
          <button disabled={!comparing} onClick={() => act(() => save('png'))}>
            {trans.__('Save as PNG')}
          </button>
          <button disabled={!comparing} onClick={() => act(() => save('svg'))}>
            {trans.__('Save as SVG')}
          </button>
          <button
            disabled={!python}
            onClick={() =>
              act(() => navigator.clipboard.writeText(python), trans.__('Python copied'))
            }
          >
            {trans.__('Copy as Python')}
          </button>
          {insert && (
            <button disabled={!python} onClick={place}>
              {trans.__('Insert into the notebook')}
            </button>
          )}
          {onRemove && (
            <button onClick={() => act(onRemove)}>{trans.__('Put this chart away')}</button>
          )}
        </div>
      )}
    </div>
  );
}

function download(address: string, name: string): void {
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
}

function fileName(title: string): string {
  return title.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^-+|-+$/g, '') || 'chart';
}

/** Says calmly why there is nothing to see. */
export function NoChart(props: { children: React.ReactNode }): React.JSX.Element {
  return <p className="tb-NoChart">{props.children}</p>;
}
