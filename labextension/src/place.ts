import type { JupyterFrontEnd } from '@jupyterlab/application';
import { SplitPanel, TabPanel, type Widget } from '@lumino/widgets';

/** Less of a tab than this is no view of it. */
const LEAST = 200;

/** Shows a tab, a new one among the documents; below the one that Notebook 7 has room for. */
export function place(shell: JupyterFrontEnd['shell'], tab: Widget): void {
  if (!tab.isAttached) {
    shell.add(tab, 'main');
  }
  if (!tab.isAttached) {
    shell.add(tab, 'down');
  }
  shell.activateById(tab.id);
  const tabs = tab.parent?.parent;
  if (tabs instanceof TabPanel) {
    tabs.currentWidget = tab; // Notebook 7 leaves the one that was there
    requestAnimationFrame(() => open(tabs));
  }
}

/** The area below begins as a line of tabs: gives it half of the height. */
function open(area: Widget): void {
  const split = area.parent;
  if (split instanceof SplitPanel && area.node.clientHeight < LEAST) {
    split.setRelativeSizes(split.widgets.map(one => (one.isHidden ? 0 : 1)));
  }
}
