"""Notebooks whose slices are easy to get wrong: no needed cell is dropped, and the rest gives the
same values in a fresh process."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from replay.shells import Recorded, executions, record, replay
from replay.traps import Trap, read

from trackbook.replay.log import Execution
from trackbook.replay.recipe import Recipe, recipe_of
from trackbook.store import open_store

TRAPS = [*read("python"), *read("science")]


def fill(folder: Path, trap: Trap) -> Path:
    for name, text in trap.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def recorded(folder: Path, trap: Trap) -> Recorded:
    folder.mkdir()
    *before, last = trap.cells
    return record(fill(folder, trap), [*before, f"%%track run\n{last}"])


def recipe(done: Recorded) -> Recipe:
    store = open_store(done.store)
    found = executions(done.store, done.run)
    return recipe_of(store.document(done.run), found, store.blobs)


def again(
    folder: Path, trap: Trap, done: Recorded, kept: list[Execution], made: Recipe
) -> tuple[dict[str, str], str]:
    """The values and the output of the kept cells, in a folder with what the log kept of files."""
    blobs = open_store(done.store).blobs
    folder.mkdir()
    fill(folder, trap)
    for file in made.inputs:
        if file.blob is not None:
            (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / file.path).write_bytes(blobs.get(file.blob))
    cells = [
        {
            "source": execution.source,
            "count": execution.count,
            "rng": {name: blobs.get(blob) for name, blob in execution.rng.items()},
            "ok": execution.ok,
        }
        for execution in kept
    ]
    return replay(folder, cells, sorted(done.values))


def test_there_are_many() -> None:
    assert len(TRAPS) >= 60
    assert len({trap.name for trap in TRAPS}) == len(TRAPS)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_a_trap(trap: Trap, tmp_path: Path) -> None:
    done = recorded(tmp_path / "first", trap)
    made = recipe(done)
    kept = {cell.execution.order for cell in made.cells}
    wanted = {*trap.wanted, len(trap.cells)}
    assert wanted - kept == set(), {c.execution.order: c.reason for c in made.dropped}
    assert kept - wanted <= set(trap.spare), {c.execution.order: c.reason for c in made.cells}
    values, printed = again(
        tmp_path / "second", trap, done, [cell.execution for cell in made.cells], made
    )
    assert values == done.values
    assert printed == done.printed
    shutil.rmtree(tmp_path / "second")
