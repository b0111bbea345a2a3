/** What the page of a run is shown in: Lab brings its renderers, a plain page has none. */

import { createContext, useContext } from 'react';

import type { RunApi } from './api';

/** What ends a drawing. */
export interface IDrawing {
  dispose(): void;
}

/** Where the page is shown. All that is optional is left out where it is not there. */
export interface IRunHost {
  /** Shows another run. */
  openRun(store: string, run: string): void;
  /** Shows runs side by side. */
  compare(store: string, refs: string[]): void;
  /** Draws untrusted content of a MIME type, sanitised. */
  render?(element: HTMLElement, mime: string, text: string): IDrawing;
  /** Draws a notebook that nobody can change or run; one cell is marked. */
  notebook?(element: HTMLElement, content: unknown, tracked: number | null): IDrawing;
  /** Makes a new notebook of the content and opens it. */
  openCopy?(content: unknown): Promise<void>;
  /** Opens the notebook that the run came from. */
  openNotebook?(path: string): void;
}

/** What every part of the page knows. */
export interface IPageContext {
  api: RunApi;
  host: IRunHost;
  /** Changes whenever the run does. */
  version: string;
  running: boolean;
  /** Whether anybody can see the page; a hidden one asks for nothing. */
  visible: boolean;
  /** Asks for the overview anew. */
  refresh(): void;
}

/** Provided at the root of the page. */
export const PageContext = createContext<IPageContext | null>(null);

/** The page that a component is in. */
export function usePage(): IPageContext {
  const page = useContext(PageContext);
  if (!page) {
    throw new Error('A part of a run page needs a <PageContext.Provider>');
  }
  return page;
}
