"""What a user sees in JupyterLab, offline: panel, live rows, comparison, outputs, themes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from lab import Lab
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parent.parent.parent
LOAD = "%load_ext trackbook\nimport trackbook as tb"
LIVE = """%%track live
import pathlib, time
seen = 0
while not pathlib.Path("stop").exists():
    seen += 1
    tb.log_metric("loss", 1 / (seen + 1))
    time.sleep(0.2)
"""
CHART = "canvas, svg.marks"
Notebook = Callable[..., str]


def attempt(name: str, depth: int, accuracy: float) -> str:
    return f"%%track {name}\ndepth = {depth}\naccuracy = float('{accuracy}')\n"


def curve(name: str, rate: float) -> str:
    return (
        f"%%track {name}\nrate = {rate}\n"
        "for step in range(30):\n    tb.log_metric('loss', rate + 1 / (step + 1))\n"
    )


def test_the_panel_is_there_and_comes_back_after_a_reload(lab: Lab) -> None:
    expect(lab.page.locator('li[data-id="trackbook-panel"]')).to_be_visible()
    lab.page.wait_for_timeout(1500)  # Lab saves its layout with a delay
    lab.reload()
    expect(lab.panel).to_be_visible()


def test_a_row_appears_while_its_cell_runs_and_follows_its_metric(
    lab: Lab, notebook: Notebook
) -> None:
    path = notebook(LOAD, LIVE)
    lab.open(path)
    lab.begin("notebook:run-all-cells")
    row = lab.row("live")
    expect(row).to_have_count(1)
    status = row.locator("[data-status]")
    expect(status).to_have_attribute("data-status", "running")

    expect(row).to_have_text(re.compile(r"0\.\d"))
    first = row.inner_text()
    expect(row).not_to_have_text(first, use_inner_text=True)
    expect(status).to_have_attribute("data-status", "running")

    (lab.project / path).parent.joinpath("stop").touch()
    expect(status).to_have_attribute("data-status", "finished")


def test_two_ticked_runs_are_compared_with_what_differs_and_a_chart(
    lab: Lab, notebook: Notebook
) -> None:
    lab.open(notebook(LOAD, curve("slow", 0.1), curve("fast", 0.5)))
    lab.run_all()
    lab.select("slow #1")
    lab.select("fast #1")
    lab.panel.get_by_role("button", name=re.compile("Compare")).click()

    tab = lab.page.locator("#trackbook-compare, [id^=trackbook-compare]").first
    expect(tab).to_be_visible()
    expect(tab).to_contain_text("rate")
    expect(tab).to_contain_text("0.1")
    expect(tab).to_contain_text("0.5")
    expect(tab.locator(CHART).first).to_be_visible()


def test_the_table_in_a_notebook_is_live(lab: Lab, notebook: Notebook) -> None:
    lab.open(notebook(LOAD, attempt("tree", 2, 0.8), "tb.runs()", attempt("tree", 3, 0.9)))
    lab.run_all()
    rows = lab.output(2).locator("[role=row][data-run-id]")
    expect(rows.filter(has_text="tree")).to_have_count(2)


def test_a_plain_altair_chart_shows_offline(lab: Lab, notebook: Notebook) -> None:
    chart = (
        "import altair as alt\nimport pandas as pd\n"
        "frame = pd.DataFrame({'x': [1, 2, 3], 'y': [1, 4, 9]})\n"
        "alt.Chart(frame).mark_line().encode(x='x', y='y')"
    )
    lab.open(notebook(LOAD, chart))
    lab.run_all()
    expect(lab.output(1).locator(CHART).first).to_be_visible()


def test_the_panel_is_readable_in_the_dark_theme(lab: Lab, notebook: Notebook) -> None:
    lab.open(notebook(LOAD, attempt("night", 2, 0.8)))
    lab.run_all()
    row = lab.row("night")
    expect(row).to_have_count(1)
    try:
        lab.command("apputils:change-theme", theme="JupyterLab Dark")
        expect(lab.page.locator("body[data-jp-theme-light=false]")).to_have_count(1)
        name = row.get_by_text("night").first
        assert lab.contrast(name) >= 4.5
        lab.select("night #1")
        assert lab.contrast(name) >= 4.5
    finally:
        lab.command("apputils:change-theme", theme="JupyterLab Light")


def test_the_tutorial_fills_the_panel(lab: Lab, project: Path) -> None:
    shutil.copy(ROOT / "notebooks" / "quickstart.ipynb", project / "quickstart.ipynb")
    lab.open("quickstart.ipynb")
    lab.run_all()
    for name, attempts in {"forest": 3, "boosting": 2, "logistic": 1}.items():
        expect(lab.row(name)).to_have_count(attempts)
    for cell in lab.page.locator(".jp-NotebookPanel:visible .jp-OutputArea-output").all():
        assert "Traceback" not in cell.inner_text()
    if os.environ.get("TRACKBOOK_SHOTS"):
        picture(lab.page)


def picture(page: Page) -> None:
    """The README's picture: attempts at a cell, and the panel beside them."""
    page.set_viewport_size({"width": 1280, "height": 720})
    handle = page.locator(
        "#jp-main-split-panel > .lm-SplitPanel-handle:visible"
    ).first.bounding_box()
    assert handle is not None
    page.mouse.move(handle["x"] + 1, 300)
    page.mouse.down()
    page.mouse.move(handle["x"] + 60, 300)
    page.mouse.up()
    again = page.get_by_role("heading", name="Change it and run it again")
    again.evaluate("heading => heading.scrollIntoView()")
    page.wait_for_timeout(500)
    page.screenshot(path=ROOT / "docs" / "images" / "panel.png")


def test_the_users_repository_stays_clean(lab: Lab, project: Path, notebook: Notebook) -> None:
    def status() -> str:
        command = ["git", "status", "--porcelain", "--untracked-files=all"]
        return subprocess.run(
            command, cwd=project, capture_output=True, text=True, check=True
        ).stdout

    before = status()
    lab.open(notebook(LOAD, attempt("clean", 2, 0.8), own=False))
    lab.run_all()
    expect(lab.row("clean")).to_have_count(1)
    assert status() == before
    assert (project / ".trackbook" / "store.json").is_file()


def test_no_request_has_left_this_machine(requested: set[str]) -> None:
    """The last test: it looks at what all pages before it asked for."""
    assert requested
    outside = {url for url in requested if urlsplit(url).scheme not in ("data", "blob")}
    assert {url for url in outside if urlsplit(url).hostname != "127.0.0.1"} == set()
