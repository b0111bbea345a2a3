"""Taking the runs of a source into a store: each whole or not at all, and never twice."""

from __future__ import annotations

import errno
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import redact
from ..errors import StoreError
from ..model import FORMAT, Document, derived_run_id
from ..store import LocalStore, room, whole
from . import files, plain
from .origin import Content, Listed, Source, digest

_UNREADABLE = (StoreError, OSError, ValueError, OverflowError, RecursionError)
_UNDER_WAY = "being replaced"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)


@dataclass
class Brought:
    """What an import did, by run ids of the store.

    ``problems`` say which runs of the source could not be read, and why; ``gaps`` count what did
    not come over of those that could.
    """

    imported: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    gaps: int = 0


def bring(
    store: LocalStore,
    source: Source,
    *,
    prefix: str = "",
    dry_run: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Brought:
    """Import every run that the store lacks, and bring those up to date that have grown since.

    ``prefix`` goes before the names of experiments. ``dry_run`` only says what would be done.
    ``progress(done, total)`` is called after each run. Raises ``StoreError`` where nothing at all
    can be read or written.
    """
    listed, problems = source.look()
    if not dry_run:
        store.prepare()
    return _Import(store, source, listed, prefix, dry_run).run(problems, progress)


class _Import:
    def __init__(
        self, store: LocalStore, source: Source, listed: list[Listed], prefix: str, dry: bool
    ) -> None:
        assert store.path is not None
        self._store, self._root, self._source = store, store.path, source
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._dry = dry
        # In the order of time, so that attempts are numbered as they were made.
        self._listed = sorted(listed, key=lambda run: (run.started, run.id))
        self._ids = {run.id: self._id(run) for run in self._listed}
        self._numbers: Counter[str] = Counter()
        for document in (*store.find(archived=True), *store.trash()):
            series = document["series"]
            self._numbers[series] = max(self._numbers[series], document["number"])

    def _id(self, run: Listed) -> str:
        return derived_run_id(f"{self._source.tool}\0{run.id}\0{run.started:.6f}", run.started)

    def run(self, problems: list[str], progress: Callable[[int, int], None]) -> Brought:
        done = Brought(problems=list(problems))
        for count, listed in enumerate(self._listed, 1):
            try:
                self._one(listed, done)
            except _UNREADABLE as problem:
                if why := _unwritable(self._root, problem):
                    why += f"; of {len(self._listed)} runs {count - 1} were looked at before: "
                    raise StoreError(f"{why}the same command goes on from there") from problem
                done.problems.append(f"run {listed.id:.60}: {problem!s:.300}")
            progress(count, len(self._listed))
        if (done.imported or done.updated) and not self._dry:
            whole.settle()
        return done

    def _one(self, listed: Listed, done: Brought) -> None:
        run_id = self._ids[listed.id]
        held = whole.own_document(self._root, run_id)
        # Before it is read: what changes meanwhile is seen the next time.
        state = self._source.state(listed)
        if held is not None and not self._grown(held, state):
            done.present.append(run_id)
            return
        if not self._dry and not self._take(listed, held, state, done):
            done.present.append(run_id)
            return
        (done.imported if held is None else done.updated).append(run_id)

    def _grown(self, held: Document, state: str) -> bool:
        """Whether the source has changed and the run is still as it was imported."""
        told = held.get("imported")
        if not isinstance(told, dict) or told.get("state") == state or held["format"] != FORMAT:
            return False
        # Whether nobody has gone on with it here, neither with the document nor with the points.
        counted = sum(int(entry["count"]) for entry in held["summary"].values())
        same = counted == whole.points_kept(self._root, held["id"])
        return told.get("kept") == _kept(held) and (same or told.get("state") == _UNDER_WAY)

    def _take(self, listed: Listed, held: Document | None, state: str, done: Brought) -> bool:
        """Write the run; False where the source has less than is here, so that it stays."""
        content = self._source.read(listed)
        run_id = self._ids[listed.id]
        with whole.Draft(self._root, run_id) as draft:
            count = draft.points(content.points)
            if count < whole.points_kept(self._root, run_id):
                return False
            draft.artifacts(files.keep(self._store.blobs, content, listed.started))
            draft.logs(redact.text(content.logs)[0])
            document = self._document(run_id, content, held)
            document["summary"] = draft.summary()
            document["imported"] = {
                "tool": self._source.tool,
                "id": listed.id,
                "path": str(self._source.path),
                "time": time.time(),
                "deleted": content.deleted,
                "state": state,
                "kept": _kept(document),
            }
            if not draft.put(document, _trash(content, held), held and _under_way(held)):
                return False
        done.gaps += len(content.gaps)
        return True

    def _document(self, run_id: str, content: Content, held: Document | None) -> Document:
        document = plain.document(run_id, content, self._store.blobs)
        document["experiment"] = self._prefix + document["experiment"]
        parent = self._ids.get(content.parent or "")
        if parent is not None and parent != run_id:
            document.update(parent=parent, kind="child")
        parts = (self._source.tool, document["experiment"], document["name"], content.series)
        series = f"{parts[0]}:{parts[1]}#{parts[2]}" + (f"@{parts[3]}" if parts[3] else "")
        if held is not None and held["series"] == series:
            number = held["number"]
        else:
            number = self._numbers[series] = self._numbers[series] + 1
        return {**document, "series": series, "number": number}


def _unwritable(root: Path, problem: BaseException) -> str:
    """Why the store cannot be written, so that the next run fares no better; else empty."""
    cause: BaseException | None = problem
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _NO_ROOM:
            return room.reason(root, cause)
        if isinstance(cause, whole.Unwritable):
            return str(cause)
        cause = cause.__cause__
    return ""


def _under_way(held: Document) -> Document:
    """The document for as long as the run's files are being replaced."""
    return {**held, "imported": {**held["imported"], "state": _UNDER_WAY}}


def _trash(content: Content, held: Document | None) -> dict[str, Any] | None:
    """The edit that follows a run into the trash of its tool, or out of it."""
    before = bool(held["imported"].get("deleted")) if held is not None else False
    return {"deleted": content.deleted} if content.deleted != before else None


def _kept(document: Document) -> str:
    """Something that differs once somebody has gone on with the run here."""
    return digest({key: value for key, value in document.items() if key != "imported"})
