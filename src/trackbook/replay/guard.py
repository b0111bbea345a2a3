"""Refuses writes, deletes and processes outside a folder: a guard against accidents, no sandbox.

Python's audit events tell what Python code does; C code of libraries opens files unseen. Code that
means harm gets around it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# They tell of the machine and change nothing.
_HARMLESS = frozenset({"lscpu", "uname", "ldconfig", "nvidia-smi", "getconf", "sysctl"})
# Which of an event's arguments are paths, and which the folders that they are relative to.
_PATHS: dict[str, tuple[tuple[int, int | None], ...]] = {
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.mkdir": ((0, 2),),
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((1, 3),),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.utime": ((0, 3),),
    "os.setxattr": ((0, None),),
    "os.removexattr": ((0, None),),
    "shutil.rmtree": ((0, 1),),
}
_OF_LINKS = frozenset({"os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink"})
_PROCESSES = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile"}
)


class Refused(PermissionError):
    """A replay does not do that unless it is told to."""


def stand(folder: Path, also: Iterable[Path] = ()) -> None:
    """Refuse from now on; only what lies in the folder, or is one of ``also``, may change.

    It holds to the end of the process and in its forked children.
    """
    home = os.path.realpath(folder)
    inside = home + os.sep
    allowed = {home, "/dev/null", *map(os.path.realpath, also)}
    here = threading.local()

    def check(path: Any, place: Any = -1, *, itself: bool = False) -> None:
        if isinstance(path, int):
            return  # a descriptor that something has opened before
        named = _absolute(os.fsdecode(path), place)
        # What is removed or renamed is the link, what is written is what it leads to.
        named = _of_link(named) if itself else os.path.realpath(named)
        if named not in allowed and not named.startswith(inside):
            raise Refused(f"a replay changes nothing outside its folder, so not {named}")

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        rule = _RULES.get(event)
        if rule is None or getattr(here, "asks", False):
            return
        here.asks = True  # what we ask of the file system may be an event too
        try:
            rule(event, arguments, check)
        finally:
            here.asks = False

    sys.addaudithook(heard)


def _absolute(path: str, place: Any) -> str:
    if path.startswith(os.sep) or not isinstance(place, int) or place < 0:
        return os.path.abspath(path)  # noqa: PTH100 - pathlib would be slower on each open
    try:
        return os.path.join(os.readlink(f"/proc/self/fd/{place}"), path)  # noqa: PTH115, PTH118
    except OSError:
        return os.path.abspath(path)  # noqa: PTH100


def _of_link(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118


Check = Callable[..., None]


def _opened(event: str, arguments: tuple[Any, ...], check: Check) -> None:
    path, mode, flags = arguments
    writes = set(mode) & set("wax+") if isinstance(mode, str) else (flags or 0) & _WRITING
    if writes and path is not None:
        check(path)


def _changed(event: str, arguments: tuple[Any, ...], check: Check) -> None:
    for path, place in _PATHS[event]:
        if path < len(arguments):
            relative = arguments[place] if place is not None and place < len(arguments) else -1
            check(arguments[path], relative, itself=event in _OF_LINKS)


def _connected(event: str, arguments: tuple[Any, ...], check: Check) -> None:
    path = os.fsdecode(arguments[0])
    if path in ("", ":memory:") or (path.startswith("file:") and "mode=ro" in path):
        return
    check(path.removeprefix("file:").partition("?")[0])


def _started(event: str, arguments: tuple[Any, ...], check: Check) -> None:
    program = arguments[0]
    if isinstance(program, list | tuple):
        program = program[0] if program else ""
    name = os.fsdecode(program) if isinstance(program, str | bytes | os.PathLike) else ""
    if os.path.basename(name) in _HARMLESS:  # noqa: PTH119
        return
    raise Refused(f"a replay starts no other programs, so not {name[:80]!r}")


def _signalled(event: str, arguments: tuple[Any, ...], check: Check) -> None:
    pid = arguments[0]
    if pid > 0 and os.getsid(pid) == os.getsid(0):
        return  # this process and its workers
    raise Refused(f"a replay ends no other processes, so not {pid}")


_RULES: dict[str, Callable[[str, tuple[Any, ...], Check], None]] = {
    "open": _opened,
    **dict.fromkeys(_PATHS, _changed),
    "sqlite3.connect": _connected,
    **dict.fromkeys(_PROCESSES, _started),
    "os.kill": _signalled,
    "os.killpg": _signalled,
}
