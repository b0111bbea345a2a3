"""Whatever runs the code, a run knows where it belongs: scripts, ipython, papermill and others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from kernels import kernel

from trackbook import reading

SCRIPT = """import trackbook as tb
with tb.start_run():
    tb.log_metric("loss", 0.5)
print("done")
"""
CELLS = [
    "%load_ext trackbook\nimport trackbook as tb",
    "%%track forest\ndepth = 3\nacc = depth / 10",
    "%%track\nlr = 0.5\nloss = 1 - lr",
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a store, and a notebook and a script below it."""
    (tmp_path / ".trackbook").mkdir()
    work = tmp_path / "work"
    work.mkdir()
    (work / "train.py").write_text(SCRIPT, encoding="utf-8")
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    cells[0].metadata["tags"] = ["parameters"]
    book = nbformat.v4.new_notebook(cells=cells)
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python", "language": "python"}
    nbformat.write(book, work / "study.ipynb")
    return tmp_path


def host(folder: Path, *command: str) -> str:
    """What a program prints that runs in a folder."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(project: Path) -> list[tuple[str, str, int, str | None]]:
    """Experiment, name, number and notebook of each run, the oldest first."""
    runs = reading.open_store(project / ".trackbook").runs(sort="started")
    assert {run.status for run in runs} == {"finished"}
    return [(r.experiment, r.name, r.number, r.notebook) for r in runs]


NOTEBOOK = [
    ("work/study", "forest", 1, "work/study.ipynb"),
    ("work/study", "study", 1, "work/study.ipynb"),
]
NAMELESS = [("default", "forest", 1, None), ("default", "run", 1, None)]


def again(rows: list[tuple[str, str, int, str | None]]) -> list[tuple[str, str, int, str | None]]:
    return [*rows, *((e, name, number + 1, path) for e, name, number, path in rows)]


def test_a_script(project: Path) -> None:
    for _ in range(2):
        command = [sys.executable, str(project / "work" / "train.py")]
        subprocess.run(command, cwd=project / "work", check=True)
    assert told(project) == [
        ("work/train", "train", 1, None),
        ("work/train", "train", 2, None),
    ]


def test_a_script_that_ipython_runs(project: Path) -> None:
    for _ in range(2):
        assert "done" in host(project / "work", "IPython", "--no-banner", "train.py")
    assert told(project) == [
        ("work/train", "train", 1, None),
        ("work/train", "train", 2, None),
    ]


@pytest.mark.timeout(120)
def test_papermill_that_injects_its_paths(project: Path) -> None:
    for number in (1, 2):
        output = project / "out" / f"study-{number}.ipynb"
        output.parent.mkdir(exist_ok=True)
        paths = ["work/study.ipynb", str(output), "-p", "seed", "7"]
        host(project, "papermill", "--inject-paths", "--no-progress-bar", *paths)
    assert told(project) == again(NOTEBOOK)


@pytest.mark.timeout(120)
def test_papermill_that_says_nothing(project: Path) -> None:
    for number in (1, 2):
        paths = ["study.ipynb", f"study-{number}.ipynb"]
        host(project / "work", "papermill", "--no-progress-bar", *paths)
    assert told(project) == again(NAMELESS)
    run = reading.open_store(project / ".trackbook").get_run("latest")
    assert [entry["state"] for entry in run.why if entry["what"] == "notebook path"] == [
        "not captured"
    ]


@pytest.mark.timeout(120)
def test_nbconvert(project: Path) -> None:
    for _ in range(2):
        options = ["--to", "notebook", "--execute", "--output", "executed"]
        host(project / "work", "nbconvert", *options, "study.ipynb")
    assert told(project) == again(NAMELESS)
    executed = nbformat.read(project / "work" / "executed.ipynb", as_version=4)
    assert "forest #2" in str(executed.cells[1].outputs)


@pytest.mark.parametrize("variable", ["__vsc_ipynb_file__", "PAPERMILL_OUTPUT_PATH"])
def test_a_variable_in_the_namespace(project: Path, variable: str) -> None:
    path = project / "work" / "study.ipynb"
    with kernel(project) as user:
        user.run(f"{variable} = {str(path)!r}")
        for source in (*CELLS, *CELLS[1:]):
            user.run(source)
    assert told(project) == again(NOTEBOOK)


def test_jupyter_tells_the_path_by_the_environment(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", str(project / "work" / "study.ipynb"))
    with kernel(project) as user:
        for index, source in enumerate(CELLS):
            user.run(source, f"cell-{index}")
    assert told(project) == NOTEBOOK


@pytest.mark.parametrize("cell_ids", [True, False])
def test_nothing_says_where_this_is_as_in_colab(project: Path, cell_ids: bool) -> None:
    with kernel(project) as user:
        for index, source in [*enumerate(CELLS), *list(enumerate(CELLS))[1:]]:
            user.run(source, f"cell-{index}" if cell_ids else None)
    assert told(project) == again(NAMELESS)


def test_an_address_is_no_path(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    with kernel(project) as user:
        user.run("PAPERMILL_INPUT_PATH = 's3://bucket/study.ipynb'")
        user.run(f"PAPERMILL_OUTPUT_PATH = {str(project / 'work' / 'study.ipynb')!r}")
        for source in CELLS:
            user.run(source)
    assert told(project) == NOTEBOOK
    assert os.environ.get("JPY_SESSION_NAME") is None
