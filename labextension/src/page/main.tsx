/** Starts the page that the server serves at `trackbook/`. Not part of the JupyterLab plugin. */

import { EventManager, ServerConnection } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import React from 'react';
import { createRoot } from 'react-dom/client';

import { RunsModel } from '../model';
import { ServerApi } from '../server';
import { Page } from './page';
import { followTheme } from './theme';

const serverSettings = ServerConnection.makeSettings({ appendToken: false });
const api = new ServerApi({ serverSettings, events: new EventManager({ serverSettings }) });
const model = new RunsModel(api);

followTheme();
const look = (): void => model.setVisible(document.visibilityState === 'visible');
document.addEventListener('visibilitychange', look);
look();
model.follow('');

const host = document.getElementById('trackbook');
if (host) {
  const trans = nullTranslator.load('trackbook');
  createRoot(host).render(<Page api={api} model={model} trans={trans} />);
}
