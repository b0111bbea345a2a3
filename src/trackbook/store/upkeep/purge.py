"""Removing a run for good: only one that is in the trash and that nobody writes."""

from __future__ import annotations

from pathlib import Path

from ...errors import RunNotFound, StoreError
from ...model import Document, is_run_id
from .. import folder, os_calls, ownership, selection
from ..local import LocalStore
from ..notices import Notices
from ..ownership import Owner
from . import layout
from .rooted import root_of


def in_trash(store: LocalStore, ref: str) -> Document:
    """The deleted run meant by a reference, also where a run that is not deleted answers to it.

    Raises ``RunNotFound``, or ``StoreError`` where only a run outside the trash answers.
    """
    deleted = store.trash()
    try:
        run_id = selection.resolve(ref, deleted)
    except RunNotFound:
        pass
    else:
        return next(document for document in deleted if document["id"] == run_id)
    try:
        document = store.document(store.resolve(ref))
    except RunNotFound:
        raise RunNotFound(
            f"no run in the trash answers to {ref!r:.80}; what was purged is gone for good"
        ) from None
    raise StoreError(_not_in_trash(document))


def size(store: LocalStore, run_id: str) -> int:
    """The bytes of a run's folder; what it names in ``blobs/`` goes with ``gc``."""
    return layout.size(_place(store, run_id))


def is_running(store: LocalStore, run_id: str) -> bool:
    """Whether a run's owner lives, so that the run cannot be purged."""
    place = _place(store, run_id)
    # A finished run that was resumed says so only by its owner.
    owners = (folder.read_document(place)[1], ownership.look(place)[0])
    return owners[0] is not Owner.GONE or owners[1] is Owner.ALIVE


def purge(store: LocalStore, run_id: str) -> int:
    """Remove a run that is in the trash from disk; returns the bytes its folder had.

    The folder is renamed first, in one step, so that readers see the whole run or none.
    """
    store.prepare()
    place = _place(store, run_id)
    _check(place)
    freed = layout.size(place)
    had_lock = (place / ownership.LOCK).exists()
    # As its owner, so that no kernel resumes it meanwhile.
    lock = os_calls.take_lock(place / ownership.LOCK)
    if lock is None:
        raise StoreError(_is_running(run_id))
    try:
        with Notices(root_of(store) / "index").around(run_id):
            aside = _move_aside(place, had_lock)
        os_calls.sync_folder(place.parent)
    except OSError as problem:
        raise StoreError(f"run {run_id} cannot be purged: {problem}") from problem
    finally:
        os_calls.release_lock(lock[0])
    try:
        os_calls.remove_tree(aside)
    except OSError as problem:
        raise StoreError(
            f"run {run_id} is purged, but its files cannot all be removed: {problem}"
        ) from problem
    return freed


def _move_aside(place: Path, had_lock: bool) -> Path:
    """Take the folder out of the readers' sight; back where it was restored at the last moment."""
    aside = os_calls.temporary_beside(place)
    place.rename(aside)
    document = folder.read_document(aside)[0]
    if document is None or not document.get("deleted"):
        if not had_lock:
            os_calls.remove(aside / ownership.LOCK)
        aside.rename(place)
        raise StoreError(f"run {place.name} was restored meanwhile; it stays")
    return aside


def _place(store: LocalStore, run_id: str) -> Path:
    if not is_run_id(run_id):
        raise RunNotFound(f"{run_id!r:.60} is not a run id")
    return folder.place(root_of(store), run_id)


def _check(place: Path) -> None:
    document, owner = folder.read_document(place)
    if document is None or place.is_symlink():
        raise RunNotFound(f"no run has the id {place.name!r}")
    if owner is not Owner.GONE:
        raise StoreError(_is_running(place.name))
    if not document.get("deleted"):
        raise StoreError(_not_in_trash(document))


def _is_running(run_id: str) -> str:
    return f"run {run_id} is still running; end it there first"


def _not_in_trash(document: Document) -> str:
    label = f"{document['name']} #{document['number']}"
    return f"{label} ({document['id']}) is not in the trash; `trackbook rm` moves it there"
