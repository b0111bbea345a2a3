"""Stores that the tools themselves wrote, once a session; tests that change one copy it first."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from takeover import SECRET, program


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The paths to import by kind."""
    root = tmp_path_factory.mktemp("written")
    paths = {
        "mlflow-files": root / "mlflow-files" / "mlruns",
        "mlflow-database": root / "mlflow-database" / "mlflow.db",
        "sacred-files": root / "sacred" / "files",
        "sacred-tinydb": root / "sacred" / "tiny",
    }
    for path in paths.values():
        path.parent.mkdir(exist_ok=True)
    files, database = paths["mlflow-files"], paths["mlflow-database"]
    program("write_mlflow.py", str(files), "truth.json", cwd=files.parent)
    program("write_mlflow.py", f"sqlite:///{database}", "truth.json", cwd=database.parent)
    for how in ("well", "badly", "impatiently", "not at all"):
        program("write_sacred.py", how, cwd=root / "sacred")
    return paths


@pytest.fixture(params=["mlflow-files", "mlflow-database"])
def mlflow(request: pytest.FixtureRequest, written: dict[str, Path]) -> Path:
    """What MLflow wrote, in both of its own stores; only to be read."""
    return written[request.param]


@pytest.fixture(params=["sacred-files", "sacred-tinydb"])
def sacred(request: pytest.FixtureRequest, written: dict[str, Path]) -> Path:
    """What Sacred wrote, by both of its local observers; only to be read."""
    return written[request.param]


@pytest.fixture(params=["mlflow-files", "mlflow-database", "sacred-files", "sacred-tinydb"])
def anything(request: pytest.FixtureRequest, written: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of each kind, in a folder of the test: also a store that was moved."""
    original = written[request.param]
    copy = shutil.copytree(original.parent, tmp_path / "moved", symlinks=True)
    return copy / original.name


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder with a file that no import may touch."""
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "key").write_bytes(SECRET)
    return tmp_path / "private"
