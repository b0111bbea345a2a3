/** The Lumino widgets that host our React trees in the Lab shell. */

import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import React from 'react';

import { trackbookIcon } from './icon';
import { Locale } from './locale';
import type { RunsModel } from './model';
import { Panel } from './panel';

/** Id of the side panel. */
export const PANEL_ID = 'trackbook-panel';

/** The side panel; its model rests while it is hidden. */
export class PanelWidget extends ReactWidget {
  constructor(
    private readonly _model: RunsModel,
    private readonly _trans: TranslationBundle,
    private readonly _onCompare: (store: string, refs: string[]) => void
  ) {
    super();
    this.id = PANEL_ID;
    this.addClass('tb-PanelWidget');
    this.title.icon = trackbookIcon;
    this.title.caption = _trans.__('Trackbook: runs of this notebook');
    window.addEventListener('focus', this._onFocus);
    document.addEventListener('visibilitychange', this._onFocus);
  }

  dispose(): void {
    window.removeEventListener('focus', this._onFocus);
    document.removeEventListener('visibilitychange', this._onFocus);
    this._model.dispose();
    super.dispose();
  }

  protected render(): React.JSX.Element {
    return (
      <Locale.Provider value={this._trans}>
        <Panel model={this._model} onCompare={this._onCompare} />
      </Locale.Provider>
    );
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._model.setVisible(true);
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._model.setVisible(this.isVisible);
  }

  protected onBeforeHide(message: Message): void {
    this._model.setVisible(false);
    super.onBeforeHide(message);
  }

  // Events may have been missed while the browser tab was in the background.
  private readonly _onFocus = (): void => {
    this._model.setVisible(this.isVisible && document.visibilityState === 'visible');
  };
}
