/** The filter in the `where` language: completion while typing, the error under its place. */

import React, { useEffect, useId, useMemo, useRef, useState } from 'react';

import { useTrans } from '../locale';
import type { IState, RunsModel } from '../model';
import type { IOption } from './complete';
import { complete, insert } from './complete';

/** Waiting time between a key and the question to the server, in ms. */
const TYPING = 300;

/** The input with its list of completions and what is wrong. */
export function Where(props: { model: RunsModel; state: IState }): React.JSX.Element {
  const trans = useTrans();
  const { model, state } = props;
  const [text, setText] = useState(state.where);
  const [caret, setCaret] = useState(0);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const [shift, setShift] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const listId = useId();
  const errorId = useId();
  useEffect(() => setText(state.where), [state.where]);
  useEffect(() => {
    const timer = setTimeout(() => model.setWhere(text.trim()), TYPING);
    return () => clearTimeout(timer);
  }, [model, text]);

  const { columns, others, held } = state;
  const found = useMemo(
    () =>
      open
        ? complete(text, caret, { columns: [...columns, ...others], rows: held })
        : { from: 0, to: 0, options: [] },
    [open, text, caret, columns, others, held]
  );
  const options = found.options;
  const chosen = Math.min(at, options.length - 1);
  const take = (option: IOption): void => {
    const made = insert(text, found, option);
    setText(made.text);
    setCaret(made.caret);
    setAt(0);
    setOpen(option.text.endsWith('.'));
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(made.caret, made.caret);
    });
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const option = options[chosen];
    const moves: Record<string, number> = { ArrowDown: chosen + 1, ArrowUp: chosen - 1 };
    const to = moves[event.key];
    if (to !== undefined && options.length > 0) {
      setAt((to + options.length) % options.length);
      event.preventDefault();
    } else if ((event.key === 'Enter' || event.key === 'Tab') && option && open) {
      take(option);
      event.preventDefault();
    } else if (event.key === 'Enter') {
      model.setWhere(text.trim());
    } else if (event.key === 'Escape' && options.length > 0) {
      setOpen(false);
      event.stopPropagation();
    } else if (event.key === ' ' && event.ctrlKey) {
      setOpen(true);
      event.preventDefault();
    }
  };
  const look = (): void => {
    setCaret(input.current?.selectionStart ?? 0);
    setShift(input.current?.scrollLeft ?? 0);
  };
  const wrong = state.whereError !== '' && text.trim() === state.where;
  return (
    <div className="tb-Where">
      <input
        ref={input}
        className="tb-Input tb-Where-input"
        placeholder={trans.__('Filter: metrics.acc > 0.9')}
        role="combobox"
        aria-label={trans.__('Filter runs')}
        aria-invalid={wrong}
        aria-describedby={wrong ? errorId : undefined}
        aria-expanded={options.length > 0}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={options.length > 0 ? `${listId}-${chosen}` : undefined}
        spellCheck={false}
        autoComplete="off"
        value={text}
        onChange={event => {
          setText(event.target.value);
          setCaret(event.target.selectionStart ?? 0);
          setAt(0);
          setOpen(true);
        }}
        onSelect={look}
        onScroll={look}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
      />
      {text !== '' && (
        <button
          className="tb-Where-clear"
          aria-label={trans.__('Clear the filter')}
          onClick={() => {
            setText('');
            model.setWhere('');
          }}
        >
          ×
        </button>
      )}
      {wrong && state.wherePlace !== null && (
        <Caret text={text} place={state.wherePlace} shift={shift} />
      )}
      <ul
        id={listId}
        className="tb-Where-list"
        role="listbox"
        aria-label={trans.__('Completions')}
        hidden={options.length === 0}
      >
        {options.map((option, place) => (
          <Completion
            key={option.text}
            id={`${listId}-${place}`}
            option={option}
            chosen={place === chosen}
            onTake={take}
          />
        ))}
      </ul>
      {wrong && (
        <p id={errorId} className="tb-Where-error" role="status" title={state.whereError}>
          {firstPart(state.whereError)}
        </p>
      )}
    </div>
  );
}

function Completion(props: {
  id: string;
  option: IOption;
  chosen: boolean;
  onTake: (option: IOption) => void;
}): React.JSX.Element {
  const { option, chosen } = props;
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (chosen) {
      item.current?.scrollIntoView({ block: 'nearest' });
    }
  }, [chosen]);
  return (
    <li
      ref={item}
      id={props.id}
      className="tb-Where-option"
      role="option"
      aria-selected={chosen}
      onMouseDown={event => {
        event.preventDefault(); // the input keeps the focus
        props.onTake(option);
      }}
    >
      <span className="tb-Where-text">{option.text}</span>
      <span className="tb-Where-detail">{option.detail}</span>
    </li>
  );
}

/** A mark under the place that is wrong. */
function Caret(props: { text: string; place: number; shift: number }): React.JSX.Element {
  const { text, place, shift } = props;
  const length = /^[\w.]+/.exec(text.slice(place))?.[0].length ?? 1;
  return (
    <span className="tb-Where-caret" aria-hidden={true} style={{ marginInlineStart: -shift }}>
      <span className="tb-Where-before">{text.slice(0, place)}</span>
      <span className="tb-Where-mark" data-place={place}>
        {text.slice(place, place + length) || ' '}
      </span>
    </span>
  );
}

/** What is wrong; what is allowed at all is in the tooltip. */
function firstPart(message: string): string {
  return message.split('; allowed are')[0] ?? message;
}
