"""What a store holds by kind, and the removal of what no run needs."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import StoreError
from .. import blobs, folder, metriclog, os_calls
from ..local import LocalStore
from . import layout, marks
from .rooted import root_of

# A blob is kept before the run that names it reaches disk, so young ones are let be.
MIN_AGE_S = 86_400.0
LARGEST = 10
KINDS = ("metrics", "documents", "cells", "artifacts", "sources", "index", "unneeded")


@dataclass(frozen=True)
class Unneeded:
    """A blob that nothing names, or what a process that was killed left behind."""

    path: Path
    bytes: int
    modified_ns: int
    kind: str


@dataclass
class Survey:
    """What a store holds. While there are ``problems``, no blob may go: some run may need it."""

    kinds: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    runs: list[dict[str, Any]] = field(default_factory=list)
    unneeded: list[Unneeded] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def removable(self) -> list[Unneeded]:
        """What a sweep would remove."""
        return [entry for entry in self.unneeded if entry.kind != "blob" or not self.problems]


def survey(store: LocalStore) -> Survey:
    """Look at everything a store holds; changes nothing."""
    root = root_of(store)
    found = Survey()
    # The blobs first: what is kept or used after this look is younger than the look.
    listed = [(name, _state(entry)) for name, entry in layout.blob_files(root)]
    sizes: dict[str, int] = {}
    for name, state in listed:
        sizes[name] = sizes.get(name, 0) + (state.st_size if state else 0)
    needed, artifacts = _look_at_runs(root, found, sizes)
    for name, count in sizes.items():
        if name in needed:
            found.kinds["artifacts" if name in artifacts else "sources"] += count
        else:
            found.kinds["unneeded"] += count
    _find_old_blobs(root, found, listed, needed)
    _find_leavings(root, found)
    found.kinds["index"] = layout.size(root / "index")
    return found


def _state(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None


def _look_at_runs(root: Path, found: Survey, sizes: dict[str, int]) -> tuple[set[str], set[str]]:
    """The blobs that runs need, and which of them are artifacts."""
    reach = marks.Reach(blobs.LocalBlobs(root / "blobs", lambda: None))
    needed: set[str] = set()
    artifacts: set[str] = set()
    found.problems += (f"{link} is a link, which is not followed" for link in layout.links(root))
    for place in layout.run_folders(root):
        own = _add_files(place, found.kinds)
        reached: set[str] = set()
        try:
            named = marks.of_run(place)
            reached = reach.all(named)
            artifacts |= reach.artifacts(named)
            if missing := reach.missing(named):
                some = min(missing)
                found.problems.append(f"run {place.name} needs blob {some}, which is missing")
        except StoreError as problem:
            found.problems.append(str(problem))
        needed |= reached
        kept = sum(sizes.get(name, 0) for name in reached)
        found.runs.append({"id": place.name, "bytes": own + kept, "own": own})
    found.runs.sort(key=lambda run: (-run["bytes"], run["id"]))
    return needed, artifacts


def _add_files(place: Path, kinds: dict[str, int]) -> int:
    total = 0
    for entry in layout.files_below(place):
        count = layout.bytes_of(entry)
        total += count
        kinds[_kind(entry.name)] += count
    return total


def _kind(name: str) -> str:
    if name in (metriclog.BIN, metriclog.KEYS):
        return "metrics"
    if name == "artifacts.jsonl":
        return "artifacts"
    return "cells" if name == "cells.jsonl" else "documents"


def _find_old_blobs(
    root: Path,
    found: Survey,
    listed: list[tuple[str, os.stat_result | None]],
    needed: set[str],
) -> None:
    old_ns = (time.time() - MIN_AGE_S) * 1e9
    states = {(name, s.st_ino): s for name, s in listed if s and name not in needed}
    for name, entry in layout.blob_files(root):
        # Only a file of the first look: a later one may belong to a run that came after it.
        state = states.get((name, entry.inode()))
        if state is not None and state.st_mtime_ns < old_ns:
            found.unneeded.append(
                Unneeded(Path(entry.path), state.st_size, state.st_mtime_ns, "blob")
            )


def _find_leavings(root: Path, found: Survey) -> None:
    """Files and run folders that were on their way in or out when their process was killed."""
    days = list(layout.days(root))
    inside = [place for run in layout.run_folders(root) for place in (run, run / "edits")]
    pairs = [Path(entry.path) for entry in layout.entries(root / "blobs")]
    index = [root / "index", root / "index" / "changes", root / "index" / "series"]
    old_ns = (time.time() - MIN_AGE_S) * 1e9
    for parent in [root, *days, *inside, root / "blobs", *pairs, *index]:
        if parent.is_symlink():
            continue
        for entry in layout.entries(parent):
            state = _state(entry) if entry.name.endswith(".tmp") else None
            if state is None or entry.is_symlink() or state.st_mtime_ns >= old_ns:
                continue
            path = Path(entry.path)
            whole = layout.size(path) if path.is_dir() else state.st_size
            found.kinds["unneeded"] += whole if parent not in inside else 0
            found.unneeded.append(Unneeded(path, whole, state.st_mtime_ns, "leaving"))


def sweep(store: LocalStore, found: Survey) -> int:
    """Remove what a survey found removable and nobody used since; returns the bytes freed."""
    store.prepare()
    freed = 0
    for entry in found.removable():
        try:
            if entry.path.is_dir():
                os_calls.remove_tree(entry.path)
            elif not os_calls.remove_unless_used(entry.path, entry.modified_ns):
                continue
        except FileNotFoundError:
            continue  # another sweep was faster
        except OSError as problem:
            raise StoreError(f"{entry.path} cannot be removed: {problem.strerror}") from problem
        freed += entry.bytes
    return freed


def largest(store: LocalStore, found: Survey) -> list[dict[str, Any]]:
    """The largest runs with their names; blobs that several share count for each."""
    rows = []
    for run in found.runs[:LARGEST]:
        document = folder.read_document(folder.place(root_of(store), run["id"]))[0] or {}
        names = {key: document.get(key) for key in ("name", "number")}
        rows.append({**run, **names, "deleted": bool(document.get("deleted"))})
    return rows
