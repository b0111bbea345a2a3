"""What a person does in JupyterLab, as the browser tests say it."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
OPEN = """
async path => {
  const { context } = await window.jupyterapp.commands.execute('docmanager:open', { path });
  await context.ready;
  await context.sessionContext.ready;
  await context.sessionContext.session.kernel.info;
}
"""
CONTRAST = """
element => {
  const parts = text => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b]
    .map(c => c / 255)
    .map(c => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  let behind = element;
  let colour = [0, 0, 0, 0];
  while (behind && (colour.length === 4 && colour[3] === 0)) {
    colour = parts(getComputedStyle(behind).backgroundColor);
    behind = behind.parentElement;
  }
  const [a, b] = [light(parts(getComputedStyle(element).color)), light(colour)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}
"""


class Lab:
    """One JupyterLab page."""

    def __init__(self, page: Page, server: str, project: Path) -> None:
        self.page = page
        self.project = project
        self.store = project / ".trackbook"
        """Of the notebook opened last."""
        address = urlsplit(server)
        self._root = f"{address.scheme}://{address.netloc}/"
        self._token = address.query
        self._workspace = f"lab/workspaces/{secrets.token_hex(4)}"
        self.panel = page.locator("#trackbook-panel")

    def start(self) -> None:
        """Load the page and show the panel."""
        self.page.goto(f"{self._root}{self._workspace}?{self._token}")
        self._loaded()
        self.show_panel()

    def reload(self) -> None:
        """Load the page again, in the same workspace."""
        self.page.goto(f"{self._root}{self._workspace}")
        self._loaded()

    def _loaded(self) -> None:
        self.page.wait_for_function("() => window.jupyterapp !== undefined", timeout=60_000)
        self.page.evaluate("() => window.jupyterapp.restored")
        expect(self.page.locator("#jupyterlab-splash")).to_have_count(0)

    def show_panel(self) -> None:
        """Click the panel's tab in the side bar, unless it is open (a second click closes it)."""
        if not self.panel.is_visible():
            self.page.locator('li[data-id="trackbook-panel"]').click()
        expect(self.panel).to_be_visible()

    def command(self, name: str, **arguments: Any) -> None:
        """Execute a command of JupyterLab and wait for it."""
        code = "([name, args]) => window.jupyterapp.commands.execute(name, args).then(() => null)"
        self.page.evaluate(code, [name, arguments])

    def begin(self, name: str) -> None:
        """Execute a command and do not wait."""
        self.page.evaluate("name => { window.jupyterapp.commands.execute(name); }", name)

    def open(self, path: str) -> None:
        """Open a notebook and wait for its kernel."""
        self.page.evaluate(OPEN, path)
        own = (self.project / path).with_name(".trackbook")
        self.store = own if own.is_dir() else self.project / ".trackbook"

    def run_all(self) -> None:
        """Run all cells of the open notebook to the end."""
        self.command("notebook:run-all-cells")

    def rows(self) -> Locator:
        """The rows of the panel's table."""
        return self.panel.locator("[role=row][data-run-id]")

    def row(self, name: str) -> Locator:
        """The row of a run, by its visible name."""
        return self.rows().filter(has_text=re.compile(rf"\b{re.escape(name)}\b"))

    def select(self, label: str, within: Locator | None = None) -> None:
        """Tick the box of a run, like ``forest #2``."""
        (within or self.panel).get_by_role("checkbox", name=f"Select {label}", exact=True).check()

    def output(self, cell: int) -> Locator:
        """The output area of a cell of the open notebook, counted from 0."""
        cells = self.page.locator(".jp-NotebookPanel:visible .jp-CodeCell")
        return cells.nth(cell).locator(".jp-OutputArea-output")

    def contrast(self, text: Locator) -> float:
        """How well a text stands out from what is behind it (WCAG: 4.5 is readable)."""
        return float(text.evaluate(CONTRAST))

    def shut_down_kernels(self) -> None:
        """End every kernel of the server."""
        code = """async () => {
          const sessions = window.jupyterapp.serviceManager.sessions;
          await sessions.refreshRunning();
          await sessions.shutdownAll();
        }"""
        self.page.evaluate(code)

    def accessible(self, within: str) -> None:
        """Fail where axe finds something serious inside the elements of a selector."""
        expect(self.page.locator(within).first).to_be_visible()
        serious = troubles(self.page, within)
        assert serious == [], "\n".join(serious)


def troubles(page: Page, within: str) -> list[str]:
    """What axe finds serious or critical inside the elements of a selector, a line each."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("within => axe.run({ include: [[within]] })", within)
    assert len(found["passes"]) > 3, f"axe looked at nothing in {within}"
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: "
        + "; ".join(
            f"{node['html'][:160]} [{node['failureSummary'][:200]}]" for node in rule["nodes"][:3]
        )
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
    ]
