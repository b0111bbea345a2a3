"""Who owns a run: the lock that lives as long as its kernel does.

On its own machine the lock says whether an owner lives. Readers elsewhere may not see the lock;
they watch whether its heartbeat advances, by their own clock: the clocks of two machines are never
compared closely.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from ..jsonable import dumps, loads
from . import os_calls, os_machine

LOCK = "owner.lock"
HEARTBEAT_S = 30.0
PATIENCE_S = 600.0
"""How long an owner elsewhere is believed while its heartbeat stands still."""
# A heartbeat older than this is not believed at a first look: no two clocks differ as much.
_OLD_S = 86_400.0
_SIGN_LIMIT = 4096


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
        self._sign = b""
        try:
            self.beat()
        except OSError:
            self.give_up()
            raise

    def beat(self) -> None:
        """Leave a sign of life; raises ``OSError`` (``EBUSY``) where another took the run over."""
        if self._fd is None:
            return
        self._check_ours()
        sign = {
            "boot": os_machine.boot_id(),
            "host": os_machine.host(),
            "machine": os_machine.machine(),
            "pid": os.getpid(),
            "locked": self._locked,
            "heartbeat": f"{time.time():.3f}",
        }
        self._sign = dumps(sign)
        self._beat = os_machine.steady_time()
        os_calls.rewrite(self._fd, self._sign)

    def _check_ours(self) -> None:
        # Whoever believed this owner dead, on a machine that does not see the lock, has written
        # its own sign: after a long sleep this process must not write on.
        if self._fd is not None and self._sign:
            present = os.pread(self._fd, _SIGN_LIMIT, 0)
            if present not in (self._sign, b"") and _parsed(present):
                raise OSError(errno.EBUSY, "another process has resumed it")

    def beat_if_due(self) -> None:
        """Leave a sign of life where the last one is 30 s old; raises as ``beat`` for ``EBUSY``."""
        if os_machine.steady_time() - self._beat >= HEARTBEAT_S:
            try:
                self.beat()
            except OSError as problem:
                if problem.errno == errno.EBUSY:
                    raise

    def give_up(self) -> None:
        """End the ownership; the lock file goes with it."""
        if self._fd is not None:
            # Removed while held: nobody can take a lock that is about to vanish.
            os_calls.remove(self._path)
            self.let_go()

    def let_go(self) -> None:
        """End the ownership of a run that is another's now: the lock file is its, too."""
        if self._fd is not None:
            os_calls.release_lock(self._fd)
            self._fd = None


# -- looking at other owners -----------------------------------------------------------------------


@dataclass
class _Sight:
    """A heartbeat that this process saw, and since when it has stood still."""

    heartbeat: str
    since: float
    advanced: bool = False


# By lock file: owners elsewhere whose heartbeat is watched.
_watched: dict[Path, _Sight] = {}


def look(folder: Path) -> tuple[Owner, float]:
    """The state of a run's owner, and its last sign of life (0 where there is none)."""
    lock = folder / LOCK
    if os_calls.lock_held(lock):
        # Its last sign of life is nobody's question while it lives.
        return Owner.ALIVE, 0.0
    sign, beat, touched = _read(lock)
    if not sign or _is_here(sign):
        _watched.pop(lock, None)
        return Owner.GONE, beat
    sight, now = _watched.get(lock), os_machine.steady_time()
    if sight is None or sight.heartbeat != sign["heartbeat"]:
        sight = _watched[lock] = _Sight(sign["heartbeat"], now, sight is not None)
    old = time.time() - max(beat, touched) > _OLD_S and not sight.advanced
    if now - sight.since >= PATIENCE_S:
        return (Owner.GONE if old else Owner.SILENT), beat
    return (Owner.SILENT if old else Owner.ALIVE), beat


def _is_here(sign: dict[str, Any]) -> bool:
    """Whether a lock that nobody holds is enough to know that the owner is dead."""
    if sign.get("boot") == os_machine.boot_id():
        return sign.get("locked") is not False
    # This machine before it was started anew; either name alone may be another machine's too.
    known = (sign.get("host"), sign.get("machine"))
    return bool(known[1]) and known == (os_machine.host(), os_machine.machine())


def _read(path: Path) -> tuple[dict[str, Any], float, float]:
    try:
        with os_calls.open_plain(path) as file:
            sign = _parsed(file.read(_SIGN_LIMIT))
            return sign, float(sign["heartbeat"]), os.fstat(file.fileno()).st_mtime
    except (OSError, ValueError, KeyError, TypeError):
        return {}, 0.0, 0.0


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        sign = loads(data)
    except ValueError:
        return {}
    return sign if isinstance(sign, dict) and isinstance(sign.get("heartbeat"), str) else {}


def watched(folder: Path) -> list[Any] | None:
    """What another process of this machine needs to go on watching a run's owner, as plain data."""
    sight = _watched.get(folder / LOCK)
    if sight is None:
        return None
    age = os_machine.steady_time() - sight.since
    return [os_machine.host(), sight.heartbeat, time.time() - age, sight.advanced]


def watch(folder: Path, state: Any) -> None:
    """Go on with what ``watched`` told in another process; what makes no sense is left."""
    with contextlib.suppress(TypeError, ValueError):
        host, heartbeat, since, advanced = state
        age = time.time() - float(since)
        if host == os_machine.host() and isinstance(heartbeat, str) and age >= 0:
            sight = _Sight(heartbeat, os_machine.steady_time() - age, advanced is True)
            _watched.setdefault(folder / LOCK, sight)
