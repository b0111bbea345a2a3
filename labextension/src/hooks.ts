/** What React must be told about the page: a model's state, a size, the theme. */

import type { RefObject } from 'react';
import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';

import type { IState, RunsModel } from './model';

const STEP = 24;

/** The state of a model; the component renders again when it changes. */
export function useModel(model: RunsModel): IState {
  const subscribe = useCallback(
    (listener: () => void) => {
      model.changed.connect(listener);
      return () => {
        model.changed.disconnect(listener);
      };
    },
    [model]
  );
  return useSyncExternalStore(subscribe, () => model.state);
}

/** The width of an element in whole px, 0 until it is known. */
export function useWidth(ref: RefObject<HTMLElement>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = ref.current;
    if (!element) {
      return undefined;
    }
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return width;
}

/** Whether the theme is dark, and a number that changes with the theme. */
export function useTheme(): { dark: boolean; turn: number } {
  const [theme, setTheme] = useState({ dark: isDark(), turn: 0 });
  useEffect(() => {
    // Lab writes these attributes in its own IThemeManager.themeChanged, so this hears it too.
    const observer = new MutationObserver(() =>
      setTheme(({ turn }) => ({ dark: isDark(), turn: turn + 1 }))
    );
    observer.observe(document.body, {
      attributeFilter: ['data-jp-theme-light', 'data-jp-theme-name']
    });
    return () => observer.disconnect();
  }, []);
  return theme;
}

function isDark(): boolean {
  return document.body.dataset.jpThemeLight === 'false';
}

/** How far an element is scrolled to the right, in steps that a column is wide. */
export function useScrolled(ref: RefObject<HTMLElement>): number {
  const [scrolled, setScrolled] = useState(0);
  useEffect(() => {
    const element = ref.current;
    if (!element) {
      return undefined;
    }
    const look = (): void => setScrolled(Math.floor(element.scrollLeft / STEP) * STEP);
    element.addEventListener('scroll', look, { passive: true });
    return () => element.removeEventListener('scroll', look);
  }, [ref]);
  return scrolled;
}
