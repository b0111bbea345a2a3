"""The tutorial notebooks, executed cell by cell in a real kernel."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import trackbook as tb

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
LIVE = "application/vnd.trackbook.v1+json"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A git repository of a user, with one commit and nothing to ignore."""
    folder = tmp_path / "project"
    (folder / "notebooks").mkdir(parents=True)
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        shutil.copy(notebook, folder / "notebooks")
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "notebooks"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def execute(path: Path, monkeypatch: pytest.MonkeyPatch) -> nbformat.NotebookNode:
    """The executed notebook; the file is left alone."""
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))  # as Jupyter's server tells a kernel
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=240, kernel_name="python3", resources=resources).execute()
    return notebook


def outputs(notebook: nbformat.NotebookNode, cell: str) -> list[nbformat.NotebookNode]:
    return list(next(found for found in notebook.cells if found.id == cell).outputs)


def shown(notebook: nbformat.NotebookNode, cell: str) -> dict[str, object]:
    """The MIME bundle of the last output of a cell."""
    return dict(outputs(notebook, cell)[-1].data)


def changed_files(folder: Path) -> str:
    command = ["git", "status", "--porcelain", "--untracked-files=all"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_the_tutorial_runs_and_leaves_what_it_promises(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = execute(project / "notebooks" / "quickstart.ipynb", monkeypatch)

    runs = tb.open_store(project / ".trackbook").runs(sort="started")
    names = ["forest", "forest", "forest", "boosting", "boosting", "logistic"]
    assert [run.name for run in runs] == names
    assert [run.number for run in runs] == [1, 2, 3, 1, 2, 1]
    assert {run.status for run in runs} == {"finished"}
    assert {run.experiment for run in runs} == {"notebooks/quickstart"}
    assert [run.params["max_depth"] for run in runs[:3]] == [4, 8, 16]
    assert all(run.metrics["accuracy"] > 0.85 for run in runs)
    assert runs[0].metrics["accuracy"] < runs[1].metrics["accuracy"]
    assert runs[3].summary["test_loss"]["count"] == 40

    assert LIVE in shown(notebook, "runs")
    assert {"text/html", "text/plain"} <= set(shown(notebook, "runs"))
    assert LIVE in shown(notebook, "compare")
    assert any("vegalite" in mime for mime in shown(notebook, "chart"))
    assert outputs(notebook, "why")
    assert [run.verdict.status for run in runs if run.verdict] == ["reproduced"]
    assert "reproduced: " in str(outputs(notebook, "replay"))
    assert changed_files(project) == ""


def test_the_training_loop_keeps_every_point(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(project / "notebooks" / "pytorch.ipynb", monkeypatch)

    runs = tb.open_store(project / ".trackbook").runs(sort="started")
    assert [run.params["lr"] for run in runs] == [0.001, 0.01, 0.1]
    assert {run.status for run in runs} == {"finished"}
    assert {(run.name, run.params["optimizer"], run.params["batch_size"]) for run in runs} == {
        ("Sequential", "Adam", 64)
    }
    assert [run.summary["test_loss"]["count"] for run in runs] == [15, 15, 15]
    assert [run.summary["accuracy"]["count"] for run in runs] == [15, 15, 15]
    points = runs[1].history("loss")
    assert len(points) == 15 * 20  # 1,257 rows in batches of 64
    assert list(points["step"]) == list(range(300))
    assert points["value"].iloc[-20:].mean() < points["value"].iloc[:20].mean() / 5
    assert changed_files(project) == ""
