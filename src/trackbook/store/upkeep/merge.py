"""Copying runs and the blobs they name from another store, which is data from anywhere."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ... import formats
from ...errors import StoreError
from .. import edits, folder, limits, metriclog, os_calls, ownership
from ..blobs import LocalBlobs
from ..local import LocalStore
from ..notices import Notices
from ..ownership import Owner
from . import layout, marks
from .rooted import root_of

_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,200}")


@dataclass
class Merged:
    """What a merge did; ``problems`` say which runs could not be copied, and why."""

    copied: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    blobs: int = 0
    bytes: int = 0


class _Running(Exception):
    """The run is being written over there."""


def merge(store: LocalStore, other: LocalStore) -> Merged:
    """Copy what ``store`` lacks; what it has is never touched, so doing it again does nothing.

    A run appears whole, after all its blobs. Raises ``StoreError`` where nothing can be copied.
    """
    there = root_of(other)
    _check_other(there, other)
    if store.path is None or (store.path.exists() and store.path.samefile(there)):
        raise StoreError(f"{there} is the store itself; name another one")
    store.prepare()
    done = _Merge(root_of(store), there).run()
    store.count()  # so that the next attempts are numbered after those that came
    return done


def _check_other(there: Path, other: LocalStore) -> None:
    if other.newer:
        raise StoreError(f"the store {there} was written by a newer Trackbook: update Trackbook")
    for path in (there / "runs", there / "blobs"):
        linked = [path] if path.is_symlink() else []
        linked += [Path(e.path) for e in layout.entries(path) if e.is_symlink()]
        if linked:
            raise StoreError(f"{linked[0]} is a link, and links of another store are not followed")


class _Merge:
    def __init__(self, here: Path, there: Path) -> None:
        self._root = here
        self._there = there
        self._notices = Notices(here / "index")
        self._kept = LocalBlobs(here / "blobs", lambda: None)
        self._offered = LocalBlobs(there / "blobs", lambda: None)
        self._reach = marks.Reach(self._offered)
        self._reach_here = marks.Reach(self._kept)
        self._done = Merged()

    def run(self) -> Merged:
        done = self._done
        done.problems += (
            f"{link} is a link, which is not followed" for link in layout.links(self._there)
        )
        for place in layout.run_folders(self._there):
            target = folder.place(self._root, place.name)
            try:
                if os.path.lexists(target):
                    done.present.append(place.name)
                    self._bring(marks.of_run(target), place.name)
                else:
                    self._copy(place, target)
                    done.copied.append(place.name)
            except _Running:
                done.running.append(place.name)
            except StoreError as problem:
                done.problems.append(str(problem))
        return done

    def _copy(self, place: Path, target: Path) -> None:
        before = _state(place)
        temporary = os_calls.temporary_beside(target)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.mkdir()
            _copy_files(place, temporary)
            if _state(place) != before:
                raise _Running
            self._check(temporary, place.name)
            with self._notices.around(place.name):
                temporary.rename(target)
            os_calls.sync_folder(target.parent)
        except OSError as problem:
            raise StoreError(f"run {place.name} cannot be copied: {problem}") from problem
        finally:
            if temporary.exists():
                os_calls.remove_tree(temporary)

    def _check(self, copy: Path, run_id: str) -> None:
        """Raise ``StoreError`` where the copy is no whole run; bring its blobs where it is."""
        try:
            named = marks.of_run(copy)
            told = folder.own_words(copy).get("id")
        except StoreError as problem:
            raise StoreError(str(problem).replace(copy.name, run_id)) from None
        if told != run_id:
            raise StoreError(f"run {run_id} says that it is {told!r:.60}")
        self._bring(named, run_id)
        os_calls.sync_folder(copy)

    def _bring(self, named: marks.Named, run_id: str) -> None:
        """Keep the blobs of a run here too; raises ``StoreError`` where one is nowhere."""
        try:
            for name in sorted(self._reach.all(named)):
                if not self._kept.keeps(name):
                    self._done.bytes += self._kept.take(name, self._offered.chunks(name))
                    self._done.blobs += 1
            missing = self._reach_here.missing(named)
        except StoreError as problem:
            raise StoreError(f"run {run_id}: {problem}") from None
        if missing:
            raise StoreError(f"run {run_id} needs blob {min(missing)}, which neither store has")


def _state(place: Path) -> dict[str, tuple[int, int]]:
    """What differs once a run was written to; raises ``_Running`` while it has an owner."""
    # Before anything in there is opened: a link leads elsewhere, a pipe never ends.
    files = list(_files(place))
    document, owner = folder.read_document(place)
    if document is None:
        raise StoreError(f"run {place.name} has no {folder.RUN}")
    if owner is not Owner.GONE or ownership.look(place)[0] is Owner.ALIVE:
        raise _Running
    state = {}
    for path in files:
        status = path.lstat()
        state[str(path)] = (status.st_size, status.st_mtime_ns)
    return state


def _files(place: Path) -> Iterator[Path]:
    """The files of a run; raises ``StoreError`` where it holds anything else."""
    for parent in (place, place / edits.FOLDER):
        for entry in layout.entries(parent):
            if entry.name.endswith(".tmp"):
                continue
            inner = parent == place and entry.name == edits.FOLDER
            plain = entry.is_file(follow_symlinks=False) and not inner
            below = inner and entry.is_dir(follow_symlinks=False)
            if not (plain or below) or not _FILE.fullmatch(entry.name):
                raise StoreError(f"run {place.name} holds {entry.name!r:.80}, which is not copied")
            if plain:
                limit = limits.RECORDS if entry.name == metriclog.BIN else limits.PART
                if layout.bytes_of(entry) > limit:
                    what = f"{entry.name}, which is larger than {formats.size(limit)}"
                    raise StoreError(f"run {place.name} holds {what}: it is not copied")
                yield Path(entry.path)


def _copy_files(place: Path, target: Path) -> None:
    for path in _files(place):
        copy = target / path.relative_to(place)
        copy.parent.mkdir(exist_ok=True)
        os_calls.copy_plain(path, copy)
    os_calls.sync_folder(target / edits.FOLDER)
