"""The table of runs in JupyterLab: many runs, keys alone, columns, groups, filter, edits, undo."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from lab import Lab
from playwright.sync_api import Locator, expect

from trackbook import settings
from trackbook.store import Store, open_store

sys.path.insert(0, str(Path(__file__).parent.parent))
from runs import write

pytestmark = pytest.mark.browser

MANY = 10_000
# So many are written as a kernel does it, which takes its time for safety on the disk.
COPIED = 100
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
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
IN_SIGHT = """
body => {
  const box = body.parentElement.getBoundingClientRect();
  return [...body.querySelectorAll('[data-run-id]')]
    .map(row => ({ row, at: row.getBoundingClientRect() }))
    .filter(({ at }) => at.top >= box.top + 28 && at.bottom <= box.bottom)
    .sort((a, b) => a.at.top - b.at.top)
    .map(({ row }) => row.querySelector('.tb-Name-text').textContent);
}
"""
Study = Callable[..., tuple[Store, str]]


@pytest.fixture
def study(project: Path, request: pytest.FixtureRequest) -> Study:
    """A folder with a store of so many runs and a notebook; the panel follows the notebook."""

    def make(count: int = 12) -> tuple[Store, str]:
        folder = project / request.node.name.removeprefix("test_")[:40]
        folder.mkdir()
        store = open_store(folder / ".trackbook", create=True)
        assert store.path is not None
        settings.register(store.id, store.path)
        for n in range(min(count, COPIED)):
            add(store, n)
        first = next(store.path.glob("runs/*/*"), folder)
        for n in range(COPIED, count):
            copy(first, n)
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
        new = nbformat.v4.new_notebook(metadata=kernel)
        new.cells = [nbformat.v4.new_code_cell("")]
        nbformat.write(new, folder / "work.ipynb")
        return store, f"{folder.name}/work.ipynb"

    return make


def add(store: Store, n: int, name: str = "") -> str:
    """A run; every third has the same params but for the seed."""
    depth, seed = 2 + n // 3 % 4, n % 3
    accuracy = 0.8 + depth / 50 + seed / 500
    return write(
        store,
        name or f"run{n}",
        params={"depth": depth, "seed": seed, "trees": 300},
        metrics={"acc": [accuracy], "loss": [1 / (step + 1) + seed for step in range(8)]},
        experiment=("study/deep", "study/wide", "other")[n % 3],
        started=1_795_000_000.0 + n,
        series=name or f"run{n}",
        number=1,
        headline="acc",
    )


def copy(first: Path, n: int) -> None:
    """One more run, as a copy of another's folder, which is always valid."""
    run_id = f"{first.name[:-10]}{''.join(_LETTERS[n // 26**at % 26] for at in range(10))}"
    document = json.loads((first / "run.json").read_bytes())
    depth = 2 + n % 5
    document.update(
        id=run_id,
        name=f"run{n}",
        series=f"run{n}",
        started=document["started"] + n,
        ended=document["ended"] + n,
        params={"depth": depth, "seed": n % 7, "trees": 300},
    )
    document["summary"]["acc"]["last"] = 0.8 + depth / 50 + n % 97 / 1000
    shutil.copytree(first, first.with_name(run_id))
    (first.with_name(run_id) / "run.json").write_text(json.dumps(document), encoding="utf-8")


def names(table: Locator) -> list[str]:
    """The names of the rows in sight, from top to bottom."""
    found: list[str] = table.locator(".tb-Table-body").evaluate(IN_SIGHT)
    return found


def show(lab: Lab, path: str, count: int) -> Locator:
    """Open the notebook; the panel shows its runs."""
    lab.open(path)
    expect(lab.panel.locator(".tb-Count")).to_have_text(f"{count} runs")
    return lab.panel.get_by_role("grid")


def wide(lab: Lab) -> Locator:
    """The table in a tab of its own."""
    lab.command("trackbook:open-table")
    tab = lab.page.locator("#trackbook-table")
    expect(tab.locator("[data-run-id]").first).to_be_visible()
    return tab


def edits(store: Store, name: str) -> dict[str, object]:
    """What a run of a name is after all edits."""
    return next(d for d in store.find(archived=True) if d["name"] == name)


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
    add(store, MANY)
    expect(tab.locator(".tb-Count")).to_have_text(f"{MANY + 1} runs")
    assert len(first) > 10
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


# -- finding ---------------------------------------------------------------------------------------


def test_a_wrong_filter_is_marked_at_its_place(lab: Lab, study: Study) -> None:
    _, path = study(6)
    show(lab, path, 6)
    lab.panel.get_by_role("button", name="Filter").click()
    where = lab.panel.get_by_role("combobox", name="Filter runs")
    where.fill("metrics.acc > 0.5 and nme")
    expect(lab.panel.locator(".tb-Where-error")).to_contain_text("did you mean name?")
    mark = lab.panel.locator(".tb-Where-mark")
    expect(mark).to_have_text("nme")
    expect(mark).to_have_attribute("data-place", "22")
    expect(lab.rows()).to_have_count(6)  # a bad filter keeps what is there
    where.fill("params.depth == 3")
    expect(lab.panel.locator(".tb-Count")).to_have_text("3 found")
    expect(mark).to_have_count(0)
    lab.accessible("#trackbook-panel")


def test_a_filter_is_completed(lab: Lab, study: Study) -> None:
    _, path = study(6)
    show(lab, path, 6)
    lab.panel.get_by_role("button", name="Filter").click()
    where = lab.panel.get_by_role("combobox", name="Filter runs")
    where.click()
    keys = lab.page.keyboard
    keys.type("par")
    keys.press("Enter")
    expect(where).to_have_value("params.")
    keys.type("dep")
    expect(lab.panel.locator(".tb-Where-option")).to_have_count(1)
    keys.press("Tab")
    expect(where).to_have_value("params.depth")
    keys.type(" == 2")
    expect(lab.rows()).to_have_count(3)


def test_the_quick_search_finds_words_anywhere(lab: Lab, study: Study) -> None:
    _, path = study(12)
    show(lab, path, 12)
    search = lab.panel.get_by_role("searchbox", name="Search runs")
    search.fill("depth=3 seed=1")
    expect(lab.rows()).to_have_count(1)
    search.fill("nothing has this")
    lab.panel.get_by_role("button", name="Show all runs").click()
    expect(lab.rows()).to_have_count(12)


# -- editing ---------------------------------------------------------------------------------------


def test_tags_and_notes_are_edited_in_the_row(lab: Lab, study: Study) -> None:
    store, path = study(3)
    show(lab, path, 3)
    lab.row("run1").click(button="right")
    lab.page.get_by_role("menuitem", name="Edit Tags").click()
    lab.panel.get_by_role("textbox", name="Tags of run1 #1").fill("baseline, stage=prod")
    lab.page.keyboard.press("Enter")
    notice = lab.panel.locator(".tb-Notice")
    expect(notice).to_contain_text("Tags of run1 #1 changed")
    assert edits(store, "run1")["tags"] == {"baseline": "", "stage": "prod"}
    notice.get_by_role("button", name="Undo").click()
    expect(notice).to_contain_text("Taken back")
    assert edits(store, "run1")["tags"] == {}

    lab.row("run1").click()
    lab.panel.get_by_role("grid").focus()
    lab.page.keyboard.press("n")
    lab.panel.get_by_role("textbox", name="Note of run1 #1").fill("the good one")
    lab.page.keyboard.press("Enter")
    expect(notice).to_contain_text("Note of run1 #1 changed")
    assert edits(store, "run1")["note"] == "the good one"


def test_runs_go_to_archive_and_trash_and_come_back(lab: Lab, study: Study) -> None:
    store, path = study(6)
    show(lab, path, 6)
    lab.select("run1 #1")
    lab.select("run2 #1")
    lab.command("trackbook:archive")
    expect(lab.rows()).to_have_count(4)
    notice = lab.panel.locator(".tb-Notice")
    expect(notice).to_contain_text("2 runs archived")
    notice.get_by_role("button", name="Undo").click()
    expect(lab.rows()).to_have_count(6)

    lab.row("run3").click()
    lab.command("trackbook:trash")
    expect(lab.row("run3")).to_have_count(0)
    lab.panel.get_by_role("button", name="More").click()
    lab.page.get_by_role("menuitem", name="Show the Trash").click()
    expect(lab.rows()).to_have_count(1)
    lab.row("run3").click()
    lab.command("trackbook:restore")
    expect(lab.panel).to_contain_text("The trash is empty")
    lab.panel.get_by_role("button", name="Back to the runs").click()
    expect(lab.rows()).to_have_count(6)
    assert len(store.find()) == 6


def test_an_edit_of_another_window_is_seen(lab: Lab, study: Study) -> None:
    store, path = study(3)
    show(lab, path, 3)
    run_id = store.find(sort="started")[0]["id"]
    store.edit(run_id, {"name": "elsewhere", "star": True})
    expect(lab.row("elsewhere")).to_have_count(1)


# -- code ------------------------------------------------------------------------------------------


def test_the_view_becomes_a_cell_that_runs(lab: Lab, study: Study) -> None:
    _, path = study(12)
    show(lab, path, 12)
    lab.command("trackbook:filter", where="params.depth > 2")
    lab.command("trackbook:sort", by=["-headline", "name"])
    expect(lab.rows()).to_have_count(9)
    lab.command("trackbook:insert-code")
    source = lab.page.locator(".jp-NotebookPanel:visible .jp-CodeCell").nth(1)
    expect(source).to_contain_text('tb.runs("params.depth > 2")')
    lab.command("notebook:run-cell")
    output = lab.output(1)
    expect(output).to_contain_text("metrics.acc")
    expect(output.locator("tbody tr")).to_have_count(9)
    expect(output.locator("tbody tr").first).to_contain_text("run11")

    lab.command("trackbook:group", by="params.depth")
    lab.command("trackbook:insert-code")
    lab.command("notebook:run-cell")
    expect(lab.output(2)).to_contain_text("mean")
    expect(lab.output(2).locator("tbody tr")).to_have_count(3)


# -- both themes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_serious(lab: Lab, study: Study, theme: str) -> None:
    _, path = study(6)
    show(lab, path, 6)
    tab = wide(lab)
    try:
        lab.command("apputils:change-theme", theme=theme)
        dark = "false" if "Dark" in theme else "true"
        expect(lab.page.locator(f"body[data-jp-theme-light={dark}]")).to_have_count(1)
        lab.select("run1 #1", tab)
        tab.get_by_role("button", name="Columns").click()
        lab.accessible("#trackbook-table")
        lab.page.keyboard.press("Escape")
        tab.get_by_role("button", name="Sort and group").click()
        lab.accessible("#trackbook-table")
        lab.accessible("#trackbook-panel")
    finally:
        lab.command("apputils:change-theme", theme="JupyterLab Light")
