"""Where runs are kept: writers write them, readers read them, and they meet only here."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from .. import settings
from ..errors import StoreError
from .intake import Watch
from .local import LocalStore
from .manifest import Entry, Scan
from .memory import MemoryStore
from .protocol import Blobs, Changes, Points, RunWriter, Store

__all__ = [
    "Blobs",
    "Changes",
    "Entry",
    "LocalStore",
    "MemoryStore",
    "Points",
    "RunWriter",
    "Scan",
    "Store",
    "Watch",
    "open_store",
]

_opened: dict[str, LocalStore] = {}
_lock = threading.Lock()


def _in_child() -> None:
    # A thread that a forked child lacks may hold the lock.
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_in_child)


def open_store(path: str | os.PathLike[str] | None = None, *, create: bool = False) -> Store:
    """The store in a folder, or the one that ``settings.find_store`` finds.

    A missing store reads as empty, and nothing is written. ``create`` makes it, and takes the
    user's own data folder where no path was given and the found one cannot be written. The same
    folder gives the same object for as long as the process lives.
    """
    found = settings.find_store() if path is None else settings.as_store_path(path)
    store = _open(found)
    if not create:
        return store
    try:
        store.prepare()
        if path is not None or store.writable:
            return store
    except StoreError:
        if path is not None:
            raise
    fallback = _open(settings.fallback_store())
    fallback.prepare()
    return fallback


def _open(path: Path) -> LocalStore:
    key = os.path.realpath(path)
    with _lock:
        store = _opened.get(key)
        # A store that was deleted and made anew is another one.
        if store is None or store.replaced():
            store = _opened[key] = LocalStore(path)
        return store
