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
      void cell.ready.then(() => {
        if (!cell.isDisposed) {
          element.scrollTop += cell.node.getBoundingClientRect().top;
          element.scrollTop -= element.getBoundingClientRect().top + ABOVE;
        }
      });
    }
  });
  return {
    dispose: () => {
      notebook.dispose();
      model.dispose();
    }
  };
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
