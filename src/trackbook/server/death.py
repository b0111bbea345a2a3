"""The death certificate: what is known of a run whose kernel died under it."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import formats
from ..model import Document
from ..store import Store
from .kernels import Ending

if TYPE_CHECKING:
    from ..store import Points

_FULL_PERCENT = 90.0
_MOST_POINTS = 60
_CRASHES = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP", "SIGSYS")


def certify(store: Store, ending: Ending) -> None:
    """Add a certificate to the runs that were open in the kernel when it ended."""
    for document in store.find("status == 'lost'", archived=True):
        kernel = (document.get("env") or {}).get("kernel")
        if kernel == ending.kernel and not document.get("death"):
            points = store.points(document["id"])
            store.edit(document["id"], {"death": certificate(document, points, ending)})


def certificate(document: Document, points: Mapping[str, Points], ending: Ending) -> dict[str, Any]:
    """``time`` and ``cause``, and of ``exit, last_cell, last_step, memory`` what is known."""
    known = {
        "exit": ending.exit,
        "last_cell": document.get("last_cell") or document.get("cell"),
        "last_step": _last_step(points),
        "memory": _memory(points),
    }
    return {
        "time": ending.time,
        "cause": cause(ending, _last(points, "system/memory_percent")),
        **{key: value for key, value in known.items() if value is not None},
    }


def cause(ending: Ending, percent: float | None = None) -> str:
    """Why the kernel ended, as a sentence; what is a guess is called likely.

    ``percent`` of the memory was in use when it was last looked at.
    """
    code = ending.exit
    if ending.asked is not None:
        done = "restarted" if ending.asked == "restart" else "shut down"
        return f"the kernel was {done} while the run was open"
    if code is None:
        return "the kernel died"
    if code >= 0 and code != 128 + signal.SIGKILL:
        return f"the kernel's process ended by itself with exit code {code}"
    number = -code if code < 0 else code - 128
    name = signal.Signals(number).name if number in set(signal.Signals) else "unknown"
    told = f"signal {number} ({name})"
    if name == "SIGKILL" and ending.out_of_memory:
        return f"likely out of memory: {told}, and the system has killed for want of memory"
    if name == "SIGKILL" and percent is not None and percent >= _FULL_PERCENT:
        return f"likely out of memory: {told} with {percent:.0f} % of the memory in use"
    return f"{'crashed' if name in _CRASHES else 'killed'}: {told}"


def _last_step(points: Mapping[str, Points]) -> dict[str, Any] | None:
    """The point that was logged last, of the metrics that are not the machine's."""
    last = [
        (float(p.time[-1]), key, int(p.step[-1]), float(p.value[-1]))
        for key, p in points.items()
        if len(p.step) and not formats.of_machine(key)
    ]
    if not last:
        return None
    moment, key, step, value = max(last)
    return {"key": key, "step": step, "value": value, "time": moment}


def _memory(points: Mapping[str, Points]) -> list[list[float]] | None:
    """``[time, GB]`` of the process, thinned out evenly; the last is always there."""
    found = points.get("system/memory_gb")
    if found is None or not len(found.value):
        return None
    every = -(-len(found.value) // _MOST_POINTS)
    pairs = zip(found.time.tolist(), found.value.tolist(), strict=True)
    return [list(pair) for pair in list(pairs)[::-every][::-1]]


def _last(points: Mapping[str, Points], key: str) -> float | None:
    found = points.get(key)
    return float(found.value[-1]) if found is not None and len(found.value) else None
