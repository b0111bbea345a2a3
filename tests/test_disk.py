"""What a store takes on disk, as ``%track disk`` and ``trackbook gc --dry-run`` show it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from IPython.core.error import UsageError
from runs import HOSTILE, write

from trackbook.cli import trackbook
from trackbook.store import LocalStore, Store
from trackbook.store.upkeep import sweep
from trackbook.views import disk

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


@pytest.fixture
def filled(store: Store) -> LocalStore:
    assert isinstance(store, LocalStore)
    write(store, "small")
    write(store, HOSTILE, metrics={"loss": [0.5] * 5000}, source="a = 1")
    large = write(store, "large", metrics={"loss": [0.5] * 20_000})
    store.edit(large, {"deleted": True})
    store.blobs.put(b"nobody names me")
    return store


def tree(store: LocalStore) -> dict[str, int]:
    assert store.path is not None
    return {str(path): path.lstat().st_mtime_ns for path in store.path.rglob("*")}


def test_text_and_html_tell_kinds_and_the_largest_runs_first(filled: LocalStore) -> None:
    found = sweep.survey(filled)
    largest = sweep.largest(filled, found)
    lines = disk.disk_text(found.kinds, largest).splitlines()
    assert [line.split()[0] for line in lines[: len(sweep.KINDS) + 1]] == [*sweep.KINDS, "all"]
    by_kind = dict(line.split(maxsplit=1) for line in lines[: len(sweep.KINDS)])
    assert by_kind["metrics"].strip() == "700 kB"
    assert by_kind["unneeded"].strip() == "15 B"
    runs = lines[len(sweep.KINDS) + 3 :]
    assert [line.split("  ")[1].strip().split(" #")[0] for line in map(str.strip, runs)] == [
        "large",
        HOSTILE,
        "small",
    ]
    assert runs[0].endswith("in the trash")
    shown = disk.disk_html(found.kinds, largest, "a <b> note")
    assert "<script" not in shown
    assert "a &lt;b&gt; note" in shown
    assert shown.index("large #1") < shown.index("&lt;script") < shown.index("small #1")
    assert "700 kB" in shown


def test_an_empty_store_shows_too(store: Store) -> None:
    assert isinstance(store, LocalStore)
    found = sweep.survey(store)
    assert "all" in disk.disk_text(found.kinds, [])
    assert "nothing" in disk.disk_html(found.kinds, [], "nothing")
    assert "would remove 0 files, 0 B" in disk.outcome(found, None)


def test_looking_changes_nothing_on_disk(filled: LocalStore, ip: InteractiveShell) -> None:
    filled.count()
    before = tree(filled)
    ip.run_line_magic("track", "disk")
    result = CliRunner().invoke(trackbook, ["gc", "--dry-run", "--store", str(filled.path)])
    assert result.exit_code == 0
    assert tree(filled) == before


def test_the_magic_shows_what_the_command_shows(
    filled: LocalStore, ip: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    ip.run_line_magic("track", "disk")
    shown = capsys.readouterr()
    assert shown.out == ""
    result = CliRunner().invoke(trackbook, ["gc", "--dry-run", "--store", str(filled.path)])
    assert shown.err.splitlines() == result.stdout.splitlines()
    assert "`trackbook gc` would remove 0 files, 0 B; 15 B that no run names yet" in shown.err


def test_the_magic_says_what_is_wrong(
    ip: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "TRACKBOOK_STORE", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="there is no store"):
        ip.run_line_magic("track", "disk")
    with pytest.raises(UsageError, match="takes nothing"):
        ip.run_line_magic("track", "disk all")
    assert not (tmp_path / "none").exists()
