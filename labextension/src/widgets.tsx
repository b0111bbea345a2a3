/** The Lumino widgets that host our React trees in the Lab shell. */

import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import React from 'react';

import { trackbookIcon } from './icon';
import { Locale } from './locale';
import type { RunsModel } from './model';
import { Panel } from './panel';
import type { IRunsHost } from './runs/host';

/** Id of the side panel. */
export const PANEL_ID = 'trackbook-panel';

/** Id of the tab with the table of runs. */
export const TABLE_ID = 'trackbook-table';

/** The runs in the side panel or in a tab; their model rests while nobody looks. */
export class RunsWidget extends ReactWidget {
  constructor(
    private readonly _model: RunsModel,
    private readonly _trans: TranslationBundle,
    private readonly _host: IRunsHost,
    id: string
  ) {
    super();
    this.id = id;
    this.addClass('tb-PanelWidget');
    this.title.icon = trackbookIcon;
    this.title.caption = _trans.__('Trackbook: runs of this notebook');
    this.title.label = id === PANEL_ID ? '' : _trans.__('Runs');
    window.addEventListener('focus', this._onFocus);
    document.addEventListener('visibilitychange', this._onFocus);
  }

  dispose(): void {
    window.removeEventListener('focus', this._onFocus);
    document.removeEventListener('visibilitychange', this._onFocus);
    this._model.setVisible(false, this.id);
    super.dispose();
  }

  protected render(): React.JSX.Element {
    return (
      <Locale.Provider value={this._trans}>
        <Panel model={this._model} host={this._host} />
      </Locale.Provider>
    );
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._model.setVisible(true, this.id);
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._model.setVisible(this.isVisible, this.id);
  }

  protected onBeforeHide(message: Message): void {
    this._model.setVisible(false, this.id);
    super.onBeforeHide(message);
  }

  // Events may have been missed while the browser tab was in the background.
  private readonly _onFocus = (): void => {
    const seen = this.isVisible && document.visibilityState === 'visible';
    this._model.setVisible(seen, this.id);
  };
}
