/** The tab with the page of one run. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import React from 'react';

import { trackbookIcon } from '../icon';
import { Locale } from '../locale';
import type { RunApi } from './api';
import type { IRunHost } from './host';
import { RunPage } from './page';

/** What is in a tab; it rests while it is hidden. */
export class RunWidget extends ReactWidget {
  constructor(
    readonly api: RunApi,
    private readonly _host: IRunHost,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('tb-RunWidget');
    this.title.icon = trackbookIcon;
    this.title.label = _trans.__('Run');
    this.title.caption = api.run;
    this.title.closable = true;
    document.addEventListener('visibilitychange', this._onVisibility);
  }

  dispose(): void {
    document.removeEventListener('visibilitychange', this._onVisibility);
    super.dispose();
  }

  protected render(): React.JSX.Element {
    return (
      <Locale.Provider value={this._trans}>
        <RunPage
          api={this.api}
          host={this._host}
          visible={this.isVisible && document.visibilityState === 'visible'}
          onTitle={this._onTitle}
        />
      </Locale.Provider>
    );
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.update();
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.update();
  }

  private readonly _onTitle = (title: string): void => {
    this.title.label = title;
    this.title.caption = `${title} (${this.api.run})`;
  };

  private readonly _onVisibility = (): void => this.update();
}
