"""Whether a store is as the format says, and the rebuilding of what is derived."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ...errors import StoreError
from ...jsonable import encode
from ...model import is_run_id
from .. import blobs, folder, os_calls, ownership
from ..catalogfile import CatalogFile
from ..catalogue import Catalogue
from ..local import LocalStore
from ..ownership import Owner
from ..runtable import RunTable
from . import checkup, layout, marks
from .checkup import Problem
from .rooted import root_of

_ORDERLY = re.compile(r"\d{8}|[0-9a-f]{2}|\..*")
_REPAIR = "`trackbook doctor --repair`"


def examine(store: LocalStore, *, deep: bool = False) -> list[Problem]:
    """Every problem found; ``deep`` reads all blobs and compares their hashes. Changes nothing."""
    root = root_of(store)
    kept = blobs.LocalBlobs(root / "blobs", lambda: None)
    reach = marks.Reach(kept)
    found = list(_strays(root))
    for place in layout.run_folders(root):
        try:
            found += checkup.of_run(place, reach)
        except StoreError as problem:
            found.append(Problem(place.name, str(problem), "look at its permissions"))
    if deep:
        found += _of_contents(root, kept)
    found += _of_index(root)
    return found


def count(store: LocalStore) -> int:
    """How many run folders there are."""
    return sum(1 for _ in layout.run_folders(root_of(store)))


def _strays(root: Path) -> Iterator[Problem]:
    for link in layout.links(root):
        yield Problem(str(link), "it is a link", "put the folder itself in its place")
    for parent in (root / "runs", root / "blobs"):
        for entry in layout.entries(parent):
            if not _ORDERLY.fullmatch(entry.name):
                yield _stray(Path(entry.path))
    for day in layout.days(root):
        for entry in layout.entries(day):
            if not entry.name.startswith(".") and not layout.is_run(entry.name, day):
                yield _stray(Path(entry.path))
    known = {entry.path for _, entry in layout.blob_files(root)}
    for pair in layout.entries(root / "blobs"):
        for entry in layout.entries(Path(pair.path)):
            if not entry.name.startswith(".") and entry.path not in known:
                yield _stray(Path(entry.path))


def _stray(path: Path) -> Problem:
    return Problem(str(path), "it is no part of a store", "move it elsewhere")


def _of_contents(root: Path, kept: blobs.LocalBlobs) -> Iterator[Problem]:
    for name in dict.fromkeys(name for name, _ in layout.blob_files(root)):
        path = kept.find(name)
        if path is None:
            continue  # an empty file; whoever needs it is told
        try:
            digest = blobs.ALGORITHMS[name.partition("-")[0]]()
            for chunk in kept.chunks(name):
                digest.update(chunk)
            what = "" if name.endswith(digest.hexdigest()) else "its content has another hash"
        except StoreError as problem:
            what = str(problem)
        if what:
            cure = "remove the file, then `trackbook merge` a store that has it"
            yield Problem(str(path), what, cure)


def _of_index(root: Path) -> Iterator[Problem]:
    """Where the catalogue on disk is not what the run folders say."""
    file = root / "index" / "catalog.json"
    if file.exists() and CatalogFile(file).load(RunTable()) is None:
        yield Problem(str(file), "it cannot be used, so every start reads all runs", _REPAIR)
        return
    catalogue = Catalogue(root)
    for last in (False, True):
        catalogue.refresh()
        stale = _stale(root, catalogue)
        # What changed between the two looks is no problem: look once more.
        if not stale:
            return
        if last:
            what = f"it tells {len(stale)} runs otherwise than their folders, {min(stale)} first"
            yield Problem(str(file), what, _REPAIR)


def _stale(root: Path, catalogue: Catalogue) -> set[str]:
    on_disk = {path.name for path in (*layout.run_folders(root), *layout.links(root))}
    stale = set()
    for run_id in filter(is_run_id, on_disk | set(catalogue.table.ids())):
        place = folder.place(root, run_id)
        document = folder.read_document(place)[0]
        same = encode(document) == encode(catalogue.table.by_id(run_id))
        if not same and ownership.look(place)[0] is Owner.GONE:
            stale.add(run_id)
    return stale


def repair(store: LocalStore) -> None:
    """Rebuild the catalogue from the run folders; nothing but ``index/`` is touched.

    The notices go too, because that makes every reader that is open now read all runs anew. The
    claimed attempt numbers stay: they alone remember those of purged runs.
    """
    store.prepare()
    index = root_of(store) / "index"
    try:
        for path in (index / "catalog.json", index / "changes"):
            if path.is_dir() and not path.is_symlink():
                os_calls.remove_tree(path)
            else:
                path.unlink(missing_ok=True)
    except OSError as problem:
        raise StoreError(f"{index} cannot be rebuilt: {problem}") from problem
    catalogue = Catalogue(root_of(store))
    catalogue.refresh()
    catalogue.write_back(now=True)
