"""Linux control groups: how much memory a process may use, and whether the system killed for it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_MOUNT = Path("/sys/fs/cgroup")


class _Names(NamedTuple):
    limit: str
    used: str
    cached: str
    events: str


_V2 = _Names("memory.max", "memory.current", "inactive_file", "memory.events")
_V1 = _Names(
    "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file", "memory.oom_control"
)


class MemoryGroup:
    """The memory group of a process; it outlives the process."""

    def __init__(self, folder: Path, names: _Names) -> None:
        self._folder = folder
        self._names = names

    @classmethod
    def of(cls, pid: int | str = "self") -> MemoryGroup | None:
        """The group of a process; None where there are no groups or the process is gone."""
        try:
            lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
        except OSError:
            return None
        places = {controllers: path for _, controllers, path in (x.split(":", 2) for x in lines)}
        for controllers, path in places.items():
            if "memory" in controllers.split(","):
                return cls._at(_MOUNT / "memory", path, _V1)
        return cls._at(_MOUNT, places[""], _V2) if "" in places else None

    @classmethod
    def _at(cls, mount: Path, path: str, names: _Names) -> MemoryGroup | None:
        # In a container the path may be one that only its host can see.
        for folder in (mount / path.lstrip("/"), mount):
            if (folder / names.events).exists():
                return cls(folder, names)
        return None

    def percent(self, total: int) -> float | None:
        """How much of its limit is in use; None where it may use all of ``total`` bytes."""
        with suppress(OSError, ValueError, KeyError):  # "max" is no number
            limit = int((self._folder / self._names.limit).read_text())
            if 0 < limit < total:
                used = int((self._folder / self._names.used).read_text())
                # What is cached of files is given back before anyone is killed.
                return 100 * (used - self._count("memory.stat", self._names.cached)) / limit
        return None

    def kills(self) -> int | None:
        """How many processes of the group were killed for want of memory; None where untold."""
        with suppress(OSError, ValueError, KeyError):
            return self._count(self._names.events, "oom_kill")
        return None

    def _count(self, file: str, name: str) -> int:
        lines = (self._folder / file).read_text().splitlines()
        return int(dict(line.split(maxsplit=1) for line in lines)[name])
