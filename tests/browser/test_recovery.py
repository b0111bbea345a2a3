"""What ends early: a kernel that is killed, a server that comes back, a replay nobody waits for."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lab import Lab
from playwright.sync_api import Page, expect
from serving import serve, stop
from studies import Study, add, maker, show

from trackbook import reading

pytestmark = pytest.mark.browser

TRAINING = """%%track forest
import os, pathlib, time
for step in range(3):
    tb.log_metric("loss", 1 / (step + 1))
time.sleep(0.5)
pathlib.Path("pid").write_text(str(os.getpid()))
time.sleep({rest})"""
LOAD = "%load_ext trackbook\nimport trackbook as tb"
RUN = """
source => {
  const panel = window.jupyterapp.shell.currentWidget;
  panel.content.activeCellIndex = 1;
  panel.content.widgets[1].model.sharedModel.setSource(source);
  void window.jupyterapp.commands.execute('notebook:run-cell');
}
"""
AWAY = "The server does not answer"
NOTEBOOK = "() => 'sessionContext' in window.jupyterapp.shell.currentWidget"
KERNEL = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.info"


def test_a_kernel_that_is_killed_leaves_its_run_and_the_next_attempt_works(
    lab: Lab, notebook: Callable[..., str]
) -> None:
    path = notebook(LOAD, TRAINING.format(rest=120))
    lab.open(path)
    lab.begin("notebook:run-all-cells")
    pid = (lab.project / path).with_name("pid")
    row = lab.row("forest")
    expect(row).to_have_count(1)
    expect(row.locator("[data-status]")).to_have_attribute("data-status", "running")
    deadline = time.monotonic() + 60
    while not pid.exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(int(pid.read_text()), signal.SIGKILL)
    expect(row.locator("[data-status]")).to_have_attribute("data-status", "lost")
    store = reading.open_store(lab.store)
    run = store.get_run("forest")
    lab.command("trackbook:open-run", store=store.id, run=run.id)
    page = lab.page.locator(f'.tb-RunPage[data-run-id="{run.id}"]')
    expect(page).to_contain_text(re.compile(r"killed: signal 9|likely out of memory"))
    assert run.metrics["loss"] == pytest.approx(1 / 3)
    lab.page.locator(".jp-Dialog button").click()  # "it will restart automatically"
    lab.page.locator("#jp-main-dock-panel [role=tab]", has_text="work.ipynb").click()
    lab.page.wait_for_function(NOTEBOOK)
    lab.page.evaluate(KERNEL)
    lab.page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0")
    lab.command("notebook:run-cell")
    lab.page.evaluate(RUN, TRAINING.format(rest=0))
    second = lab.row("forest").filter(has_text="#2")
    expect(second.locator("[data-status]")).to_have_attribute("data-status", "finished")


def test_a_server_that_comes_back_is_found_and_what_happened_meanwhile_is_shown(
    page: Page, home: Path, server: str, tmp_path: Path
) -> None:
    """``server`` has made the settings; this test ends another one."""
    store, path = maker(tmp_path, "away")(3)
    log = home / "restarted.log"
    with serve(tmp_path, log) as (process, address):
        lab = Lab(page, address, tmp_path)
        lab.start()
        show(lab, path, 3)
        stop(process)
        add(store, 7, "meanwhile")
        expect(lab.panel).to_contain_text(AWAY, timeout=60_000)
        expect(lab.row("run1")).to_have_count(1)  # what was there stays
    with serve(tmp_path, log, address=address):
        expect(lab.row("meanwhile")).to_have_count(1, timeout=90_000)
        expect(lab.panel).not_to_contain_text(AWAY)
        add(store, 8, "afterwards")
        expect(lab.row("afterwards")).to_have_count(1, timeout=90_000)
        lab.shut_down_kernels()


def test_a_server_without_our_extension_is_told_in_place(
    page: Page, home: Path, server: str, tmp_path: Path
) -> None:
    off = "--ServerApp.jpserver_extensions={'trackbook': False}"
    with serve(tmp_path, home / "without.log", off) as (_, address):
        lab = Lab(page, address, tmp_path)
        lab.start()
        expect(lab.panel).to_contain_text("This Jupyter server does not have Trackbook")


def test_a_store_that_vanishes_leaves_a_calm_panel(lab: Lab, study: Study) -> None:
    store, path = study(5)
    show(lab, path, 5)
    assert store.path is not None
    gone = store.path.with_name("gone")
    store.path.rename(gone)
    lab.command("trackbook:refresh")
    expect(lab.row("run1")).to_have_count(0)
    gone.rename(store.path)
    lab.command("trackbook:refresh")
    expect(lab.row("run1")).to_have_count(1)


def test_a_replay_is_cancelled(lab: Lab, notebook: Callable[..., str]) -> None:
    wait = "import os, time\nif 'TRACKBOOK_REPLAY' in os.environ:\n    time.sleep(600)"
    lab.open(notebook(LOAD, f"%%track slow\n{wait}\nacc = 0.5"))
    lab.run_all()
    store = reading.open_store(lab.store)
    run = store.get_run("slow")
    lab.command("trackbook:open-run", store=store.id, run=run.id)
    replay = lab.page.locator('.tb-RunPage [data-section="replay"]')
    if replay.locator("h2 button").get_attribute("aria-expanded") == "false":
        replay.locator("h2 button").click()
    replay.locator(".tb-Button", has_text="Replay").click()
    expect(replay).to_contain_text(re.compile(r"Cell \d of \d"))
    replay.get_by_role("button", name="Cancel").click()
    expect(replay.locator(".tb-Button", has_text="Replay")).to_be_visible()
    expect(replay).to_contain_text("not determined: cancelled")
    assert store.get_run(run.id).verdict is None
