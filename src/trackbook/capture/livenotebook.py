"""The open notebook as JupyterLab tells of it: its path and its cells, unsaved edits and all.

The kernel opens a comm and never waits for an answer. Where nobody answers (another front end, a
server without our extension) nothing is known here, and the file on disk has to do.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

TARGET = "trackbook"
_LARGEST = 20 * 2**20


class LiveNotebook:
    """What the front end said last. Messages may come on a thread of their own."""

    def __init__(self) -> None:
        self.heard = False
        """Whether a front end of ours has spoken at all."""
        self.path: Path | None = None
        self.told: Callable[[str], None] = _nobody
        """Called with the id of a cell that is about to run, when its message comes."""
        self._lock = threading.Lock()
        self._cells: dict[str, tuple[str, str]] = {}
        self._order: list[str] = []
        self._fresh: set[str] = set()
        self._comm: Any = None

    def open(self) -> None:
        """Open the comm to the front end of this kernel; outside a kernel this does nothing."""
        try:
            from comm import create_comm
        except ImportError:
            return
        self._comm = create_comm(target_name=TARGET, data={"version": 1})
        self._comm.on_msg(self._receive)

    def close(self) -> None:
        """Close the comm."""
        comm, self._comm = self._comm, None
        if comm is not None:
            comm.close()

    def take(self, cell_id: str | None) -> bool:
        """Whether the front end has told of this execution of the cell; asked once for each."""
        with self._lock:
            fresh = cell_id in self._fresh
            self._fresh.discard(cell_id or "")
        return fresh

    def cells(self) -> list[dict[str, Any]]:
        """``{id, type, source}`` of each cell in the order of the notebook; empty if unknown."""
        with self._lock:
            return [
                {"id": cell_id, "type": self._cells[cell_id][0], "source": self._cells[cell_id][1]}
                for cell_id in self._order
                if cell_id in self._cells
            ]

    def position(self, cell_id: str | None) -> int | None:
        """Which cell of the notebook it is, from 0."""
        with self._lock:
            return self._order.index(cell_id) if cell_id in self._order else None

    def _receive(self, message: Mapping[str, Any]) -> None:
        try:
            data = message["content"]["data"]
            cell = data.get("cell")
            self._learn(data)
        except (KeyError, TypeError, ValueError, AttributeError):
            return  # not a message of ours
        if isinstance(cell, str):
            self.told(cell)

    def _learn(self, data: Mapping[str, Any]) -> None:
        changed = {
            str(cell_id): (str(kind), str(source))
            for cell_id, (kind, source) in data["sources"].items()
        }
        order = [str(cell_id) for cell_id in data["order"]]
        path = found(str(data["path"]), str(data.get("root") or ""))
        with self._lock:
            self.heard = True
            self.path = path or self.path
            known = {**self._cells, **changed}
            self._cells = {cell_id: known[cell_id] for cell_id in order if cell_id in known}
            self._order = order
            if sum(len(source) for _, source in self._cells.values()) > _LARGEST:
                self._cells, self._order = {}, []
            if isinstance(data.get("cell"), str):
                self._fresh.add(data["cell"])


def found(told: str, root: str) -> Path | None:
    """The file behind the server's path of a notebook; None where it is not on this machine.

    ``root`` is the server's root folder, whose home may be shortened to ``~``. Where that does not
    lead to the file, the folders around the notebook that this kernel was started for are tried:
    the server's root is one of them, whatever the notebook is called by now.
    """
    if not told.endswith(".ipynb"):
        return None
    started_for = os.environ.get("JPY_SESSION_NAME", "")
    try:
        folders = [Path(root).expanduser()] if root else []
        folders += Path(started_for).absolute().parents if started_for else Path.cwd().parents
        return next((folder / told for folder in folders if (folder / told).is_file()), None)
    except (OSError, ValueError, RuntimeError):  # no path, no such user, no current folder
        return None


def _nobody(cell_id: str) -> None:
    """Nobody waits for a cell."""
