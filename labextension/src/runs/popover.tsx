/** A button that opens a small panel under it; Escape and a click elsewhere close it. */

import React, { useEffect, useRef, useState } from 'react';

/** What the button says, and what it opens. */
export interface IPopoverProps {
  label: string;
  /** What is on the button. */
  face: React.ReactNode;
  className?: string;
  /** Whether something is set there that is not as usual. */
  marked?: boolean;
  /** The side of the button that the panel keeps to. */
  side?: 'left' | 'right';
  children: (close: () => void) => React.ReactNode;
}

/** The button with its panel. */
export function Popover(props: IPopoverProps): React.JSX.Element {
  const { label, face, marked, side = 'right' } = props;
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  useEffect(() => {
    if (!open) {
      return undefined;
    }
    const onPress = (event: PointerEvent): void => {
      if (!root.current?.contains(event.target as Node)) {
        setOpen(false);
      }
    };
    // Also where the focus was on something that has gone.
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        setOpen(false);
        button.current?.focus();
      }
    };
    document.addEventListener('pointerdown', onPress, true);
    document.addEventListener('keydown', onKey);
    root.current
      ?.querySelector<HTMLElement>('.tb-Popover input, .tb-Popover select, .tb-Popover button')
      ?.focus();
    return () => {
      document.removeEventListener('pointerdown', onPress, true);
      document.removeEventListener('keydown', onKey);
    };
  }, [open]);
  return (
    <div
      ref={root}
      className="tb-PopoverRoot"
      onKeyDown={event => {
        if (open && event.key === 'Escape') {
          event.stopPropagation();
          close();
        }
      }}
    >
      <button
        ref={button}
        className={`tb-Tool ${props.className ?? ''}${marked ? ' tb-mod-marked' : ''}`}
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-label={label}
        title={label}
        onClick={() => setOpen(!open)}
      >
        {face}
      </button>
      {open && (
        <div className={`tb-Popover tb-mod-${side}`} role="dialog" aria-label={label}>
          {props.children(close)}
        </div>
      )}
    </div>
  );
}
