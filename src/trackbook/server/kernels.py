"""Which kernels of this server end, and how: told by its kernel manager."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..store.cgroup import MemoryGroup

ACTIONS = "https://events.jupyter.org/jupyter_server/kernel_actions/v1"


@dataclass(frozen=True)
class Ending:
    """The end of a kernel's process."""

    kernel: str
    time: float
    asked: str | None = None
    """``restart`` or ``shutdown`` where somebody asked for it."""
    exit: int | None = None
    """The exit code of the process, ``-9`` after signal 9; None where it is not known."""
    out_of_memory: bool = False
    """Whether the system killed for want of memory where the kernel ran."""


class Kernels:
    """Tells of endings by calling ``tell``. ``look`` belongs into a poll: it finds new kernels."""

    def __init__(self, manager: Any, tell: Callable[[Ending], None]) -> None:
        self._manager = manager
        self._tell = tell
        self._known: dict[str, Any] = {}
        self._groups: dict[str, tuple[MemoryGroup, int]] = {}

    def look(self) -> None:
        """Watch the kernels that have come, forget those that are gone."""
        there = set(self._manager.list_kernel_ids())
        for kernel in self._known.keys() - there:
            self._known.pop(kernel)
            self._groups.pop(kernel, None)
        for kernel in there - self._known.keys():
            manager = self._manager.get_kernel(kernel)
            # A kernel that is only starting has nothing yet that could call us back.
            if getattr(manager, "has_kernel", False) and manager.ready.done():
                self._watch(kernel)

    def _watch(self, kernel: str) -> None:
        manager = self._known[kernel] = self._manager.get_kernel(kernel)
        for event in ("restart", "dead"):
            manager.add_restart_callback(partial(self._died, kernel), event)
        self._count_kills(kernel)

    def _count_kills(self, kernel: str) -> None:
        pid = getattr(getattr(self._known[kernel], "provisioner", None), "pid", None)
        group = MemoryGroup.of(pid) if isinstance(pid, int) else None
        kills = group.kills() if group else None
        if group is not None and kills is not None:
            self._groups[kernel] = group, kills

    def _died(self, kernel: str) -> None:
        """The process is gone and nobody asked for it; it is about to be started anew."""
        provisioner = getattr(self._known.get(kernel), "provisioner", None)
        process = getattr(provisioner, "process", None)
        code = getattr(process, "returncode", None)
        group, before = self._groups.get(kernel, (None, 0))
        kills = group.kills() if group else None
        killed = kills is not None and kills > before
        self._tell(Ending(kernel, time.time(), exit=code, out_of_memory=killed))
        if group is not None and kills is not None:
            self._groups[kernel] = group, kills

    async def acted(self, logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        """The listener for ``ACTIONS``: somebody had a kernel restarted or shut down."""
        action = data.get("action")
        if action in ("restart", "shutdown") and data.get("status") == "success":
            self._tell(Ending(str(data["kernel_id"]), time.time(), asked=action))
