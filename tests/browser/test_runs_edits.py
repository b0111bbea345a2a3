"""The table of runs in JupyterLab: filters, edits with undo, code, both themes."""

from __future__ import annotations

import pytest
from lab import Lab
from playwright.sync_api import expect
from studies import Study, edits, show, wide

pytestmark = pytest.mark.browser


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
