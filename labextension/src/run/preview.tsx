/** The content of artifacts: pictures by <img>, pages in a sandbox, data as data. */

import React, { useEffect, useRef, useState } from 'react';

import { Chart } from '../chart';
import { useTrans } from '../locale';
import type { IArtifact, IPreview } from './pieces';
import { Trouble } from './drawn';
import { usePage } from './host';
import { Json } from './json';
import { messageOf, useNear, usePiece } from './piece';
import { plainText } from './text';

/** What a page of an artifact may do: show its text and its own pictures, and nothing else. */
const POLICY =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; form-action 'none'";

/** The preview of an artifact, as the server says that it can be shown. */
export function Preview({ artifact }: { artifact: IArtifact }): React.JSX.Element {
  const { name, blob } = artifact;
  const { data, trouble } = usePiece('preview', { name }, true, blob ?? '');
  if (!data) {
    return trouble ? <Trouble text={trouble} /> : <div className="tb-Waiting" />;
  }
  return (
    <div className="tb-Preview" data-kind={data.kind}>
      <Shown data={data} artifact={artifact} />
    </div>
  );
}

function Shown(props: { data: IPreview; artifact: IArtifact }): React.JSX.Element {
  const trans = useTrans();
  const { data, artifact } = props;
  switch (data.kind) {
    case 'image':
      return <Picture artifact={artifact} />;
    case 'html':
      return <Page artifact={artifact} />;
    case 'chart':
      return <Chart spec={data.spec} />;
    case 'table':
      return <Table data={data} />;
    case 'json':
      return data.more ? <Text data={data} /> : <Json text={data.text} />;
    case 'text':
      return <Text data={data} />;
    default:
      return (
        <p className="tb-RunNote">
          {data.reason ??
            trans.__('There is no preview of such a file; download it to see it.')}
        </p>
      );
  }
}

function Text({ data }: { data: { text: string; more: boolean } }): React.JSX.Element {
  const trans = useTrans();
  return (
    <>
      <pre className="tb-Pre" tabIndex={0}>
        {plainText(data.text)}
      </pre>
      {data.more && (
        <p className="tb-RunNote">
          {trans.__('This is the beginning; download it for the rest.')}
        </p>
      )}
    </>
  );
}

function Table({ data }: { data: IPreview & { kind: 'table' } }): React.JSX.Element {
  const trans = useTrans();
  const { columns, rows, numeric, more, hidden, total } = data;
  const side = (at: number): string | undefined => (numeric[at] ? 'tb-mod-right' : undefined);
  return (
    <>
      <div
        className="tb-Wide tb-mod-high"
        tabIndex={0}
        role="group"
        aria-label={trans.__('Table')}
      >
        <table className="tb-Grid">
          <thead>
            <tr>
              {columns.map((name, at) => (
                <th key={at} scope="col" className={side(at)}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, index) => (
              <tr key={index}>
                {row.map((text, at) => (
                  <td key={at} className={side(at)}>
                    {text}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {(more || hidden > 0) && (
        <p className="tb-RunNote">
          {total === undefined
            ? trans.__('The first %1 rows', rows.length)
            : trans.__('The first %1 of %2 rows', rows.length, total)}
          {hidden > 0 && ` · ${trans.__('%1 more columns', hidden)}`}
        </p>
      )}
    </>
  );
}

/** A picture with its name; one of several steps has a slider. */
export function Picture({ artifact }: { artifact: IArtifact }): React.JSX.Element {
  const trans = useTrans();
  const { api } = usePage();
  const { name, steps } = artifact;
  const box = useRef<HTMLElement>(null);
  const near = useNear(box);
  const [at, setAt] = useState((steps?.length ?? 1) - 1);
  const step = steps?.[at] ?? null;
  const { url, trouble } = useContent(artifact, step, near);
  return (
    <figure ref={box} className="tb-Picture" data-artifact={name}>
      <div className="tb-Picture-place">
        {url && <img src={url} alt={name} />}
        <Trouble text={trouble} />
      </div>
      <figcaption>
        <span className="tb-Picture-name" title={name}>
          {name}
        </span>
        <span className="tb-Soft">{artifact.text}</span>
        <a
          className="tb-Link"
          href={api.download(name, step)}
          download={name.slice(name.lastIndexOf('/') + 1)}
          aria-label={trans.__('Download %1', name)}
        >
          {trans.__('Download')}
        </a>
      </figcaption>
      {steps && steps.length > 1 && (
        <label className="tb-Picture-steps">
          <input
            type="range"
            min={0}
            max={steps.length - 1}
            value={at}
            aria-valuetext={trans.__('step %1', step ?? '')}
            onChange={event => setAt(Number(event.target.value))}
          />
          <span>{trans.__('step %1', step ?? '')}</span>
        </label>
      )}
    </figure>
  );
}

/** The content of an artifact as an address of this page alone. */
function useContent(
  artifact: IArtifact,
  step: number | null,
  wanted: boolean
): { url: string; trouble: string } {
  const { api } = usePage();
  const { name, blob } = artifact;
  const [held, setHeld] = useState({ url: '', trouble: '' });
  useEffect(() => {
    if (!wanted) {
      return undefined;
    }
    let ended = false;
    let url = '';
    api
      .artifact(name, step)
      .then(content => {
        if (!ended) {
          url = URL.createObjectURL(content);
          setHeld({ url, trouble: '' });
        }
      })
      .catch((error: unknown) => {
        if (!ended) {
          setHeld({ url: '', trouble: messageOf(error) });
        }
      });
    return () => {
      ended = true;
      URL.revokeObjectURL(url);
    };
  }, [api, name, step, wanted, blob]);
  return held;
}

/** A page of an artifact: no scripts, no origin, nothing loaded. */
function Page({ artifact }: { artifact: IArtifact }): React.JSX.Element {
  const trans = useTrans();
  const { api } = usePage();
  const { name, blob } = artifact;
  const [html, setHtml] = useState<string | null>(null);
  const [trouble, setTrouble] = useState('');
  useEffect(() => {
    let ended = false;
    api
      .artifact(name)
      .then(content => content.text())
      .then(text => !ended && setHtml(text))
      .catch((error: unknown) => !ended && setTrouble(messageOf(error)));
    return () => {
      ended = true;
    };
  }, [api, name, blob]);
  if (html === null) {
    return trouble ? <Trouble text={trouble} /> : <div className="tb-Waiting" />;
  }
  const head = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}">`;
  return (
    <>
      <iframe
        className="tb-Html"
        title={name}
        sandbox=""
        referrerPolicy="no-referrer"
        srcDoc={head + html}
      />
      <p className="tb-RunNote">
        {trans.__('Shown without its scripts and without anything from elsewhere.')}
      </p>
    </>
  );
}
