/** What the run kept besides numbers; each is previewed when it is unfolded. */

import React, { useState } from 'react';

import { useTrans } from '../locale';
import type { IArtifact } from './pieces';
import { Trouble } from './drawn';
import { usePage } from './host';
import { usePiece } from './piece';
import { Picture, Preview } from './preview';
import { Section } from './section';

const PICTURE = /\.(png|jpe?g|gif|webp|bmp|avif|svg)$/i;
const MOST_PICTURES = 12;
const MOST_ROWS = 100;

/** The section. */
export function Artifacts({ count }: { count: number }): React.JSX.Element {
  const trans = useTrans();
  return (
    <Section id="artifacts" title={trans.__('Artifacts')} count={count}>
      {near => <Content near={near} />}
    </Section>
  );
}

function Content({ near }: { near: boolean }): React.JSX.Element {
  const trans = useTrans();
  const { data, trouble } = usePiece('artifacts', {}, near);
  const [pictures, setPictures] = useState(MOST_PICTURES);
  const [rows, setRows] = useState(MOST_ROWS);
  if (!data) {
    return trouble ? <Trouble text={trouble} /> : <div className="tb-Waiting" />;
  }
  const shown = data.rows.filter(one => PICTURE.test(one.name));
  const others = data.rows.filter(one => !PICTURE.test(one.name));
  return (
    <>
      {shown.length > 0 && (
        <div className="tb-Pictures">
          {shown.slice(0, pictures).map(one => (
            <Picture key={one.name} artifact={one} />
          ))}
        </div>
      )}
      {shown.length > pictures && (
        <button className="tb-Link" onClick={() => setPictures(pictures + MOST_PICTURES)}>
          {trans.__('Show the next of %1 pictures', shown.length - pictures)}
        </button>
      )}
      {others.length > 0 && (
        <ul className="tb-Files">
          {others.slice(0, rows).map(one => (
            <File key={one.name} artifact={one} />
          ))}
        </ul>
      )}
      {others.length > rows && (
        <button className="tb-Link" onClick={() => setRows(rows + MOST_ROWS)}>
          {trans.__('Show the next of %1', others.length - rows)}
        </button>
      )}
      {data.total > data.rows.length && (
        <p className="tb-RunNote">
          {trans.__('%1 of %2 artifacts', data.rows.length, data.total)}
        </p>
      )}
    </>
  );
}

function File({ artifact }: { artifact: IArtifact }): React.JSX.Element {
  const trans = useTrans();
  const { api } = usePage();
  const [open, setOpen] = useState(false);
  const { name, kind, text } = artifact;
  return (
    <li className="tb-File" data-artifact={name}>
      <div className="tb-File-line">
        <button className="tb-File-name" aria-expanded={open} onClick={() => setOpen(!open)}>
          <span className="tb-RunSection-mark" aria-hidden="true" />
          {name}
        </button>
        <span className="tb-Soft">{kind}</span>
        <span className="tb-File-size">{text}</span>
        <a
          className="tb-Link"
          href={api.download(name)}
          download={name.slice(name.lastIndexOf('/') + 1)}
          aria-label={trans.__('Download %1', name)}
        >
          {trans.__('Download')}
        </a>
      </div>
      {open && <Preview artifact={artifact} />}
    </li>
  );
}
