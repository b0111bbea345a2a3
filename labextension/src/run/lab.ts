/** Lab as the host of a run's page: its renderers, its notebook cells, its documents. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IEditorServices } from '@jupyterlab/codeeditor';
import type { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import type { INotebookContent } from '@jupyterlab/nbformat';
import { NotebookModel, StaticNotebook } from '@jupyterlab/notebook';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';

import type { IDrawing, IRunHost } from './host';

/** What stays in sight above the tracked cell, in px. */
const ABOVE = 48;
/** How a reader takes hold of the cells. */
const HANDS = ['wheel', 'keydown', 'pointerdown', 'touchstart'] as const;

/** What of Lab the page uses; the last two are not everywhere. */
export interface ILabParts {
  app: JupyterFrontEnd;
  rendermime: IRenderMimeRegistry;
  editors: IEditorServices | null;
  browser: IDefaultFileBrowser | null;
}

/** The commands that lead to other pages. */
export interface ILeads {
  openRun: (store: string, run: string) => void;
  compare: (store: string, refs: string[]) => void;
}

/** The host of the pages in this Lab. */
export function labHost(parts: ILabParts, leads: ILeads): IRunHost {
  const { app, editors } = parts;
  return {
    ...leads,
    render: (element, mime, text) => rendered(parts.rendermime, element, mime, text),
    notebook: editors
      ? (element, content, tracked) =>
          drawn(parts.rendermime, editors, element, content as INotebookContent, tracked)
      : undefined,
    openCopy: content => copied(parts, content as INotebookContent),
    openNotebook: path => void app.commands.execute('docmanager:open', { path })
  };
}

function rendered(
  rendermime: IRenderMimeRegistry,
  element: HTMLElement,
  mime: string,
  text: string
): IDrawing {
  const renderer = rendermime.createRenderer(mime);
  Widget.attach(renderer, element);
  void renderer.renderModel(rendermime.createModel({ data: { [mime]: text }, trusted: false }));
  return { dispose: () => renderer.dispose() };
}

/** Cells as Lab shows them: nothing is trusted, nothing can be typed or run. */
function drawn(
  rendermime: IRenderMimeRegistry,
  editors: IEditorServices,
  element: HTMLElement,
  content: INotebookContent,
  tracked: number | null
): IDrawing {
  const notebook = new StaticNotebook({
    rendermime: rendermime.clone(),
    contentFactory: new StaticNotebook.ContentFactory({
      editorFactory: options => editors.factoryService.newInlineEditor(options)
    }),
    mimeTypeService: editors.mimeTypeService,
    notebookConfig: { ...StaticNotebook.defaultNotebookConfig, windowingMode: 'none' }
  });
  const model = new NotebookModel();
  model.fromJSON(asPython(content));
  notebook.model = model;
  notebook.addClass('tb-Snapshot-cells');
  Widget.attach(notebook, element);
  notebook.widgets.forEach((cell, index) => {
    cell.readOnly = true;
    if (index === tracked) {
      cell.addClass('tb-mod-tracked');
    }
  });
  const cell = tracked === null ? undefined : notebook.widgets[tracked];
  const settled = cell ? held(element, notebook.node, cell.node) : undefined;
  return {
    dispose: () => {
      settled?.();
      notebook.dispose();
      model.dispose();
    }
  };
}

/**
 * Keeps a cell at the top until a reader takes hold: those above it are drawn, and grow, only when
 * they come into view.
 */
function held(scroller: HTMLElement, content: HTMLElement, cell: HTMLElement): () => void {
  const align = (): void => {
    const [there, top] = [cell, scroller].map(one => one.getBoundingClientRect().top);
    // At once: what is added and taken away one after the other may meet the end in between.
    scroller.scrollTop += (there ?? 0) - (top ?? 0) - ABOVE;
  };
  const observer = new ResizeObserver(align);
  observer.observe(content);
  const stop = (): void => {
    observer.disconnect();
    HANDS.forEach(event => scroller.removeEventListener(event, stop));
  };
  HANDS.forEach(event => scroller.addEventListener(event, stop, { passive: true }));
  return stop;
}

/** What was tracked was Python; without this its code would have no colours. */
function asPython(content: INotebookContent): INotebookContent {
  const language_info = { name: 'python', mimetype: 'text/x-ipython', file_extension: '.py' };
  return { ...content, metadata: { language_info, ...content.metadata } };
}

async function copied(parts: ILabParts, content: INotebookContent): Promise<void> {
  const { contents, kernelspecs } = parts.app.serviceManager;
  await kernelspecs.ready;
  const name = kernelspecs.specs?.default ?? 'python3';
  const display_name = kernelspecs.specs?.kernelspecs[name]?.display_name ?? name;
  const made = await contents.newUntitled({
    path: parts.browser?.model.path ?? '',
    type: 'notebook'
  });
  const python = asPython(content);
  await contents.save(made.path, {
    type: 'notebook',
    format: 'json',
    content: {
      ...python,
      metadata: { kernelspec: { name, display_name }, ...python.metadata }
    }
  });
  await parts.app.commands.execute('docmanager:open', { path: made.path });
}
