"""The executed cells of this kernel, as each run's ``cells.jsonl`` tells them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..jsonable import dumps
from ..store import Blobs
from .filecontents import Contents
from .notebook import TRUSTED_S, Sources
from .randomness import Randomness

SEGMENT = 50


class Kept(NamedTuple):
    """Where what a line names is kept."""

    blobs: Blobs
    random: Randomness
    contents: Contents


class CellLog:
    """Every execution in order; whole segments are kept once as blobs, not once a run."""

    def __init__(self) -> None:
        self._executions: list[dict[str, Any]] = []
        self._segments: list[dict[str, Any]] = []
        self._kept_by: Sources | None = None
        self._kept = 0.0
        self._random: dict[int, dict[str, str]] = {}
        """By order: the blobs of the states before an execution."""

    def __len__(self) -> int:
        return len(self._executions)

    @property
    def executions(self) -> Sequence[dict[str, Any]]:
        """Every execution; its ``source`` is the text."""
        return self._executions

    def add(self, execution: dict[str, Any]) -> None:
        """Note an execution; its ``source`` is the text, ``rng`` the states before it."""
        self._executions.append(execution)

    def records(self, sources: Sources, keeping: Kept, since: int = 0) -> Iterator[dict[str, Any]]:
        """The lines for a run: ``{segment, count}`` of earlier ones, then each later execution.

        A segment is a blob of the same lines, in which ``source`` is the name of a blob too. A run
        that has the first ``since`` executions already gets those after them, one by one.
        """
        now = time.time()
        # Another store has no blobs of this one, and old ones may be gone where no run names them.
        if self._kept_by is not sources or abs(now - self._kept) > TRUSTED_S:
            self._kept_by, self._kept, self._segments, self._random = sources, now, [], {}
        if since:
            yield from (self._line(e, sources, keeping) for e in self._executions[since:])
            return
        while len(self._segments) < len(self._executions) // SEGMENT:
            start = len(self._segments) * SEGMENT
            chunk = self._executions[start : start + SEGMENT]
            lines = b"\n".join(dumps(self._line(e, sources, keeping)) for e in chunk)
            self._segments.append({"segment": sources.keep(lines.decode()), "count": SEGMENT})
        yield from self._segments
        for execution in self._executions[len(self._segments) * SEGMENT :]:
            yield self._line(execution, sources, keeping)

    def _line(self, execution: dict[str, Any], sources: Sources, keeping: Kept) -> dict[str, Any]:
        line = {**execution, "source": sources.keep(execution["source"])}
        if "rng" in line:
            order = execution["order"]
            if order not in self._random:
                self._random[order] = keeping.random.keep(line["rng"])
            line["rng"] = self._random[order]
        if "files" in line:
            line["files"] = [keeping.contents.told(file, keeping.blobs) for file in line["files"]]
        return line
