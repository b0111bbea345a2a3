"""What a store must be after any crash, checked against what killed processes had been told."""

from __future__ import annotations

import itertools
import json
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from crash_writer import content
from tinydb import TinyDB

from trackbook import open_store
from trackbook.model import Document
from trackbook.store import LocalStore


@dataclass
class Victim:
    """A killed process and what it had been told; times are of ``time.time()``."""

    kind: str
    phase: str
    inside: bool
    """Whether the kill came before the end of the phase."""
    killed: float
    last: str = ""
    """The phase that it was in, or had just left."""
    failed: bool = False
    """Whether it had ended by itself."""
    started: list[str] = field(default_factory=list)
    points: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    blobs: list[tuple[str, str]] = field(default_factory=list)
    edits: list[tuple[str, str]] = field(default_factory=list)
    finished: dict[str, int] = field(default_factory=dict)

    def hear(self, lines: list[str]) -> None:
        """Take in what the process said."""
        for line in lines:
            match line.split():
                case ["started", run_id]:
                    self.started.append(run_id)
                case ["points", run_id, count, moment]:
                    self.points.setdefault(run_id, []).append((int(count), float(moment)))
                case ["blob", run_id, name]:
                    self.blobs.append((run_id, name))
                case ["edited", run_id, tag]:
                    self.edits.append((run_id, tag))
                case ["finished", run_id, count]:
                    self.finished[run_id] = int(count)


class Promises:
    """Counts what was checked and what was broken, with the first words on each."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.checked: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.losses: list[tuple[int, float]] = []
        """Of each run at 20,000 points a second: points lost, and seconds they go back at most."""
        self._whole: dict[str, bool] = {}

    def check(self, promise: str, kept: bool, example: object = "") -> None:
        """Note one look at a promise."""
        self.checked[promise] += 1
        if not kept:
            self.broken[promise] += 1
            self.examples.setdefault(promise, str(example)[:200])

    # -- the whole store ---------------------------------------------------------------------------

    def of_the_store(self, warm: LocalStore) -> dict[str, Document]:
        """Documents and catalogue; no writer lives. Gives the documents by id."""
        for file in self.root.glob("runs/*/*/run.json"):
            self.check("run.json is readable", _parses(file), file)
        catalogue = self.root / "index" / "catalog.json"
        if catalogue.exists():
            self.check("catalog.json opens in plain TinyDB", _opens(catalogue), catalogue)
        by_warm, by_cold = _documents(warm), _documents(LocalStore(self.root))
        copy = self.root.parent / "rebuilt"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.root, copy, ignore=shutil.ignore_patterns("index", "blobs"))
        rebuilt = _documents(LocalStore(copy))
        shutil.rmtree(copy)
        for run_id in rebuilt.keys() | by_warm.keys() | by_cold.keys():
            same = by_warm.get(run_id) == by_cold.get(run_id) == rebuilt.get(run_id)
            self.check("an open reader, a fresh one and a rebuild agree", same, run_id)
        for run_id, document in by_cold.items():
            damaged = (document["error"] or {}).get("type") == "Damaged"
            self.check("no run is damaged", not damaged, run_id)
            self.check("no run is left running", document["status"] != "running", run_id)
            self._named_blobs(run_id)
        return by_cold

    def _named_blobs(self, run_id: str) -> None:
        run = open_store(self.root).get_run(run_id)
        for name, entry in run.artifacts.items():
            if entry.blob not in self._whole:
                self._whole[entry.blob] = run.artifact(name).read_bytes() == content(name)
            self.check("a blob that is named is whole", self._whole[entry.blob], (run_id, name))

    # -- one process -------------------------------------------------------------------------------

    def of(self, victim: Victim, documents: dict[str, Document]) -> None:
        """What one process had been told."""
        store = open_store(self.root)
        self.check("a writer works until it is killed", not victim.failed, victim.started[-1:])
        for run_id in victim.started:
            document = documents.get(run_id)
            self.check("an acknowledged run is there", document is not None, run_id)
            if document is None:
                continue
            self._status(victim, document)
            self._points(victim, run_id)
        for run_id, name in victim.blobs:
            there = run_id in documents and name in store.get_run(run_id).artifacts
            self.check("an acknowledged artifact is there", there, (run_id, name))
        for run_id, tag in victim.edits:
            there = run_id in documents and tag in documents[run_id]["tags"]
            self.check("an acknowledged edit is there", there, (run_id, tag))

    def _status(self, victim: Victim, document: Document) -> None:
        status = document["status"]
        if document["id"] in victim.finished:
            self.check("an ended run is finished", status == "finished", (document["id"], status))
        elif victim.last == "finish" and document["id"] == victim.started[-1]:
            self.check("one killed at its end is one or the other", status in ("lost", "finished"))
        else:
            self.check("a dead run is lost", status == "lost", (document["id"], status))

    def _points(self, victim: Victim, run_id: str) -> None:
        points = LocalStore(self.root).points(run_id).get("loss")
        there = 0 if points is None else len(points.step)
        if points is not None:
            whole = points.step.tolist() == list(range(there))
            self.check("points have no hole", whole, run_id)
        if run_id in victim.finished:
            kept = there == victim.finished[run_id]
            self.check("an ended run has all its points", kept, (run_id, there))
            return
        said = [(0, victim.killed), *victim.points.get(run_id, [])]
        due = max((n for n, moment in said if moment <= victim.killed - 1.0), default=0)
        self.check("points older than a second are there", there >= due, (run_id, there, due))
        if victim.kind == "fast" and len(said) > 1:
            # The last word of which everything is there was said before the oldest lost point.
            lost = max(said[-1][0] - there, 0)
            covered = [moment for n, moment in said[1:] if n <= there]
            back = victim.killed - max(covered, default=said[1][1]) if lost else 0.0
            self.losses.append((lost, back))


def _parses(file: Path) -> bool:
    try:
        return isinstance(json.loads(file.read_bytes()), dict)
    except ValueError:
        return False


def _opens(catalogue: Path) -> bool:
    try:
        with TinyDB(catalogue, access_mode="r") as db:
            return all("id" in row for row in itertools.chain(db.table("runs"), db))
    except ValueError:
        return False


def _documents(store: LocalStore) -> dict[str, Document]:
    return {document["id"]: document for document in store.find(archived=True)}
