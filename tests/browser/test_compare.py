"""Comparing runs in JupyterLab: curves, differences, charts, images, code, and what is kept."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from lab import Lab
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

LOAD = "%load_ext trackbook\nimport trackbook as tb\nimport math, random, time"
STUDY = """%%track {name} -q
rate, depth = {rate}, {depth}
chance = random.Random({depth})
for step in range({points}):
    loss = 2 * math.exp(-step * rate / {points}) + chance.gauss(0, 0.03) + rate / 40
    tb.log_metrics({{"loss": float("nan") if step == 40 and depth == 4 else loss}}, step=step)
    if step == 12_345:
        tb.log_metrics({{"loss": 9.0}}, step=step)
accuracy = 1 - loss / 2
pixels = [[(row * column * depth) % 256 for column in range(24)] for row in range(24)]
import numpy
for step in (1, 2, 3):
    tb.log_image(numpy.uint8(pixels) // step, "sample", step=step)
"""
Notebook = Callable[..., str]
MARKS = "svg.marks"


def study(name: str, rate: float, depth: int, points: int = 400) -> str:
    return STUDY.replace(" -q", " --quiet").format(name=name, rate=rate, depth=depth, points=points)


@pytest.fixture
def tab(lab: Lab) -> Locator:
    return lab.page.locator("#trackbook-compare")


def compare(lab: Lab, tab: Locator, *names: str) -> None:
    """Tick runs in the panel and compare them."""
    for name in names:
        lab.select(f"{name} #1")
    lab.panel.get_by_role("button", name=re.compile("Compare")).click()
    expect(tab.locator(MARKS).first).to_be_visible()


def figure(tab: Locator, title: str) -> Locator:
    return tab.get_by_role("region", name=title, exact=True)


def plot(tab: Locator, title: str) -> tuple[Locator, dict[str, float]]:
    """The overlay of a chart of curves, and where it is."""
    overlay = figure(tab, title).locator(".tb-Overlay")
    overlay.scroll_into_view_if_needed()
    box = overlay.bounding_box()
    assert box is not None
    return overlay, dict(box)


def shot(lab: Lab, name: str) -> None:
    if os.environ.get("TRACKBOOK_SHOTS"):
        folder = Path(__file__).parent.parent.parent / "docs" / "images"
        lab.page.screenshot(path=folder / f"{name}.png")


def test_three_runs_side_by_side(lab: Lab, notebook: Notebook, tab: Locator) -> None:
    lab.page.set_viewport_size({"width": 1440, "height": 900})
    cells = [study("three-a", 2.0, 2), study("three-b", 4.0, 4), study("three-c", 8.0, 8)]
    lab.open(notebook(LOAD, *cells))
    lab.run_all()
    compare(lab, tab, "three-a", "three-b", "three-c")

    params = tab.locator("tr[data-key=rate]")
    expect(params.locator("td")).to_have_text(["2", "4", "8"])
    expect(tab.locator("tr[data-key=python]")).to_have_count(0)

    overlay, box = plot(tab, "loss")
    lab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60)
    tooltip = overlay.locator(".tb-Tooltip")
    expect(tooltip.locator("tbody tr")).to_have_count(3)
    expect(tooltip).to_contain_text(re.compile(r"step (199|200)"))

    tab.get_by_role("button", name="Measure the other runs against three-a #1").click()
    expect(tab.locator("tr[data-key=accuracy] .tb-Value-delta")).to_have_count(2)
    overlay.focus()
    lab.page.keyboard.press("ArrowRight")
    expect(tooltip.locator(".tb-Tooltip-delta")).to_have_count(3)
    expect(tooltip).to_contain_text("step 0")
    tab.get_by_label("Smoothing").fill("0.8")
    overlay.focus()
    lab.page.keyboard.press("ArrowRight")
    expect(tooltip.get_by_role("columnheader", name="smooth")).to_be_visible()
    shot(lab, "compare")


def test_zooming_refines_and_a_double_click_shows_all(
    lab: Lab, notebook: Notebook, tab: Locator
) -> None:
    lab.open(notebook(LOAD, study("long-a", 2.0, 2, 30_000), study("long-b", 4.0, 4, 30_000)))
    lab.run_all()
    compare(lab, tab, "long-a", "long-b")
    host = figure(tab, "loss").locator(".tb-Plot")
    expect(host).to_have_attribute("data-points", re.compile(r"^[1-9]\d{3}$"))
    before = int(host.get_attribute("data-points") or 0)
    assert before < 10_000
    expect(figure(tab, "loss")).to_contain_text("25,000")

    overlay, box = plot(tab, "loss")
    start = box["x"] + box["width"] * 12_300 / 30_000
    lab.page.mouse.move(start, box["y"] + 40)
    lab.page.mouse.down()
    lab.page.mouse.move(start + 14, box["y"] + 60, steps=4)
    with lab.page.expect_response(re.compile("compare/chart.*within")) as asked:
        lab.page.mouse.up()
    columns = asked.value.json()["columns"]
    steps = [x for x, run in zip(columns["x"], columns["run"], strict=True) if "long-a" in run]
    assert steps == sorted(steps)
    assert steps[-1] - steps[0] == len(steps) - 2, "every step of the part; one was logged twice"
    assert 9.0 in columns["value"]
    expect(figure(tab, "loss")).not_to_contain_text("25,000")

    overlay.dblclick(position={"x": 30, "y": 100})
    expect(figure(tab, "loss")).to_contain_text("25,000")
    expect(host).to_have_attribute("data-points", str(before))


def test_curves_grow_while_a_cell_trains(lab: Lab, notebook: Notebook, tab: Locator) -> None:
    live = """%%track growing
import pathlib
for step in range(100_000):
    tb.log_metric("loss", 1 / (step + 1))
    if pathlib.Path("enough").exists():
        break
    time.sleep(0.05)
"""
    path = notebook(LOAD, study("grown", 2.0, 2), live)
    lab.open(path)
    lab.begin("notebook:run-all-cells")
    expect(lab.row("growing")).to_have_count(1)
    compare(lab, tab, "grown", "growing")
    host = figure(tab, "loss").locator(".tb-Plot")
    drawing = host.locator(MARKS).element_handle()
    first = host.get_attribute("data-points") or ""
    expect(host).not_to_have_attribute("data-points", first)
    second = host.get_attribute("data-points") or ""
    expect(host).not_to_have_attribute("data-points", second)
    assert drawing.evaluate("element => element.isConnected"), "new points draw nothing anew"
    (lab.project / path).parent.joinpath("enough").touch()
    expect(lab.row("growing").locator("[data-status]")).to_have_attribute("data-status", "finished")


def test_a_chart_is_saved_and_placed_in_the_notebook(
    lab: Lab, notebook: Notebook, tab: Locator
) -> None:
    lab.open(notebook(LOAD, study("save-a", 2.0, 2), study("save-b", 4.0, 4)))
    lab.run_all()
    compare(lab, tab, "save-a", "save-b")
    menu = figure(tab, "loss").get_by_role("button", name="What to do with loss")
    for kind, sign in (("PNG", b"\x89PNG\r\n\x1a\n"), ("SVG", b"<svg")):
        menu.click()
        with lab.page.expect_download() as saved:
            figure(tab, "loss").get_by_role("button", name=f"Save as {kind}").click()
        assert saved.value.suggested_filename == f"loss.{kind.lower()}"
        content = saved.value.path().read_bytes()
        assert sign in content[:200]
        assert len(content) > 3000
    assert b"save-a #1" in content, "the legend goes with the picture"

    menu.click()
    figure(tab, "loss").get_by_role("button", name="Insert into the notebook").click()
    expect(figure(tab, "loss").get_by_role("status").first).to_have_text("In a new cell")
    lab.page.get_by_role("tab", name="work.ipynb").click()
    cell = lab.page.locator(".jp-NotebookPanel:visible .jp-CodeCell.jp-mod-active")
    expect(cell).to_contain_text('.chart(kind="curves", y="loss")')
    lab.command("notebook:run-cell")
    expect(cell.locator(".jp-OutputArea-output").locator("canvas, svg").first).to_be_visible()


def test_charts_are_added_brushed_and_come_back(lab: Lab, notebook: Notebook, tab: Locator) -> None:
    names = [f"many-{n}" for n in range(5)]
    cells = [study(name, 1.0 + 2 * n, 2 + n) for n, name in enumerate(names)]
    lab.open(notebook(LOAD, *cells))
    lab.run_all()
    compare(lab, tab, *names)
    for kind in ("Scatter", "Parallel coordinates", "Bars", "Histogram", "Importance"):
        tab.get_by_role("button", name=kind, exact=True).click()
        drawn = figure(tab, f"{kind}: accuracy")
        drawn.scroll_into_view_if_needed()
        expect(drawn.locator(MARKS)).to_be_visible()
    expect(figure(tab, "Importance: accuracy")).to_contain_text("bootstrap interval")

    axes = figure(tab, "Parallel coordinates: accuracy").locator(".tb-Brush")
    axes.first.scroll_into_view_if_needed()
    box = axes.first.bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2
    lab.page.mouse.move(middle, box["y"] + box["height"] - 4)
    lab.page.mouse.down()
    lab.page.mouse.move(middle, box["y"] + box["height"] * 0.6, steps=3)
    lab.page.mouse.up()
    expect(tab.get_by_role("button", name="2 runs; show all")).to_be_visible()
    expect(tab.locator(".tb-CompareHead.tb-mod-faint")).to_have_count(3)
    shot(lab, "compare-params")

    lab.page.wait_for_timeout(1500)  # Lab saves its layout with a delay
    lab.reload()
    expect(tab.locator(MARKS).first).to_be_visible()
    expect(figure(tab, "Importance: accuracy")).to_have_count(1)


def test_images_and_code_side_by_side(lab: Lab, notebook: Notebook, tab: Locator) -> None:
    lab.open(notebook(LOAD, study("look-a", 2.0, 2), study("look-b", 4.0, 4)))
    lab.run_all()
    compare(lab, tab, "look-a", "look-b")
    tab.get_by_role("region", name="Images", exact=True).scroll_into_view_if_needed()
    images = tab.get_by_role("region", name="sample", exact=False).last
    images.scroll_into_view_if_needed()
    pictures = images.locator("img")
    expect(pictures).to_have_count(2)
    assert pictures.first.evaluate("image => image.decode().then(() => image.naturalWidth)") == 24
    expect(images).to_contain_text("step 3")
    images.get_by_role("slider").focus()
    lab.page.keyboard.press("Home")
    expect(images.locator(".tb-Images-at").first).to_have_text("step 1")

    code = tab.get_by_role("region", name="Code", exact=True)
    code.scroll_into_view_if_needed()
    code.get_by_role("combobox", name="Right run").scroll_into_view_if_needed()
    expect(code.locator(".tb-CellPair").first).to_be_visible()
    expect(code.locator("mark", has_text="2.0, 2")).to_have_count(1)
    shot(lab, "compare-code")


def test_runs_without_curves_are_calm_and_clear(lab: Lab, notebook: Notebook, tab: Locator) -> None:
    bare = "%%track {0}\ndepth = {1}\n"
    hollow = "%%track hollow-{0}\nfor n in range(3):\n    tb.log_metric('loss', float('nan'))\n"
    lab.open(notebook(LOAD, bare.format("bare-a", 1), bare.format("bare-b", 2), hollow.format("a")))
    lab.run_all()
    for name in ("bare-a", "bare-b"):
        lab.select(f"{name} #1")
    lab.panel.get_by_role("button", name=re.compile("Compare")).click()
    expect(tab).to_contain_text("These runs logged no metrics.")
    expect(tab.locator("tr[data-key=depth] td")).to_have_text(["1", "2"])
    lab.select("hollow-a #1")
    lab.panel.get_by_role("button", name=re.compile("Compare")).click()
    expect(tab).to_contain_text("No finite value; the marks show where NaN and inf were.")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_it_is_readable_in_both_themes(
    lab: Lab, notebook: Notebook, tab: Locator, theme: str
) -> None:
    name = "dark" if "Dark" in theme else "light"
    lab.open(notebook(LOAD, study(f"{name}-a", 2.0, 2), study(f"{name}-b", 4.0, 4)))
    lab.run_all()
    try:
        lab.command("apputils:change-theme", theme=theme)
        compare(lab, tab, f"{name}-a", f"{name}-b")
        for text in (
            ".tb-CompareHead-name >> nth=0",
            ".tb-Part-title >> nth=0",
            ".tb-Key >> nth=1",
        ):
            assert lab.contrast(tab.locator(text)) >= 4.5
        label = tab.locator(".role-axis-label text").first
        fill = label.evaluate("text => getComputedStyle(text).fill")
        assert fill != "rgb(0, 0, 0)"
    finally:
        lab.command("apputils:change-theme", theme="JupyterLab Light")
