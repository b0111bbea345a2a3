"""The executed cells of this kernel, as each run's ``cells.jsonl`` tells them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..jsonable import dumps
from .notebook import Sources

SEGMENT = 50


class CellLog:
    """Every execution in order; whole segments are kept once as blobs, not once a run."""

    def __init__(self) -> None:
        self._executions: list[dict[str, Any]] = []
        self._segments: list[dict[str, Any]] = []
        self._kept_by: Sources | None = None

    def __len__(self) -> int:
        return len(self._executions)

    def add(self, execution: dict[str, Any]) -> None:
        """Note an execution; its ``source`` is the text."""
        self._executions.append(execution)

    def records(self, sources: Sources) -> Iterator[dict[str, Any]]:
        """The lines for a run: ``{segment, count}`` of earlier ones, then each later execution.

        A segment is a blob of the same lines, in which ``source`` is the name of a blob too.
        """
        if self._kept_by is not sources:  # another store has no blobs of this one
            self._kept_by, self._segments = sources, []
        while len(self._segments) < len(self._executions) // SEGMENT:
            start = len(self._segments) * SEGMENT
            chunk = self._executions[start : start + SEGMENT]
            lines = b"\n".join(dumps(_with_blob(e, sources)) for e in chunk)
            self._segments.append({"segment": sources.keep(lines.decode()), "count": SEGMENT})
        yield from self._segments
        for execution in self._executions[len(self._segments) * SEGMENT :]:
            yield _with_blob(execution, sources)


def _with_blob(execution: dict[str, Any], sources: Sources) -> dict[str, Any]:
    return {**execution, "source": sources.keep(execution["source"])}
