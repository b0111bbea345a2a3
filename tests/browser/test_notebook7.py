"""The same in Notebook 7, which has room for one document; and JupyterLab without a mouse."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab import Lab
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

LOAD = "%load_ext trackbook\nimport trackbook as tb"
TRAINING = """%%track {name}
depth = {depth}
for step in range(20):
    tb.log_metric("loss", depth / (step + 1))"""
FOCUSED = "() => document.querySelector('.jp-Notebook')?.contains(document.activeElement)"
ACTIVE = "window.jupyterapp.shell.currentWidget.content.activeCellIndex === cell"
READY = """
async () => {
  const { context } = window.jupyterapp.shell.currentWidget;
  await context.ready;
  await context.sessionContext.ready;
  await context.sessionContext.session.kernel.info;
}
"""
Notebook = Callable[..., str]


@pytest.fixture
def notebook7(page: Page, server: str, project: Path, notebook: Notebook) -> Iterator[Lab]:
    """A notebook opened in Notebook 7; its kernel ends with the test."""
    path = notebook(
        LOAD,
        TRAINING.format(name="shallow", depth=2),
        TRAINING.format(name="deep", depth=8),
        "tb.runs()",
    )
    root, token = server.split("?")
    page.goto(f"{root}notebooks/{path}?{token}")
    page.wait_for_function("() => window.jupyterapp !== undefined", timeout=60_000)
    page.evaluate("() => window.jupyterapp.restored")
    page.locator(".jp-CodeCell").first.wait_for()
    page.evaluate(READY)
    opened = Lab(page, server, project)
    yield opened
    opened.shut_down_kernels()


def test_notebook_7_has_all_of_it(notebook7: Lab) -> None:
    page = notebook7.page
    page.locator(".jp-CodeCell .cm-content").first.click()
    for _ in range(4):
        page.keyboard.press("Shift+Enter")
    strips = page.locator(".jp-CodeCell .tb-Strip .tb-Attempt")
    expect(strips).to_have_count(2)
    shown = page.locator(".jp-OutputArea-output [role=row][data-run-id]")
    expect(shown).to_have_count(2)

    notebook7.command("trackbook:open-panel")
    expect(notebook7.rows()).to_have_count(2)
    notebook7.select("shallow #1")
    notebook7.select("deep #1")
    notebook7.panel.get_by_role("button", name="Compare (2)").click()
    compared = page.locator("#trackbook-compare")
    expect(compared.locator("svg.marks").first).to_be_visible()
    height = "one => one.clientHeight"
    assert compared.evaluate(height) >= 200, "nobody sees it"

    strips.first.click()
    run = page.locator(".tb-RunPage")
    expect(run.locator(".tb-RunHead")).to_contain_text("shallow")
    expect(compared).not_to_be_visible()
    assert run.evaluate(height) >= 150
    notebook7.command("trackbook:open-table")
    expect(page.locator("#trackbook-table-tab [data-run-id]")).to_have_count(2)
    expect(run).not_to_be_visible()


def test_from_the_first_cell_to_the_comparison_without_a_mouse(
    lab: Lab, notebook: Notebook
) -> None:
    page, keys = lab.page, lab.page.keyboard
    train = TRAINING.replace("%%track {name}\n", "")
    lab.open(notebook(LOAD, train.format(depth=2), train.format(depth=8)))
    page.wait_for_function(FOCUSED)
    keys.press("Shift+Enter")
    for cell in (1, 2):
        page.wait_for_function("cell => " + ACTIVE, arg=cell)
        by_palette(lab, "Track This Cell")
        expect(page.locator(".jp-CodeCell .cm-content").nth(cell)).to_contain_text("%%track")
        page.wait_for_function(FOCUSED)
        keys.press("Shift+Enter")
        strips = page.locator(".jp-NotebookPanel:visible .tb-Strip .tb-Attempt")
        expect(strips).to_have_count(cell)

    by_palette(lab, "Show Runs")
    grid = lab.panel.get_by_role("grid")
    tab_to(lab, grid)
    expect(lab.rows()).to_have_count(2)
    keys.press("Home")
    keys.press("Shift+ArrowDown")
    compare = lab.panel.get_by_role("button", name="Compare (2)")
    tab_to(lab, compare)
    keys.press("Enter")
    curve = page.locator("#trackbook-compare [role=application]").first
    expect(curve).to_be_visible()
    tab_to(lab, curve)
    keys.press("ArrowRight")
    expect(page.locator("#trackbook-compare .tb-Tooltip").first).to_contain_text("step 0")


def by_palette(lab: Lab, label: str) -> None:
    """A command as the keyboard finds it."""
    keys = lab.page.keyboard
    typed = lab.page.locator(".jp-ModalCommandPalette .lm-CommandPalette-input")
    found = lab.page.locator(".lm-CommandPalette-item.lm-mod-active")
    for _ in range(5):
        keys.press("Control+Shift+C")
        expect(typed).to_be_focused()
        keys.type(label)
        # Lab makes its list anew while a kernel starts, and forgets what was typed.
        with contextlib.suppress(AssertionError):
            expect(found).to_contain_text(label, timeout=4_000)
            break
        keys.press("Escape")
        expect(typed).to_be_hidden()
    expect(found).to_contain_text(label)
    keys.press("Enter")


def tab_to(lab: Lab, wanted: Locator) -> None:
    """The tab key until it is there."""
    expect(wanted).to_be_visible()
    for _ in range(40):
        if wanted.evaluate("one => one === document.activeElement"):
            return
        lab.page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not come to {wanted}")
