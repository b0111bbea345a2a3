"""Which Python replays a run: that of its kernel, where Jupyter knows it; never just any path."""

from __future__ import annotations

import json
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

import pytest
from kernels import kernel

import trackbook
from trackbook.reading import OpenStore
from trackbook.replay.process import python_of
from trackbook.store import open_store


@pytest.fixture
def other(tmp_path: Path) -> str:
    """The Python of another environment, which has the same packages."""
    venv.create(tmp_path / "other", symlinks=True, with_pip=False)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = tmp_path / "other" / "lib" / version / "site-packages"
    places = (sysconfig.get_paths()["purelib"], Path(trackbook.__file__).parent.parent)
    (packages / "all.pth").write_text("".join(f"{place}\n" for place in places))
    return str(tmp_path / "other" / "bin" / "python")


def install(python: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it a kernel that Jupyter knows."""
    spec = folder / "kernels" / "other"
    spec.mkdir(parents=True)
    argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    told = {"argv": argv, "display_name": "Other", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(told))
    monkeypatch.setenv("JUPYTER_PATH", str(folder))


def document(python: Any) -> Any:
    return {"env": {"executable": python}}


def test_the_python_of_an_installed_kernel_is_taken(
    other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert python_of(document(other)) == sys.executable
    install(other, tmp_path / "jupyter", monkeypatch)
    assert python_of(document(other)) == other


@pytest.mark.parametrize("named", ["/bin/sh", "python", "", None, 3, ["/bin/sh"]])
def test_what_a_store_names_is_not_run(named: Any) -> None:
    assert python_of(document(named)) == sys.executable


def test_a_run_is_replayed_by_its_own_python(
    other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(other, tmp_path / "jupyter", monkeypatch)
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
    with kernel(tmp_path, "other") as one:
        one.run("%load_ext trackbook", "a")
        one.run("%%track mine\nimport sys\nown = float(sys.executable == " + repr(other) + ")", "b")
        one.run("import time; time.sleep(1.5)", "c")
    run = OpenStore(open_store(tmp_path / ".trackbook")).get_run("mine")
    assert (run.env["executable"], run.metrics) == (other, {"own": 1.0})
    assert run.replay().text.startswith("reproduced: own 1")
