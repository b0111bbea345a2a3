"""Whether a run's numbers hold when it is run again, as one answers a colleague."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STATUSES = ("reproduced", "differs", "fails", "not determined", "needs secret")


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """What a replay says of a run."""

    status: str
    """``reproduced``, ``differs``, ``fails``, ``not determined`` or ``needs secret``."""
    text: str
    """The sentence: ``differs: acc 0.9532 -> 0.9512``."""
    causes: tuple[str, ...] = ()
    """What is not as it was: ``input changed: data.csv``, ``numpy 2.1 -> 2.4``."""
    compared: tuple[str, ...] = ()
    """What was compared and how: ``3 metrics, exact``."""
    cells: tuple[Mapping[str, Any], ...] = ()
    """Each cell that ran: ``order``, ``ok``, ``seconds``, ``error``."""
    seconds: float = 0.0
    """How long it took, the start of the kernel included."""
    start: float | None = None
    """Seconds until the first cell ran."""
    recipe: str = ""
    """``short`` (the cells that mattered) or ``full`` (the whole log)."""
    time: float = field(default=0.0)
    """When it was given, in s UTC."""

    def __str__(self) -> str:
        return "\n  ".join([self.text, *self.causes])

    def __repr__(self) -> str:
        return str(self)

    def plain(self) -> dict[str, Any]:
        """The verdict as data."""
        return {
            "status": self.status,
            "text": self.text,
            "causes": list(self.causes),
            "compared": list(self.compared),
            "cells": [dict(cell) for cell in self.cells],
            "seconds": self.seconds,
            "start": self.start,
            "recipe": self.recipe,
            "time": self.time,
        }


def of_plain(told: Mapping[str, Any]) -> Verdict | None:
    """The verdict that ``plain`` gave; None for what is none."""
    status = told.get("status")
    if status not in STATUSES:
        return None
    seconds, start, moment = (told.get(key) for key in ("seconds", "start", "time"))
    return Verdict(
        str(status),
        str(told.get("text") or status),
        causes=_texts(told.get("causes")),
        compared=_texts(told.get("compared")),
        cells=tuple(dict(c) for c in _list(told.get("cells")) if isinstance(c, Mapping)),
        seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
        start=float(start) if isinstance(start, int | float) else None,
        recipe=str(told.get("recipe") or ""),
        time=float(moment) if isinstance(moment, int | float) else 0.0,
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, _list(value)))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
