"""The page of one run in a real JupyterLab: what it shows, how it follows, what it refuses."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from lab import Lab
from playwright.sync_api import Locator, expect
from runs import snapshot as keep_notebook
from runs import write

from trackbook import reading
from trackbook.store import open_store

pytestmark = pytest.mark.browser

SHOTS = os.environ.get("TRACKBOOK_SHOTS_TO")
CHART = "canvas, svg.marks"
Notebook = Callable[..., str]
LOAD = """%load_ext trackbook
import math, time, pathlib
import trackbook as tb
import numpy as np, pandas as pd
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
tb.autolog()
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)"""
STUDY = "## Digits\nHow deep must the trees be?"
FOREST = """%%track forest
n_estimators, max_depth = 30, {depth}
model = RandomForestClassifier(n_estimators=n_estimators, max_depth=max_depth, random_state=0)
model.fit(X_train, y_train)
acc = accuracy_score(y_test, model.predict(X_test))
for step in range(40):
    tb.log_metrics({{"train/loss": math.exp(-step / 9), "val/loss": 0.1 + math.exp(-step / 7)}})
    print(f"epoch {{step}}: \\x1b[32mloss\\x1b[0m {{math.exp(-step / 9):.3f}}")
figure, axes = plt.subplots(figsize=(5, 3))
axes.hist(X_train.ravel(), bins=17)
axes.set(xlabel="brightness", ylabel="pixels")
tb.log_figure(figure, "brightness")
plt.close(figure)
tb.log_table(pd.DataFrame({{"digit": range(10), "n": np.bincount(y_test)}}), "digits")
tb.log_text("<h1>Report</h1><script>document.body.id = 'ran'</script>"
            "<img src='http://127.0.0.1:9/x.png'>", "report.html")
tb.log_dict({{"layers": [1, 2, 3], "solver": {{"name": "gini", "tol": 0.001}}}}, "config.json")
for step in (0, 5):
    tb.log_image(np.random.default_rng(step).random((40, 60)), "sample", step=step)
tb.set_tag("baseline")
tb.set_note("Depth **matters** less than the number of trees. <img src=x onerror=alert(1)>")
acc"""
BROKEN = """%%track broken
rate = 0.5
print("reading")
raise ValueError("the rate is too high")"""
LIVE = """%%track live
seen = 0
while not pathlib.Path("stop").exists():
    seen += 1
    tb.log_metric("loss", 1 / (seen + 1))
    print("step", seen)
    time.sleep(0.2)"""


@pytest.fixture
def runs(lab: Lab, notebook: Notebook) -> Callable[..., list[reading.Run]]:
    """Track these cells in a notebook; returns the store's runs, the newest first."""

    def track(*cells: str) -> list[reading.Run]:
        lab.open(notebook(LOAD, *cells))
        lab.begin("notebook:run-all-cells")
        lab.page.wait_for_function(IDLE, timeout=90_000)
        return list(reading.open_store(lab.store).runs())

    return track


IDLE = """() => {
  const cells = [...document.querySelectorAll('.jp-NotebookPanel .jp-CodeCell .jp-InputPrompt')];
  return cells.length > 1 && cells.every(one => /\\[(\\d+)\\]|^$/.test(one.innerText.trim()));
}"""


def opened(lab: Lab, run: reading.Run) -> Locator:
    """The page of a run, opened by the command."""
    store = reading.open_store(lab.store).id
    lab.command("trackbook:open-run", store=store, run=run.id)
    page = lab.page.locator(f'.tb-RunPage[data-run-id="{run.id}"]')
    expect(page).to_be_visible()
    return page


def section(page: Locator, name: str, *, open_it: bool = True) -> Locator:
    """A section in sight, unfolded."""
    found = page.locator(f'[data-section="{name}"]')
    head = found.locator("h2 button")
    head.scroll_into_view_if_needed()
    if open_it and head.get_attribute("aria-expanded") == "false":
        head.click()
    return found


def shot(lab: Lab, name: str) -> None:
    if SHOTS:
        lab.page.wait_for_timeout(700)
        lab.page.screenshot(path=Path(SHOTS) / f"{name}.png")


def test_the_page_shows_what_the_run_was(lab: Lab, runs: Callable[..., list[reading.Run]]) -> None:
    lab.page.set_viewport_size({"width": 1360, "height": 900})
    first, second = (FOREST.format(depth=depth) for depth in (2, 9))
    found = runs(first, second)
    lab.command("application:toggle-left-area")
    page = opened(lab, found[0])
    head = page.locator(".tb-RunHead")
    expect(head).to_contain_text("forest")
    expect(head).to_contain_text("#2")
    expect(head).to_contain_text("best of 2 attempts")
    params = section(page, "params")
    row = params.locator('tr[data-key="max_depth"]')
    expect(row.locator("td")).to_have_text(["9", "2"])
    expect(params.locator("tbody tr")).to_have_count(1)
    shot(lab, "top")

    metrics = section(page, "metrics")
    expect(metrics.locator('.tb-RunCurve[data-key="val/loss"]').locator(CHART)).to_be_visible()
    expect(metrics).to_contain_text("40 points")
    shot(lab, "metrics")
    logs = section(page, "logs")
    expect(logs.locator("pre")).to_contain_text("epoch 39: loss 0.0")
    artifacts = section(page, "artifacts")
    picture = artifacts.locator('[data-artifact="brightness.png"] img')
    expect(picture).to_be_visible()
    assert picture.evaluate("img => img.complete && img.naturalWidth > 0")
    sample = artifacts.locator('[data-artifact="sample.png"]')
    expect(sample).to_contain_text("step 5")
    sample.locator("input").press("ArrowLeft")
    expect(sample).to_contain_text("step 0")
    shot(lab, "artifacts")
    for name in ("digits.csv", "config.json", "report.html"):
        artifacts.locator(f'[data-artifact="{name}"] .tb-File-name').click()
    expect(artifacts.locator('[data-artifact="digits.csv"] tbody tr')).to_have_count(10)
    expect(artifacts.locator('[data-artifact="config.json"]')).to_contain_text('"gini"')
    report = artifacts.locator("iframe")
    assert report.get_attribute("sandbox") == ""
    inside = artifacts.frame_locator("iframe")
    expect(inside.locator("h1")).to_have_text("Report")
    expect(inside.locator("#ran")).to_have_count(0)
    report.scroll_into_view_if_needed()
    shot(lab, "previews")

    about = section(page, "about")
    expect(about.locator("strong")).to_have_text("matters")
    expect(about.locator("[onerror]")).to_have_count(0)
    snapshot = section(page, "notebook")
    snapshot.evaluate("one => one.scrollIntoView()")
    tracked = snapshot.locator(".jp-Cell.tb-mod-tracked")
    expect(tracked).to_contain_text("%%track forest")
    expect(tracked.locator(".jp-InputArea")).to_be_in_viewport()
    tracked.locator(".cm-content").press_sequentially("x")
    expect(tracked).not_to_contain_text("%%track forestx")
    shot(lab, "notebook")
    section(page, "environment")
    expect(page.locator('[data-section="environment"]')).to_contain_text("python")
    shot(lab, "environment")
    why = section(page, "why")
    expect(why.locator("tbody tr").first).to_be_visible()
    shot(lab, "why")
    lab.command("apputils:change-theme", theme="JupyterLab Dark")
    try:
        expect(lab.page.locator("body[data-jp-theme-light=false]")).to_have_count(1)
        for name in ("about", "metrics", "artifacts", "notebook", "why"):
            section(page, name)
            page.locator(f'[data-section="{name}"]').evaluate("one => one.scrollIntoView()")
            shot(lab, f"dark-{name}")
    finally:
        lab.command("apputils:change-theme", theme="JupyterLab Light")


def test_a_failed_run_shows_its_traceback(lab: Lab, runs: Callable[..., list[reading.Run]]) -> None:
    (broken, *_) = runs(BROKEN)
    page = opened(lab, broken)
    failure = section(page, "failure")
    expect(failure).to_contain_text("ValueError: the rate is too high")
    expect(failure.locator(".tb-Failure-trace")).to_contain_text("Traceback")
    assert "\x1b" not in failure.inner_text()
    expect(page.locator(".tb-RunHead-status")).to_have_attribute("data-status", "failed")
    shot(lab, "failed")


def test_a_live_run_is_followed_and_nothing_jumps(lab: Lab, notebook: Notebook) -> None:
    path = notebook(LOAD, LIVE)
    lab.open(path)
    lab.begin("notebook:run-all-cells")
    expect(lab.row("live")).to_have_count(1)
    run = reading.open_store(lab.store).get_run("live")
    page = opened(lab, run)
    curve = section(page, "metrics").locator('.tb-RunCurve[data-key="loss"]')
    expect(curve.locator(CHART)).to_be_visible()
    marks = curve.locator("svg.marks")
    marks.evaluate("svg => { svg.dataset.same = 'yes' }")
    points = curve.locator(".tb-RunCurve-range")
    before, place = points.inner_text(), curve.bounding_box()
    expect(points).not_to_have_text(before)
    assert curve.bounding_box() == place
    section(page, "about").locator("h2 button").click()
    log = page.locator('[data-section="logs"] pre')
    expect(log).to_contain_text(re.compile(r"step \d\d"))
    # New points came as data: the drawing is the same one, at the same place.
    expect(marks).to_have_attribute("data-same", "yes")
    shot(lab, "live")
    (lab.project / path).parent.joinpath("stop").touch()
    expect(page.locator(".tb-RunHead-status")).to_have_text("finished")
    expect(page.locator('[data-section="about"] h2 button')).to_have_attribute(
        "aria-expanded", "false"
    )


def test_name_tags_note_and_star_are_edited_and_undone(
    lab: Lab, runs: Callable[..., list[reading.Run]]
) -> None:
    (run, *_) = runs("%%track edited\ndepth = 3")
    page = opened(lab, run)
    head = page.locator(".tb-RunHead")
    head.get_by_role("button", name="Star this run").click()
    expect(head.get_by_role("button", name="Remove the star")).to_have_attribute(
        "aria-pressed", "true"
    )
    head.get_by_role("button", name="edited").click()
    head.get_by_label("Name of the run").fill("renamed")
    head.get_by_label("Name of the run").press("Enter")
    expect(head.locator("h1")).to_have_text("renamed")
    about = section(page, "about")
    tag = about.get_by_label("Add a tag")
    tag.fill("owner=ada")
    tag.press("Enter")
    expect(about.locator(".tb-Tag")).to_contain_text(["owner"])
    about.get_by_role("button", name="Write a note").click()
    about.get_by_label("Note, in Markdown").fill("A **good** start")
    about.get_by_role("button", name="Save").click()
    expect(about.locator("strong")).to_have_text("good")
    edits = section(page, "edits")
    expect(edits.locator("li")).to_have_count(4)
    line = edits.locator("li", has_text="renamed")
    line.get_by_role("button", name="Undo").click()
    expect(head.locator("h1")).to_have_text("edited")
    again = reading.open_store(lab.store).get_run(run.id)
    assert (again.name, again.star, again.tags["owner"]) == ("edited", True, "ada")
    shot(lab, "edits")


def test_the_snapshot_opens_as_a_new_notebook(
    lab: Lab, runs: Callable[..., list[reading.Run]]
) -> None:
    (run, *_) = runs("%%track copied\ndepth = 3")
    page = opened(lab, run)
    section(page, "notebook").get_by_role("button", name="Open as new notebook").click()
    copy = lab.page.locator(".jp-NotebookPanel:visible")
    expect(copy).to_contain_text("%%track copied")
    title = lab.page.locator(".lm-TabBar-tab.jp-mod-current .lm-TabBar-tabLabel").first
    expect(title).to_contain_text("Untitled")
    for made in lab.project.glob("Untitled*.ipynb"):
        made.unlink()


def test_the_tab_comes_back_and_a_run_that_is_gone_is_told(
    lab: Lab, runs: Callable[..., list[reading.Run]]
) -> None:
    (run, *_) = runs("%%track brief\ndepth = 3")
    opened(lab, run)
    lab.command("docmanager:save-all")
    lab.page.wait_for_timeout(1500)  # Lab saves its layout with a delay
    lab.reload()
    expect(lab.page.locator(f'.tb-RunPage[data-run-id="{run.id}"]')).to_be_attached()
    store = reading.open_store(lab.store)
    folder = lab.store / "runs" / run.id[:8] / run.id
    shutil.move(folder, folder.parent.parent.parent / "away")
    try:
        lab.command("trackbook:open-run", store=store.id, run=run.id)
        lab.command("trackbook:open-run", store=store.id, run="20260101-000000-aaaaaaaaaa")
        gone = lab.page.locator(".tb-RunPage.tb-mod-empty:visible")
        expect(gone).to_contain_text("cannot be found")
        shot(lab, "gone")
    finally:
        shutil.move(folder.parent.parent.parent / "away", folder)


def test_every_section_is_reached_by_keyboard(
    lab: Lab, runs: Callable[..., list[reading.Run]]
) -> None:
    (run, *_) = runs("%%track keys\ndepth = 3\nacc = depth / 4")
    page = opened(lab, run)
    mark = page.locator(".tb-Rail-mark", has_text="Environment")
    mark.focus()
    lab.page.keyboard.press("Enter")
    head = page.locator('[data-section="environment"] h2 button')
    expect(head).to_be_focused()
    expect(head).to_have_attribute("aria-expanded", "false")
    lab.page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-expanded", "true")
    expect(page.locator('[data-section="environment"]')).to_contain_text("python")


def test_a_run_is_replayed_and_its_cells_are_told(
    lab: Lab, runs: Callable[..., list[reading.Run]]
) -> None:
    (run, *_) = runs("scale = 2", "unused = 5", "%%track again\nacc = scale / 4")
    page = opened(lab, run)
    replay = section(page, "replay")
    expect(replay.locator(".tb-Grade-letter")).to_be_visible()
    expect(replay.locator(".tb-RecipeCells")).to_contain_text("scale = 2")
    expect(replay.locator(".tb-RecipeCells")).not_to_contain_text("unused = 5")
    replay.get_by_role("button", name="did not matter").click()
    expect(replay).to_contain_text("unused = 5")
    replay.locator(".tb-Button", has_text="Replay").click()
    expect(replay.locator("progress")).to_be_visible()
    expect(replay.locator('.tb-Verdict[data-status="reproduced"]')).to_be_visible()
    expect(replay.get_by_role("button", name="Replay again")).to_be_visible()
    replay.evaluate("one => one.scrollIntoView()")
    shot(lab, "replayed")


def test_foreign_code_is_shown_before_it_is_replayed(
    lab: Lab, runs: Callable[..., list[reading.Run]]
) -> None:
    (run, *_) = runs("%%track foreign\nacc = 0.5")
    file = lab.store / "runs" / run.id[:8] / run.id / "run.json"
    document = json.loads(file.read_text())
    document["signed"] = {"log": "somebody else"}
    file.write_text(json.dumps(document))
    page = opened(lab, run)
    replay = section(page, "replay")
    replay.locator(".tb-Button", has_text="Replay").click()
    trust = replay.locator(".tb-Trust")
    expect(trust.locator("pre")).to_contain_text("acc = 0.5")
    expect(replay.locator(".tb-Verdict")).to_have_count(0)
    replay.evaluate("one => one.scrollIntoView()")
    shot(lab, "trust")
    trust.get_by_role("button", name="I trust this code").click()
    expect(replay.locator(".tb-Verdict")).to_be_visible()


def test_the_page_is_the_same_without_lab(
    lab: Lab, server: str, runs: Callable[..., list[reading.Run]]
) -> None:
    (run, *_) = runs("%%track outside\ndepth = 3\nacc = depth / 4\nprint('said')")
    store = reading.open_store(lab.store).id
    root, token = server.split("?")
    lab.page.goto(f"{root}trackbook/?{token}#/run/{store}/{run.id}")
    page = lab.page.locator(f'.tb-RunPage[data-run-id="{run.id}"]')
    expect(page.locator(".tb-RunHead")).to_contain_text("outside")
    expect(section(page, "logs")).to_contain_text("said")
    expect(section(page, "notebook")).to_contain_text("%%track outside")
    shot(lab, "outside")
    lab.reload()


def test_more_than_a_page_can_hold_is_calm(
    lab: Lab, runs: Callable[..., list[reading.Run]]
) -> None:
    runs("%%track small\ndepth = 3")
    store = open_store(lab.store)
    many = {f"param {i}": i for i in range(5000)}
    cells = [(f"c{i}", "code", f"# cell {i}\n" + f"x = '{'y' * 60}'\n" * 1500) for i in range(200)]
    notebook = {"path": "big.ipynb", "snapshot": keep_notebook(store, cells, "c120")}
    metrics = {f"group{i % 40}/metric {i}": [0.5, 0.25] for i in range(400)}
    metrics["loss"] = [float("nan")] * 3
    write(store, "huge", params=many)
    run_id = write(store, "huge", params={**many, "param 7": 0}, metrics=metrics, notebook=notebook)
    try:
        page = opened(lab, reading.open_store(lab.store).get_run(run_id))
        params = section(page, "params")
        expect(params.locator("tbody tr")).to_have_count(1)
        assert page.evaluate("page => page.querySelectorAll('*').length") < 4000
        params.get_by_role("button", name="Show 4999 more").click()
        expect(params.locator("tbody tr")).to_have_count(500)
        params.get_by_label("Find a parameter").fill("499")
        expect(params.locator("tbody tr")).to_have_count(15)
        nan = page.locator('.tb-RunCurve[data-key="loss"]')
        nan.scroll_into_view_if_needed()
        expect(nan).to_contain_text("no finite value in 3 points")
        shot(lab, "huge")
        big = section(page, "notebook")
        expect(big).to_contain_text("This notebook is large")
        expect(big.locator(".jp-Cell.tb-mod-tracked")).to_contain_text("# cell 120")
        shot(lab, "huge-notebook")
    finally:
        for run in reading.open_store(lab.store).runs("name == 'huge'"):
            run.delete()
