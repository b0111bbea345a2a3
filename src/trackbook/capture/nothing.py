"""The run that keeps nothing, for when tracking is switched off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..model import Document, new_document
from ..store import Entry, Scan, Watch
from .artifacts import Kept
from .live import ActiveRun


class NoRun(ActiveRun):
    """Takes everything an ``ActiveRun`` takes and writes nothing anywhere."""

    def __init__(self) -> None:
        super().__init__(_NoWriter(), _NoBlobs(), _NoOwner())

    def _keep(self, make: Callable[[], Kept]) -> None:
        pass

    def _note_input(self, data: Any, name: str | None, budget: int | None = None) -> None:
        pass


class _NoWriter:
    def __init__(self) -> None:
        self.document: Document = new_document(name="off", experiment="off")
        self.id: str = self.document["id"]
        self.log: Callable[[str, int, float, float], None] = lambda *point: None

    def row(self, keys: Sequence[str]) -> Callable[[int, float, Iterable[float]], None]:
        return lambda step, time, values: None

    def append(self, kind: str, record: Mapping[str, Any]) -> None:
        pass

    def write_log(self, text: str) -> None:
        pass

    def last_step(self, key: str) -> int | None:
        return None

    def summary(self) -> dict[str, dict[str, float]]:
        return {}

    def flush(self) -> None:
        pass

    def save(self) -> None:
        pass

    def finish(self) -> None:
        self.document["ended"] = time.time()


class _NoBlobs:
    def put(self, data: bytes) -> str:
        return ""

    def put_file(self, path: Path, watch: Watch | None = None) -> tuple[str, int]:
        return "", 0

    def put_folder(self, found: Scan, watch: Watch | None = None) -> tuple[str, list[Entry]]:
        return "", []

    def get(self, name: str) -> bytes:
        raise StoreError("tracking is off: nothing was kept")

    def path(self, name: str, limit: int | None = None) -> Path:
        raise StoreError("tracking is off: nothing was kept")


class _NoOwner:
    def entered(self, run: ActiveRun) -> None:
        pass

    def left(self, run: ActiveRun) -> None:
        pass

    def ended(self, run: ActiveRun) -> None:
        pass

    def dirty(self, run: ActiveRun) -> None:
        pass

    def changed(self, run: ActiveRun) -> None:
        pass

    def warn(self, problem: str) -> None:
        pass

    def cell_id(self) -> str | None:
        return None
