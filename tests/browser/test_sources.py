"""What the kernel learns of the open notebook from a real JupyterLab."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from lab import Lab

from trackbook import reading

pytestmark = pytest.mark.browser

LOAD = "%load_ext trackbook"
TRACKED = "%%track unsaved\ndepth = 3"
TYPED = """
text => {
  const panel = window.jupyterapp.shell.currentWidget;
  panel.content.widgets[2].model.sharedModel.setSource(text);
}
"""
RENAME = """
([path, name]) => window.jupyterapp.serviceManager.contents.rename(path, name).then(() => null)
"""


def test_unsaved_edits_a_rename_and_a_reload_reach_the_run(
    lab: Lab, notebook: Callable[..., str]
) -> None:
    path = notebook(LOAD, TRACKED, "# saved", own=False)
    new = path.replace("work", "renamed")
    lab.open(path)
    lab.run_all()
    lab.page.evaluate(TYPED, "# typed and not saved")
    lab.page.evaluate(RENAME, [path, new])
    rerun(lab)
    run = latest(lab)
    assert run.notebook == new
    assert run.snapshot().cells[2].source == "# typed and not saved"

    lab.command("docmanager:save")
    lab.page.wait_for_timeout(1500)  # Lab saves its layout with a delay
    lab.reload()
    lab.open(new)
    lab.page.evaluate(TYPED, "# after the reload")
    rerun(lab)
    # The kernel does not wait for the message, which may come after the cell.
    deadline = time.monotonic() + 20
    while latest(lab).snapshot().cells[2].source != "# after the reload":
        assert time.monotonic() < deadline
        time.sleep(0.1)


def rerun(lab: Lab) -> None:
    """Run the second cell again and wait for it."""
    lab.page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1 }")
    lab.command("notebook:run-cell")


def latest(lab: Lab) -> reading.Run:
    return reading.open_store(lab.store).get_run("unsaved")
