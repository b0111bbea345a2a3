"""Hashes of files that are too large to be read while the user waits."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from pathlib import Path
from typing import Any

import blake3

from ..errors import InvalidValue
from . import identity

WHOLE = 1 << 30
"""Larger files are hashed by a sample."""
_CHUNK = 1 << 22
_MOST_KNOWN = 1_000


class Hasher:
    """One thread, there while it has work; a file that has not changed is not read again."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[tuple[str, os.stat_result, dict[str, Any]]]
        self._jobs = queue.SimpleQueue()
        self._known: dict[tuple[str, int, int], dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._idle = threading.Event()
        self._idle.set()

    def put(self, path: str, status: os.stat_result, entry: dict[str, Any]) -> None:
        """Have ``hash`` (and ``sampled``) put into the entry of a file."""
        known = self._known.get((path, status.st_mtime_ns, status.st_size))
        if known is not None:
            entry.update(known)
            return
        with self._lock:
            self._jobs.put((path, status, entry))
            self._idle.clear()
            if self._thread is None:
                name = "trackbook-hashes"
                self._thread = threading.Thread(target=self._work, name=name, daemon=True)
                with contextlib.suppress(RuntimeError):  # the process ends
                    self._thread.start()

    def wait(self, seconds: float) -> None:
        """Until nothing waits, or for so long."""
        self._idle.wait(seconds)

    def _work(self) -> None:
        while True:
            try:
                path, status, entry = self._jobs.get_nowait()
            except queue.Empty:
                with self._lock:
                    if self._jobs.empty():
                        self._thread = None
                        self._idle.set()
                        return
                continue
            found = _hash(path, status)
            if found is not None:
                if len(self._known) > _MOST_KNOWN:
                    self._known.clear()
                self._known[path, status.st_mtime_ns, status.st_size] = found
                entry.update(found)


def _hash(path: str, status: os.stat_result) -> dict[str, Any] | None:
    """None where the file has changed meanwhile."""
    try:
        if status.st_size > WHOLE:
            found = identity.of_path(Path(path))
            result = {"hash": found["hash"], "sampled": True}
        else:
            digest = blake3.blake3()
            with open(path, "rb") as file:  # noqa: PTH123
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
                    time.sleep(0)  # the cell comes first
            result = {"hash": f"b3-{digest.hexdigest()}"}
        after = os.stat(path)  # noqa: PTH116
    except (OSError, InvalidValue):
        return None
    same = (after.st_mtime_ns, after.st_size) == (status.st_mtime_ns, status.st_size)
    return result if same else None
