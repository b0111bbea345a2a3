"""`Runs.widget()` where it is shown: in JupyterLab among ipywidgets, and on a page of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from lab import Lab, troubles
from playwright.sync_api import Page, expect
from runs import write

from trackbook import reading
from trackbook.store import Store

pytestmark = pytest.mark.browser

SHOTS = Path(__file__).parent / "shots"
SCRIPT = Path(reading.__file__).parents[1] / "widget.js"
LOAD = "%load_ext trackbook\nimport trackbook as tb\nimport ipywidgets"
OURS = "'the_widget' in experiment"
RUNS = """
for depth in (2, 4, 8):
    with tb.start_run("tree", params={"depth": depth}) as run:
        run.log_metric("accuracy", 0.8 + depth / 100)
"""
SHOWN = """
table = tb.runs("'the_widget' in experiment").widget()
said = ipywidgets.Label()
table.observe(lambda change: setattr(said, "value", f"{len(change['new'])} chosen"), "selected")
typed = ipywidgets.Text(description="where")
ipywidgets.link((table, "where"), (typed, "value"))
ipywidgets.VBox([typed, table, said])
"""
# What a host gives a widget: values that change with events, and a way to send messages.
HOST = """
async ([script, values]) => {
  const listeners = new Map();
  const sent = [];
  const model = {
    get: name => values[name],
    set: (name, value) => {
      values[name] = value;
      for (const tell of listeners.get(`change:${name}`) ?? []) tell();
    },
    on: (name, tell) => listeners.set(name, [...(listeners.get(name) ?? []), tell]),
    off: (name, tell) => listeners.set(name, listeners.get(name).filter(one => one !== tell)),
    save_changes: () => sent.push({ ...values, table: null }),
    send: message => sent.push(message)
  };
  const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  const { default: widget } = await import(url);
  window.sent = sent;
  window.left = () => [...listeners.values()].flat().length;
  window.end = widget.render({ model, el: document.querySelector('main') });
}
"""


def test_the_widget_works_among_ipywidgets(lab: Lab, notebook: Callable[..., str]) -> None:
    lab.open(notebook(LOAD, RUNS, SHOWN, "print(table.where, len(table.selected))", own=False))
    lab.run_all()
    shown = lab.page.locator(".tb-widget")
    rows = shown.locator("tr[data-run-id]")
    expect(rows).to_have_count(3)
    shown.get_by_role("checkbox", name="Select tree #2").check()
    expect(lab.page.get_by_text("1 chosen")).to_be_visible()
    expect(shown.get_by_role("status")).to_have_text("3 runs, 1 selected")

    shown.get_by_role("searchbox").fill(f"{OURS} and params.depth >= 4")
    expect(rows).to_have_count(2)
    expect(lab.page.get_by_label("where")).to_have_value(f"{OURS} and params.depth >= 4")
    lab.page.get_by_label("where").fill("params.depth >")
    lab.page.keyboard.press("Enter")
    expect(shown.get_by_role("alert")).not_to_be_empty()
    expect(rows).to_have_count(2)
    shown.get_by_role("searchbox").fill(OURS)
    expect(rows).to_have_count(3)

    shown.get_by_role("button", name="accuracy").click()
    expect(rows.first).to_contain_text("tree #3")
    shown.get_by_role("button", name="accuracy").click()
    expect(rows.first).to_contain_text("tree #1")
    expect(shown.get_by_role("button", name="accuracy")).to_be_focused()
    if os.environ.get("TRACKBOOK_SHOTS"):
        lab.page.screenshot(path=SHOTS / "widget.png")
    lab.accessible(".tb-widget")

    lab.page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 3 }")
    lab.command("notebook:run-cell")
    expect(lab.output(3)).to_have_text(f"{OURS} 1")


def test_the_script_needs_no_more_than_a_host(store: Store, page: Page) -> None:
    for depth in (2, 4):
        write(store, params={"depth": depth}, metrics={"accuracy": [depth / 10]})
    state = reading.OpenStore(store).runs().widget().get_state()
    values = {name: state[name] for name in ("selected", "where", "sort", "problem", "table")}
    page.set_content("<html lang=en><title>A page</title><main></main></html>")
    page.evaluate(HOST, [SCRIPT.read_text(encoding="utf-8"), json.loads(json.dumps(values))])
    expect(page.locator("tr[data-run-id]")).to_have_count(2)
    page.get_by_role("checkbox", name="Select forest #1").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Refresh").click()
    sent = page.evaluate("() => window.sent")
    assert [len(sent[0]["selected"]), sent[1]] == [1, {"kind": "refresh"}]
    assert troubles(page, "main") == []
    page.evaluate("() => window.end()")
    assert page.evaluate("() => window.left()") == 0
