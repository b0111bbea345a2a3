"""What the tests of imports share: the programs that write, the command, what came over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from trackbook.cli import trackbook
from trackbook.errors import StoreError
from trackbook.store import LocalStore, Store
from trackbook.store.blobs import name_of

HERE = Path(__file__).parent
SECRET = b"not for the store"


def program(name: str, *arguments: str, cwd: Path) -> None:
    """Run one of the programs that write."""
    result = subprocess.run(
        [sys.executable, str(HERE / name), *arguments],
        cwd=cwd,
        env={**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def call(store: Store, *arguments: str) -> Result:
    """``trackbook import`` as a terminal calls it."""
    command = ["import", *arguments, "--store", str(store.path)]
    return CliRunner().invoke(trackbook, command)


def imported(store: Store, *arguments: str) -> dict[str, Any]:
    """What an import that must succeed says as JSON."""
    result = call(store, *arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def runs_of(store: Store) -> dict[str, dict[str, Any]]:
    """Every document by the name of its run, the deleted too."""
    assert isinstance(store, LocalStore)
    return {d["name"]: d for d in (*store.find(archived=True), *store.trash())}


def truth_of(source: Path) -> list[dict[str, Any]]:
    """What the tool's own reader says."""
    found: list[dict[str, Any]] = json.loads((source.parent / "truth.json").read_text())
    return found


def contents(store: Store, run: dict[str, Any]) -> dict[str, bytes]:
    """The files of a run by their names."""
    lines = store.records(run["id"], "artifacts")
    return {line["name"]: store.blobs.get(line["blob"]) for line in lines}


def whole(store: Store) -> bool:
    """Whether ``trackbook doctor --deep`` finds nothing."""
    result = CliRunner().invoke(trackbook, ["doctor", "--deep", "--store", str(store.path)])
    assert result.exit_code == 0, result.output
    return True


def nothing_leaked(store: Store) -> None:
    """What lies in the fixture ``outside`` has not come over, and the store is whole."""
    for document in store.find():
        assert all(SECRET not in content for content in contents(store, document).values())
    with pytest.raises(StoreError):
        store.blobs.get(name_of(SECRET))
    assert whole(store)
