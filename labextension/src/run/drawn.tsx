/** What the host draws for the page; where it cannot, the text itself. */

import React, { useEffect, useRef } from 'react';

import { usePage } from './host';
import { plainText } from './text';

/** Untrusted content of a MIME type, by the host's renderer. */
export function Rendered(props: { mime: string; text: string }): React.JSX.Element {
  const { mime, text } = props;
  const { host } = usePage();
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!element.current || !host.render) {
      return undefined;
    }
    const drawing = host.render(element.current, mime, text);
    return () => drawing.dispose();
  }, [host, mime, text]);
  return host.render ? (
    <div ref={element} className="tb-Rendered" />
  ) : (
    <pre className="tb-Pre">{plainText(text)}</pre>
  );
}

/** A sentence in place of what could not be had. */
export function Trouble({ text }: { text: string }): React.JSX.Element | null {
  return text ? (
    <p className="tb-RunNote" role="status">
      {text}
    </p>
  ) : null;
}
