/** Says when a tracked cell that took long has ended, in Lab and, where wished, in the system. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { NotebookActions } from '@jupyterlab/notebook';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IAttempt, IStrip } from '../strip/api';
import type { Cell } from '../strip/attach';
import { stripsOf } from '../strip/attach';
import { trackLine } from '../strip/track';
import type { IWish } from './timing';
import { Clock, spent, worthTelling } from './timing';

/** How long the server may take to hear of a run that has ended, in ms. */
const PATIENCE = 3000;

/** Watches the cells of all notebooks. */
export function notifyEnds(
  app: JupyterFrontEnd,
  notebooks: INotebookTracker,
  trans: TranslationBundle,
  settings: Promise<ISettingRegistry.ISettings> | null
): void {
  const wish: IWish = { after: 30, system: false };
  void settings?.then(loaded => readSettings(loaded, wish)).catch(() => undefined);
  const clock = new Clock();
  NotebookActions.executionScheduled.connect((_, { notebook, cell }) => {
    clock.scheduled(notebook, cell.model.id, Date.now());
  });
  NotebookActions.executed.connect((_, { notebook, cell, success, error }) => {
    const seconds = clock.ended(notebook, cell.model.id, Date.now());
    const panel = notebooks.find(one => one.content === notebook);
    if (panel && worthTelling(wish, seconds) && isTracked(panel, cell)) {
      const failed = success ? null : (error?.errorName ?? '');
      void lastAttempt(panel, cell).then(found =>
        tell(app, trans, wish, told(trans, found?.attempt ?? null, seconds, failed), found)
      );
    }
  });
}

interface IFound {
  store: string;
  attempt: IAttempt;
}

interface ITold {
  text: string;
  failed: boolean;
}

function isTracked(panel: NotebookPanel, cell: Cell): boolean {
  const source = cell.model.sharedModel.getSource();
  return trackLine(source) !== null || strip(panel, cell) !== null;
}

function strip(panel: NotebookPanel, cell: Cell): IStrip | null {
  const { id, sharedModel } = cell.model;
  return stripsOf(panel)?.strip(id, sharedModel.getSource()) ?? null;
}

/** The attempt that has just ended, as soon as the server knows of its end. */
async function lastAttempt(panel: NotebookPanel, cell: Cell): Promise<IFound | null> {
  const model = stripsOf(panel);
  const until = Date.now() + PATIENCE;
  for (;;) {
    await model?.refresh(true);
    const last = strip(panel, cell)?.attempts.slice(-1)[0];
    if (model?.store && last && last.status !== 'running') {
      return { store: model.store, attempt: last };
    }
    if (!model || Date.now() > until) {
      return null;
    }
    await new Promise(resolve => setTimeout(resolve, 300));
  }
}

function told(
  trans: TranslationBundle,
  attempt: IAttempt | null,
  seconds: number,
  failed: string | null
): ITold {
  const name = attempt ? `${attempt.name} #${attempt.number}` : trans.__('The tracked cell');
  if (failed !== null) {
    const text = trans.__('%1 failed after %2', name, spent(seconds));
    return { text: failed ? `${text}: ${failed}` : text, failed: true };
  }
  const { headline } = attempt ?? {};
  const metric = headline && [
    headline.key,
    headline.text,
    headline.delta && `(${headline.delta})`
  ];
  const text = trans.__('%1 finished in %2', name, spent(seconds));
  return {
    text: metric ? `${text}: ${metric.filter(Boolean).join(' ')}` : text,
    failed: false
  };
}

function tell(
  app: JupyterFrontEnd,
  trans: TranslationBundle,
  wish: IWish,
  { text, failed }: ITold,
  found: IFound | null
): void {
  const open = (): void => {
    if (found) {
      const args = { store: found.store, run: found.attempt.id };
      void app.commands.execute('trackbook:open-run', args);
    }
  };
  const options = {
    autoClose: failed ? (false as const) : 10_000,
    actions: found ? [{ label: trans.__('Open Run'), callback: open }] : []
  };
  if (failed) {
    Notification.error(text, options);
  } else {
    Notification.success(text, options);
  }
  const away = document.visibilityState !== 'visible' || !document.hasFocus();
  if (wish.system && away && globalThis.Notification?.permission === 'granted') {
    const shown = new globalThis.Notification('Trackbook', { body: text });
    shown.onclick = () => window.focus();
  }
}

function readSettings(loaded: ISettingRegistry.ISettings, wish: IWish): void {
  const read = (): void => {
    const after = loaded.get('notifyAfter').composite;
    wish.after = typeof after === 'number' ? after : 30;
    const system = loaded.get('systemNotifications').composite === true;
    if (system && !wish.system && globalThis.Notification?.permission === 'default') {
      void globalThis.Notification.requestPermission();
    }
    wish.system = system;
  };
  loaded.changed.connect(read);
  read();
}
