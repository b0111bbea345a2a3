"""Stores whose log, data, code or numbers were tampered with, replayed in real kernels."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from replay.tampered import DATA, record
from replay.test_replay_tampering import TAMPERINGS

from trackbook.errors import UntrustedRun
from trackbook.jsonable import dumps, loads
from trackbook.reading import Run, open_store


@dataclasses.dataclass
class Disk:
    """A store whose files are tampered with."""

    folder: Path
    run: Run

    @property
    def place(self) -> Path:
        return next(self.folder.glob(f".trackbook/runs/*/{self.run.id}"))

    def change_lines(self, change: Callable[[list[dict[str, Any]]], object]) -> None:
        file = self.place / "cells.jsonl"
        lines = [loads(line) for line in file.read_bytes().splitlines()]
        change(lines)
        file.write_bytes(b"".join(dumps(line) + b"\n" for line in lines))

    def change_document(self, change: Callable[[dict[str, Any]], object]) -> None:
        file = self.place / "run.json"
        document = loads(file.read_bytes())
        change(document)
        file.write_bytes(dumps(document))

    def source(self, lines: list[dict[str, Any]], part: str, old: str, new: str) -> None:
        blobs = self.run._store.blobs
        for line in lines:
            text = blobs.get(line["source"]).decode()
            if part in text:
                line["source"] = blobs.put(text.replace(old, new).encode())

    def module(self, old: str, new: str) -> None:
        blobs = self.run._store.blobs

        def change(document: dict[str, Any]) -> None:
            listed = loads(blobs.get(document["modules"]))
            for entry in listed:
                text = blobs.get(entry["blob"]).decode()
                entry["blob"] = blobs.put(text.replace(old, new).encode())
            document["modules"] = blobs.put(dumps(listed))

        self.change_document(change)

    def data(self, new: str | None) -> None:
        """Other data, where the store has kept none: the log's hash alone tells."""

        def change(lines: list[dict[str, Any]]) -> None:
            for line in lines:
                for file in line.get("files") or ():
                    file.pop("blob", None)

        self.change_lines(change)
        if new is None:
            (self.folder / "data.csv").unlink()
        else:
            (self.folder / "data.csv").write_text(new)


REAL: dict[str, Callable[[Disk], object]] = {
    "a number of the data": lambda d: d.data(DATA.replace("5.143", "5.144")),
    "a row more": lambda d: d.data(DATA + "12,1.0\n"),
    "a blank at the end of the data": lambda d: d.data(DATA + "\n"),
    "the data are gone": lambda d: d.data(None),
    "a constant in an earlier cell": lambda d: d.change_lines(
        lambda lines: d.source(lines, "shift =", "0.25", "0.26")
    ),
    "a constant in the run's cell": lambda d: d.change_lines(
        lambda lines: d.source(lines, "%%track made", "0.5, 3", "0.5, 4")
    ),
    "an earlier cell is gone": lambda d: d.change_lines(lambda lines: lines.pop(2)),
    "the state of a generator": lambda d: d.change_lines(
        lambda lines: [line.get("rng", {}).pop("numpy", None) for line in lines]
    ),
    "a module": lambda d: d.module("depth * 1.5", "depth * 1.6"),
    "a metric's last value": lambda d: _change_points(d, -1),
    "a metric's first value": lambda d: _change_points(d, 0),
}


def _change_points(disk: Disk, place: int) -> None:
    file = disk.place / "metrics.bin"
    kind = [("key", "<u4"), ("step", "<i8"), ("time", "<f8"), ("value", "<f8")]
    records = np.fromfile(file, dtype=kind)
    records["value"][place] += 0.001
    records.tofile(file)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original")
    record(folder)
    return folder


@pytest.mark.parametrize("what", REAL)
def test_a_tampered_store_is_not_reproduced(original: Path, tmp_path: Path, what: str) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(original, folder)
    run = open_store(folder / ".trackbook").get_run("made")
    REAL[what](Disk(folder, run))
    run = open_store(folder / ".trackbook").get_run("made")
    if "metric" not in what:  # numbers are no code
        with pytest.raises(UntrustedRun):
            run.replay()
    verdict = run.replay(trust=True)
    assert verdict.status in ("differs", "fails", "not determined"), (what, verdict)


def test_there_are_enough_tamperings() -> None:
    assert len(TAMPERINGS) + len(REAL) >= 200
