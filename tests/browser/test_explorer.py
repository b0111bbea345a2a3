"""The explorer in a real JupyterLab: what stands in the notebook, and how it behaves."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from lab import Lab
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

SHOTS = Path(__file__).parent / "shots"
LOAD = "%load_ext trackbook\nimport trackbook as tb"
SOURCE = "() => window.jupyterapp.shell.currentWidget.content.widgets[%d].model.sharedModel.source"
EDIT = """
([index, text]) => {
  const panel = window.jupyterapp.shell.currentWidget;
  panel.content.activeCellIndex = index;
  panel.content.widgets[index].model.sharedModel.setSource(text);
}
"""
SAVED = """
async () => {
  const { context } = window.jupyterapp.shell.currentWidget;
  await context.save();
  return JSON.stringify(context.model.toJSON());
}
"""
Notebook = Callable[..., str]


def attempt(name: str, depth: int, accuracy: float | str) -> str:
    return f"%%track {name}\ndepth = {depth}\ntb.log_metric('accuracy', {accuracy})\n"


def shot(page: Page, name: str) -> None:
    """A picture for whoever polishes: TRACKBOOK_SHOTS=1."""
    if os.environ.get("TRACKBOOK_SHOTS"):
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png")


def edit(lab: Lab, cell: int, source: str) -> None:
    lab.page.evaluate(EDIT, [cell, source])


def rerun(lab: Lab, cell: int, source: str) -> None:
    """Put the source into a cell and run it."""
    edit(lab, cell, source)
    lab.command("notebook:run-cell")


def strip(lab: Lab, cell: int) -> Locator:
    cells = lab.page.locator(".jp-NotebookPanel:visible .jp-CodeCell")
    return cells.nth(cell).locator(".tb-Strip")


def tried(lab: Lab, notebook: Notebook, *accuracies: float | str) -> Locator:
    """A cell with an attempt for each accuracy; returns its strip."""
    lab.open(notebook(LOAD, "1 + 1"))
    lab.run_all()
    for depth, accuracy in enumerate(accuracies, 2):
        rerun(lab, 1, attempt("forest", depth, accuracy))
    dots = strip(lab, 1).locator(".tb-Attempt")
    expect(dots).to_have_count(len(accuracies))
    expect(dots.last).not_to_have_attribute("data-status", "running")
    return strip(lab, 1)


# -- the attempt strip -----------------------------------------------------------------------------


def test_attempts_stand_under_their_cell(lab: Lab, notebook: Notebook) -> None:
    dots = tried(lab, notebook, 0.81, 0.93, "1 / 0", 0.874512).locator(".tb-Attempt")
    expect(dots.nth(2)).to_have_attribute("data-status", "failed")
    expect(dots.nth(1)).to_have_attribute("data-best", "true")
    expect(strip(lab, 1)).to_contain_text("accuracy 0.8745")
    expect(strip(lab, 1)).to_contain_text("best #2 0.93")
    expect(strip(lab, 0)).to_have_count(0)

    dots.nth(1).hover()
    card = lab.page.get_by_role("tooltip")
    expect(card).to_contain_text("forest #2")
    expect(card).to_contain_text("depth 2 → 3")
    expect(card).to_contain_text("+0.12")
    shot(lab.page, "strip")
    dots.nth(2).hover()
    expect(card).to_contain_text("ZeroDivisionError")

    saved = lab.page.evaluate(SAVED)
    assert "tb-Strip" not in saved
    assert "best #2" not in saved


def test_the_keyboard_restores_an_attempt_and_undo_takes_it_back(
    lab: Lab, notebook: Notebook
) -> None:
    found = tried(lab, notebook, 0.81, 0.93)
    mine = attempt("forest", 9, 0.5)
    edit(lab, 1, mine)
    found.locator(".tb-Attempt").last.focus()
    lab.page.keyboard.press("ArrowLeft")
    expect(found.locator(".tb-Attempt").first).to_be_focused()
    lab.page.keyboard.press("r")
    expect(lab.page.get_by_text("Code restored.")).to_be_visible()
    assert lab.page.evaluate(SOURCE % 1) == attempt("forest", 2, 0.81)
    lab.page.get_by_role("button", name="Undo", exact=True).click()
    lab.page.wait_for_function(f"mine => ({SOURCE % 1})() === mine", arg=mine)

    found.locator(".tb-Attempt").first.click(button="right")
    menu = lab.page.locator(".lm-Menu")
    expect(menu).to_contain_text("Open Run")
    shot(lab.page, "strip-menu")
    menu.get_by_text("Restore This Code").click()
    expect(lab.page.get_by_text("Code restored.").last).to_be_visible()
    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.node.focus()")
    lab.command("notebook:enter-edit-mode")
    lab.page.keyboard.press("Control+z")
    lab.page.wait_for_function(f"mine => ({SOURCE % 1})() === mine", arg=mine)


def test_the_strip_follows_a_running_attempt(lab: Lab, notebook: Notebook) -> None:
    tried(lab, notebook, 0.8)
    live = (
        "%%track forest\nimport pathlib, time\n"
        "while not pathlib.Path('stop').exists():\n    time.sleep(0.1)\n"
    )
    edit(lab, 1, live)
    lab.begin("notebook:run-cell")
    dots = strip(lab, 1).locator(".tb-Attempt")
    expect(dots).to_have_count(2)
    expect(dots.last).to_have_attribute("data-status", "running")
    shot(lab.page, "strip-running")
    stop = lab.project / "the_strip_follows_a_running_attempt" / "stop"
    stop.touch()
    expect(dots.last).to_have_attribute("data-status", "finished")


def test_the_strip_is_there_after_a_reload_and_in_a_windowed_notebook(
    lab: Lab, notebook: Notebook
) -> None:
    path = notebook(LOAD, attempt("forest", 2, 0.8), *(f"print({n})" for n in range(60)))
    lab.open(path)
    lab.run_all()
    lab.command("docmanager:save")
    tracker = "@jupyterlab/notebook-extension:tracker"
    setting = {"plugin": tracker, "key": "windowingMode", "value": "full"}
    code = """async ({ plugin, key, value }) => {
      const { settings } = window.jupyterapp.serviceManager;
      const raw = JSON.stringify({ [key]: value });
      await settings.save(plugin, raw);
    }"""
    try:
        lab.page.evaluate(code, setting)
        lab.reload()
        lab.open(path)
        expect(strip(lab, 1).locator(".tb-Attempt")).to_have_count(1)
        shot(lab.page, "strip-windowed")
    finally:
        lab.page.evaluate(code, {**setting, "value": "none"})


def test_the_strip_reads_well_in_the_dark(lab: Lab, notebook: Notebook) -> None:
    found = tried(lab, notebook, 0.81, 0.93, "1 / 0", 0.87, 0.9)
    try:
        lab.command("apputils:change-theme", theme="JupyterLab Dark")
        expect(lab.page.locator("body[data-jp-theme-light=false]")).to_have_count(1)
        assert lab.contrast(found.locator(".tb-Strip-text")) >= 4.5
        found.locator(".tb-Attempt").nth(1).hover()
        expect(lab.page.get_by_role("tooltip")).to_be_visible()
        assert lab.contrast(lab.page.locator(".tb-Card-foot").first) >= 4.5
        shot(lab.page, "strip-dark")
    finally:
        lab.command("apputils:change-theme", theme="JupyterLab Light")


# -- manners ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_serious(lab: Lab, notebook: Notebook, theme: str) -> None:
    found = tried(lab, notebook, 0.81, 0.93, "1 / 0", 0.87)
    rerun(lab, 0, "tb.runs()")
    try:
        lab.command("apputils:change-theme", theme=theme)
        light = str("Light" in theme).lower()
        expect(lab.page.locator(f"body[data-jp-theme-light={light}]")).to_have_count(1)
        lab.accessible("#trackbook-panel")
        lab.accessible(".tb-CellStrip:not(.lm-mod-hidden)")
        lab.accessible(".tb-RunsOutput")
        found.locator(".tb-Attempt").nth(1).focus()
        lab.accessible(".tb-Card")
        lab.panel.get_by_role("checkbox", name="Select forest #4").first.check()
        lab.panel.get_by_role("checkbox", name="Select forest #2").first.check()
        lab.accessible("#trackbook-panel")
        lab.panel.get_by_role("button", name=re.compile("Compare")).click()
        expect(lab.page.locator(".tb-Compare")).to_be_visible()
        lab.accessible(".tb-CompareWidget")
    finally:
        lab.command("apputils:change-theme", theme="JupyterLab Light")


def test_every_command_says_what_it_takes(lab: Lab) -> None:
    code = """async () => {
      const { commands } = window.jupyterapp;
      const ids = commands.listCommands().filter(id => id.startsWith('trackbook:'));
      return Promise.all(ids.map(async id => [
        id, commands.label(id), (await commands.describedBy(id)).args
      ]));
    }"""
    told = lab.page.evaluate(code)
    assert len(told) >= 6
    for name, label, arguments in told:
        assert label, name
        assert arguments and arguments["type"] == "object", name
        for argument in arguments["properties"].values():
            assert argument["description"], name
