"""Who owns a run: the lock that lives as long as its kernel does."""

from __future__ import annotations

import contextlib
import os
import time
from enum import Enum
from pathlib import Path
from typing import Any

from ..jsonable import dumps, loads
from . import os_calls

LOCK = "owner.lock"
HEARTBEAT_S = 30.0
# An owner on another machine, whose lock we may not see, is believed this long.
_PATIENCE_S = 180.0
_GIVEN_UP_S = 86_400.0


class Owner(Enum):
    """What can be said of a run's owner."""

    ALIVE = "alive"
    SILENT = "silent"
    """No sign of life of late from another machine; it may come back."""
    GONE = "gone"


class Ownership:
    """This process owns a run; raises ``BlockingIOError`` while another one does."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK
        taken = os_calls.take_lock(self._path)
        if taken is None:
            raise BlockingIOError(f"{folder.name} is owned by another process")
        self._fd: int | None
        self._fd, self._locked = taken
        self._beat = 0.0
        try:
            self.beat()
        except OSError:
            self.give_up()
            raise

    def beat(self) -> None:
        """Leave a sign of life."""
        if self._fd is None:
            return
        self._beat = time.time()
        sign = {
            "boot": os_calls.boot_id(),
            "host": os_calls.host(),
            "pid": os.getpid(),
            "locked": self._locked,
            "heartbeat": f"{self._beat:.3f}",
        }
        os_calls.rewrite(self._fd, dumps(sign))

    def beat_if_due(self) -> None:
        """Leave a sign of life where the last one is 30 s old."""
        if time.time() - self._beat >= HEARTBEAT_S:
            with contextlib.suppress(OSError):
                self.beat()

    def give_up(self) -> None:
        """End the ownership; the lock file goes with it."""
        if self._fd is not None:
            # Removed while held: nobody can take a lock that is about to vanish.
            os_calls.remove(self._path)
            os_calls.release_lock(self._fd)
            self._fd = None


def look(folder: Path) -> tuple[Owner, float]:
    """The state of a run's owner, and its last sign of life (0 where there is none)."""
    if os_calls.lock_held(folder / LOCK):
        # Its last sign of life is nobody's question while it lives.
        return Owner.ALIVE, 0.0
    sign, beat, touched = _read(folder / LOCK)
    age = time.time() - max(beat, touched)
    # On its own machine a lock that is free says all, where there are locks.
    here = sign.get("boot") == os_calls.boot_id() and sign.get("locked") is not False
    if not sign or here or age > _GIVEN_UP_S:
        return Owner.GONE, beat
    return (Owner.ALIVE if age < _PATIENCE_S else Owner.SILENT), beat


def _read(path: Path) -> tuple[dict[str, Any], float, float]:
    try:
        touched = path.stat().st_mtime
        sign = loads(path.read_bytes())
        return sign, float(sign["heartbeat"]), touched
    except (OSError, ValueError, KeyError, TypeError):
        return {}, 0.0, 0.0
