/** The tab of a comparison in Lab's main area, and the command that opens it. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ILayoutRestorer } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import React from 'react';

import type { IApi } from '../api';
import { trackbookIcon } from '../icon';
import { LiveCompare } from '../live';
import { Locale } from '../locale';
import { place } from '../place';
import type { IActions } from './shared';
import { Actions } from './shared';
import type { IView } from './view';
import { readView } from './view';

/** Id of the comparison tab. */
export const COMPARE_ID = 'trackbook-compare';

/** What a comparison tab shows; also what brings it back after a reload. */
export interface ICompared {
  store: string;
  refs: string[];
  /** What a person chose to see of it. */
  view?: IView;
}

/** The comparison in a tab of the main area. */
export class CompareWidget extends ReactWidget {
  constructor(
    private readonly _api: IApi,
    private readonly _trans: TranslationBundle,
    private readonly _actions: IActions,
    private _compared: ICompared,
    private readonly _onView: () => void
  ) {
    super();
    this.addClass('tb-CompareWidget');
    this.title.icon = trackbookIcon;
    this.title.label = _trans.__('Compare');
    this.title.closable = true;
  }

  /** The runs that are shown. */
  get compared(): ICompared {
    return this._compared;
  }

  set compared(compared: ICompared) {
    this._compared = compared;
    this.update();
  }

  protected render(): React.JSX.Element {
    const { store, refs, view } = this._compared;
    return (
      <Locale.Provider value={this._trans}>
        <Actions.Provider value={this._actions}>
          <LiveCompare
            key={`${store}/${refs.join(',')}`}
            api={this._api}
            store={store}
            refs={refs}
            known={null}
            visible={this.isVisible}
            onTitle={this._onTitle}
            view={readView(view)}
            onView={this._keep}
          />
        </Actions.Provider>
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

  private readonly _keep = (view: IView): void => {
    this._compared = { ...this._compared, view };
    this._onView();
  };

  private readonly _onTitle = (title: string): void => {
    this.title.caption = title;
  };
}

/** What opens the one tab for comparisons, which comes back after a reload. */
export function compareTab(
  app: JupyterFrontEnd,
  command: string,
  api: IApi,
  trans: TranslationBundle,
  actions: IActions,
  restorer: ILayoutRestorer | null
): (compared: ICompared) => void {
  const { shell } = app;
  const tabs = new WidgetTracker<MainAreaWidget<CompareWidget>>({ namespace: COMPARE_ID });
  void restorer?.restore(tabs, {
    command,
    args: tab => JSON.parse(JSON.stringify(tab.content.compared)),
    name: () => COMPARE_ID
  });
  const save = (): void => {
    const open = tabs.find(one => !one.isDisposed);
    if (open) {
      void tabs.save(open);
    }
  };
  return compared => {
    let tab = tabs.find(one => !one.isDisposed);
    if (tab) {
      // Other runs are looked at in the same way.
      tab.content.compared = { view: tab.content.compared.view, ...compared };
      save();
    } else {
      const content = new CompareWidget(api, trans, actions, compared, save);
      tab = new MainAreaWidget({ content });
      tab.id = COMPARE_ID;
      tab.toolbar.hide(); // it would be an empty strip
      void tabs.add(tab);
    }
    place(shell, tab);
  };
}
