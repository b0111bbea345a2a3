"""The document of a run that is being written, and what is said about the run besides."""

from __future__ import annotations

import threading
import time
from typing import Any, Protocol

from ..model import Document
from ..store import Blobs, RunWriter, os_calls


class Teller(Protocol):
    """What keeping a record asks of the session that opened the run."""

    def changed(self, run: Any) -> None:
        """The document of the run changed and wants saving soon."""

    def warn(self, problem: str) -> None:
        """Tell the user once about a problem of ours."""

    def cell_id(self) -> str | None:
        """The cell that is executing now."""


# Whoever logs another value in a loop gets no document that grows with it.
_REMEMBERED = 1000


class RunRecord:
    """The base of a live run: its document, its writer and the blobs beside them."""

    def __init__(self, writer: RunWriter, blobs: Blobs, owner: Teller) -> None:
        self._writer = writer
        self._blobs = blobs
        self._owner: Teller = owner
        self._lock = threading.RLock()
        self._touched = False
        os_calls.call_in_child(self._in_child)

    def _in_child(self) -> None:
        # A thread that the child lacks may hold the lock.
        self._lock = threading.RLock()

    @property
    def document(self) -> Document:
        """The live document; read it, change it through the methods."""
        return self._writer.document

    @property
    def open(self) -> bool:
        """Whether the run has not ended."""
        return bool(self.document["status"] == "running")

    def note_capture(self, what: str, state: str, reason: str = "", **cost: float) -> None:
        """Add a line to what ``%track why`` tells: captured, folded, skipped or redacted.

        ``cost`` is in ``ms`` and ``bytes``. The same thing told again takes the place of the first.
        """
        entry = {"what": what, "state": state, **({"reason": reason} if reason else {}), **cost}
        with self._lock:
            told = self.document["capture"]
            for index, other in enumerate(told):
                if _subject(other) == _subject(entry):
                    told[index] = entry
                    return
            told.append(entry)

    def _note_hidden(self, what: str, hidden: int) -> None:
        if hidden:
            self.note_capture(what, "redacted", f"{hidden} value(s) that look like secrets")

    def _changed(self) -> None:
        self._touched = True
        self._owner.changed(self)

    def _mark_late(self, key: str) -> None:
        if not self.open:
            entry = {"key": key, "cell": self._owner.cell_id(), "time": time.time()}
            self._remember("late", entry)

    def _remember(self, key: str, entry: dict[str, Any]) -> None:
        """Add to a list of the document; of more than a thousand the middle ones go."""
        entries = self.document.setdefault(key, [])
        entries.append(entry)
        if len(entries) > _REMEMBERED:
            del entries[_REMEMBERED // 2]
            reason = f"of more than {_REMEMBERED} entries the first and the last half are kept"
            self.note_capture(key, "folded", reason)


def _subject(entry: dict[str, Any]) -> tuple[Any, ...]:
    return entry.get("what"), entry.get("state"), entry.get("reason")
