"""The table of runs in JupyterLab: many runs, keys alone, columns, groups, folders."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import pytest
from lab import Lab
from playwright.sync_api import expect

sys.path.insert(0, str(Path(__file__).parent.parent))

from studies import Study, add, edits, names, show, wide

pytestmark = pytest.mark.browser

MANY = 10_000
FRAMES = """
async table => {
  const times = [];
  let last = performance.now();
  let nodes = 0;
  await new Promise(done => {
    const tick = () => {
      const now = performance.now();
      times.push(now - last);
      last = now;
      nodes = Math.max(nodes, table.querySelectorAll('[data-run-id]').length);
      table.scrollTop += 120;
      if (times.length < 240) requestAnimationFrame(tick); else done();
    };
    requestAnimationFrame(tick);
  });
  times.sort((a, b) => a - b);
  return { p50: times[120], p95: times[228], nodes, top: table.scrollTop };
}
"""


# -- many ------------------------------------------------------------------------------------------


def test_ten_thousand_runs_are_shown_at_once_and_scroll(lab: Lab, study: Study) -> None:
    store, path = study(MANY)
    table = show(lab, path, MANY)
    began = time.perf_counter()
    lab.command("trackbook:refresh")
    expect(table.locator("[data-run-id]").first).to_be_visible()
    print(f"\n{MANY} runs fetched and shown anew in {time.perf_counter() - began:.2f} s")
    expect(table).to_have_attribute("aria-rowcount", str(MANY + 1))

    tab = wide(lab)
    frames = tab.get_by_role("grid").evaluate(FRAMES)
    print(f"frames of 120 px: p50 {frames['p50']:.0f} ms, p95 {frames['p95']:.0f} ms")
    assert frames["nodes"] < 120
    assert frames["top"] > 20_000

    first = names(tab.get_by_role("grid"))
    top = tab.get_by_role("grid").evaluate("table => table.scrollTop")
    assert len(first) > 10
    add(store, MANY)
    expect(tab.locator(".tb-Count")).to_have_text(f"{MANY + 1} runs")
    assert names(tab.get_by_role("grid")) == first, "what was in sight has jumped"
    assert tab.get_by_role("grid").evaluate("table => table.scrollTop") == top + 28


# -- keys ------------------------------------------------------------------------------------------


def test_the_keyboard_alone_is_enough(lab: Lab, study: Study) -> None:
    store, path = study(12)
    table = show(lab, path, 12)
    keys = lab.page.keyboard
    lab.panel.get_by_role("searchbox", name="Search runs").focus()
    for _ in range(12):
        if table.evaluate("table => table === document.activeElement"):
            break
        keys.press("Tab")
    expect(table).to_be_focused()

    keys.press("ArrowDown")
    keys.press("Shift+ArrowDown")
    keys.press("Shift+ArrowDown")
    ticked = lab.panel.locator("[data-run-id][aria-selected=true]")
    expect(ticked).to_have_count(3)
    expect(lab.panel.get_by_role("button", name="Compare (3)")).to_be_visible()
    keys.press("Control+a")
    expect(lab.panel.get_by_role("button", name="Compare (12)")).to_be_visible()
    keys.press("Escape")
    expect(ticked).to_have_count(0)
    keys.press("Home")
    keys.press(" ")
    expect(ticked).to_have_count(1)
    keys.press("Escape")

    keys.press("F2")
    name = lab.panel.get_by_role("textbox", name="Name of run11 #1")
    expect(name).to_be_focused()
    name.fill("renamed")
    keys.press("Enter")
    expect(lab.row("renamed")).to_have_count(1)
    expect(table).to_be_focused()
    keys.press("s")
    expect(lab.row("renamed").get_by_role("button", name="Star")).to_have_attribute(
        "aria-pressed", "true"
    )
    keys.press("Delete")
    expect(lab.row("renamed")).to_have_count(0)
    keys.press("Control+z")
    expect(lab.row("renamed")).to_have_count(1)
    assert edits(store, "renamed")["star"] is True

    keys.press("Enter")
    expect(lab.page.locator("[id^=trackbook-run], #trackbook-compare").first).to_be_visible()


def test_titles_sort_by_several_and_move_by_keys(lab: Lab, study: Study) -> None:
    _, path = study(12)
    show(lab, path, 12)
    tab = wide(lab)
    head = tab.locator(".tb-Table-head")
    depth = head.get_by_role("columnheader", name="depth")
    depth.get_by_role("button").click()
    expect(depth).to_have_attribute("aria-sort", "ascending")
    seed = head.get_by_role("columnheader", name="seed")
    seed.get_by_role("button").click(modifiers=["Shift"])
    seed.get_by_role("button").click(modifiers=["Shift"])
    expect(seed).to_have_attribute("aria-sort", "descending")
    expect(seed).to_have_attribute("data-place", "2")
    assert names(tab)[:4] == ["run2", "run1", "run0", "run5"]

    seed.get_by_role("button").focus()
    before = seed.evaluate("title => title.clientWidth")
    lab.page.keyboard.press("Shift+ArrowRight")
    expect(seed).not_to_have_css("width", f"{before}px")
    lab.page.keyboard.press("Alt+ArrowLeft")
    order = head.locator("[data-column]").evaluate_all("all => all.map(one => one.dataset.column)")
    assert order.index("params.seed") == order.index("params.depth") - 1


# -- columns, groups, folders ----------------------------------------------------------------------


def test_columns_are_chosen_and_kept(lab: Lab, study: Study) -> None:
    _, path = study(6)
    show(lab, path, 6)
    tab = wide(lab)
    head = tab.locator(".tb-Table-head")
    expect(head.get_by_role("columnheader", name="trees")).to_have_count(0)
    tab.get_by_role("button", name="Columns").click()
    chooser = tab.get_by_role("dialog", name="Columns")
    chooser.get_by_role("searchbox", name="Find a column").fill("tree")
    chooser.get_by_role("checkbox", name="trees").check()
    chooser.get_by_role("button", name="Keep trees in sight").click()
    expect(head.get_by_role("columnheader", name="trees")).to_have_count(1)
    expect(tab.locator("[data-run-id] [data-column='params.trees']").first).to_have_text("300")
    expect(head.locator("[data-column='params.trees']")).to_have_class(re.compile("tb-mod-stays"))
    chooser.get_by_role("searchbox", name="Find a column").fill("dur")
    chooser.get_by_role("checkbox", name="Duration").uncheck()
    expect(head.get_by_role("columnheader", name="Duration")).to_have_count(0)
    lab.page.keyboard.press("Escape")
    expect(chooser).to_have_count(0)

    lab.page.wait_for_timeout(1500)  # Lab saves its state with a delay
    lab.reload()
    again = lab.page.locator("#trackbook-table .tb-Table-head")
    expect(again.get_by_role("columnheader", name="trees")).to_have_count(1)
    expect(again.get_by_role("columnheader", name="Duration")).to_have_count(0)


def test_groups_show_mean_spread_and_number(lab: Lab, study: Study) -> None:
    _, path = study(12)
    show(lab, path, 12)
    tab = wide(lab)
    tab.get_by_role("button", name="Sort and group").click()
    tab.get_by_role("combobox", name="Group by").select_option("params.depth")
    groups = tab.locator("[data-group]")
    expect(groups).to_have_count(4)
    deepest = groups.filter(has_text="depth = 5")
    expect(deepest.locator(".tb-Group-count")).to_have_text("3")
    expect(deepest.locator("[data-column=headline]")).to_have_text("0.902±0.002")
    lab.page.keyboard.press("Escape")
    deepest.click()
    expect(deepest).to_have_attribute("aria-expanded", "false")
    expect(tab.locator("[data-run-id]")).to_have_count(9)

    lab.command("trackbook:group", by="twin")
    expect(groups).to_have_count(12)  # every run has a name of its own


def test_experiments_are_folders(lab: Lab, study: Study) -> None:
    _, path = study(9)
    show(lab, path, 9)
    tab = wide(lab)
    tree = tab.get_by_role("tree", name="Experiments")
    expect(tree.get_by_role("treeitem", name="study")).to_have_attribute("aria-expanded", "true")
    tree.get_by_role("treeitem", name="deep").click()
    expect(tab.locator("[data-run-id]")).to_have_count(3)
    expect(tab.locator(".tb-Count")).to_have_text("3 of 9")
    tree.get_by_role("treeitem", name="All experiments").click()
    expect(tab.locator("[data-run-id]")).to_have_count(9)
