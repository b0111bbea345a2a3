"""The stores of a server: opened when first asked for, read in one worker thread."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from .. import settings
from ..errors import RunNotFound, TrackbookError
from ..store import Changes, Store, open_store
from ..views import sampling
from .death import certify
from .kernels import Ending

T = TypeVar("T")

# Not every change has a notice (a folder copied in, an owner that died): look for those less often.
# So are stores that nobody has asked for: there may be hundreds.
_EVERY_NTH_LOOK = 10
# Looks after which whoever opened the panel has seen it, and may want a curve next.
_SETTLED = 3

_log = logging.getLogger("trackbook")


class Shelf:
    """The registered stores.

    Every method but ``run`` and ``close`` reads disks and belongs into the worker thread, by
    ``run``; there is one such thread, so no store is read by two at once.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.start = f"{time.time_ns() // 1_000_000:x}"
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="trackbook")
        self._open: dict[str, Store] = {}
        self._sizes: dict[str, object] = {}
        self._told: dict[str, int] = {}
        self._looks = 0
        self._registry = -1
        self._looks_in_use = 0
        self._settled: set[str] = set()

    async def run(self, work: Callable[[], T]) -> T:
        """The result of ``work``, done in the worker thread."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    def close(self) -> None:
        """Wait for the work under way, and end the thread."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def listing(self, notebook: str) -> dict[str, object]:
        """The registered stores, the notebook's ``own`` (a server path), and the one to show."""
        found = settings.registered()
        stores = [
            {"id": store_id, "path": _shown(path), "name": _named(path)}
            for store_id, path in found.items()
        ]
        own = self._own(found, notebook)
        return {"stores": stores, "own": own, "current": own or next(iter(found), None)}

    def _own(self, found: dict[str, Path], notebook: str) -> str | None:
        ids = {path.resolve(): store_id for store_id, path in found.items()}
        folder = (self.root / notebook.lstrip("/")).resolve().parent if notebook else self.root
        if not folder.is_relative_to(self.root.resolve()):
            folder = self.root
        for start in (folder, self.root):
            if known := ids.get(settings.find_store(start).resolve()):
                return known
        return None

    def get(self, store_id: str) -> Store:
        """A registered store; raises ``RunNotFound`` for any other."""
        path = settings.registered_at(store_id)
        if path is None:
            self._open.pop(store_id, None)
            raise RunNotFound(f"there is no registered store {store_id!r}")
        opened = self._open.get(store_id)
        if opened is None or opened.path != path:  # its folder was moved
            opened = self._open[store_id] = open_store(path)
        return opened

    @contextmanager
    def settling(self, store_id: str) -> Iterator[None]:
        """Around the first reading of all runs of a store, which stay in memory.

        A search for cycles among them, again and again, would hold up every thread of the server.
        """
        if store_id in self._settled or not gc.isenabled():
            yield
            return
        gc.disable()
        try:
            yield
            self._settled.add(store_id)
            gc.freeze()
        finally:
            gc.enable()

    def changes(self, store_id: str, since: str | None) -> tuple[str, Changes]:
        """The revision now, and what changed since; ``full`` for no revision or a foreign one."""
        start, _, count = (since or "").partition(".")
        known = start == self.start and count.isdecimal()
        changes = self.get(store_id).changes(int(count) if known else 0)
        full = changes.full or not known
        return f"{self.start}.{changes.revision}", changes._replace(full=full)

    def certify(self, ending: Ending) -> None:
        """Say in the runs that were open in a kernel how it ended."""
        for store_id, path in settings.registered().items():
            # A kernel of this server wrote while the server looked: the store is open, or has news.
            if store_id in self._open or _notices(path) != self._sizes.get(store_id):
                try:
                    certify(self.get(store_id), ending)
                except (TrackbookError, OSError) as problem:
                    _log.warning("the end of a kernel is not noted in %s: %s", store_id, problem)

    def changed(self) -> list[tuple[str, str]]:
        """The stores that changed since the last look, each with its new revision."""
        self._looks += 1
        self._looks_in_use += bool(self._open)
        if self._looks_in_use == _SETTLED:
            sampling.prepare()
        stamp = settings.registry_stamp()
        everywhere = self._looks % _EVERY_NTH_LOOK == 0
        if everywhere or stamp != self._registry:
            self._registry, stores = stamp, settings.registered()
        else:
            stores = {
                store_id: path
                for store_id in self._open
                if (path := settings.registered_at(store_id)) is not None
            }
        moved = []
        for store_id, path in stores.items():
            sizes = _notices(path)
            known = self._sizes.get(store_id)
            self._sizes[store_id] = sizes
            # What was there before the server stays closed until someone asks for it.
            first_look = self._looks == 1 and store_id not in self._open
            if not first_look and (sizes != known or (everywhere and store_id in self._open)):
                moved += self._refreshed(store_id)
        return moved

    def _refreshed(self, store_id: str) -> list[tuple[str, str]]:
        try:
            revision, changes = self.changes(store_id, None)
        except (TrackbookError, OSError) as problem:
            _log.warning("store %s could not be read: %s", store_id, problem)
            return []
        if self._told.get(store_id) == changes.revision:
            return []
        self._told[store_id] = changes.revision
        return [(store_id, revision)]


def _notices(path: Path) -> object:
    """Name and size of each notice file; cheap to compare."""
    try:
        return sorted((f.name, f.stat().st_size) for f in (path / "index" / "changes").iterdir())
    except OSError:
        return []


def _named(path: Path) -> str:
    return path.parent.name if path.name == settings.STORE_NAME else path.name


def _shown(path: Path) -> str:
    folder = path.parent if path.name == settings.STORE_NAME else path
    home = Path.home()
    return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)
