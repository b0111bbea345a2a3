"""Which notebook or script this is, and its snapshot cell by cell."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import redact
from ..jsonable import dumps, loads
from ..store import Blobs

_LARGEST = 20 * 2**20
# How long a blob's name is trusted without asking the store, whose ``gc`` removes after a day what
# no run names. A kernel may live for weeks.
TRUSTED_S = 3600.0


def locate(user_namespace: Mapping[str, Any] | None, told: Path | None = None) -> Path | None:
    """The notebook (in a kernel) or script (elsewhere) that runs; None where nothing says.

    What JupyterLab has ``told`` follows renames. VS Code and papermill (when asked to inject its
    paths) set variables in the namespace, Jupyter servers the environment variable
    ``JPY_SESSION_NAME`` (the path at kernel start). With papermill the notebook is its input, so
    that all executions of one notebook are attempts of the same series, wherever they are written.
    """
    if user_namespace is None:
        return _script()
    if told is not None:
        return told
    for said in (user_namespace.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")):
        if isinstance(said, str) and said.endswith(".ipynb"):
            return _absolute(said)
    for name in ("PAPERMILL_INPUT_PATH", "PAPERMILL_OUTPUT_PATH"):
        said = user_namespace.get(name)
        # It may also be an address.
        if isinstance(said, str) and said.endswith(".ipynb") and "://" not in said:
            return _absolute(said)
    return None


def _absolute(path: str) -> Path | None:
    try:
        return Path(path).absolute()
    except OSError:  # relative to a current folder that is gone
        return None


def _script() -> Path | None:
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    if not isinstance(file, str):
        return None
    script = Path(file).absolute()
    # An installed program (pytest, a console script) is not the user's own script.
    return None if script.is_relative_to(sys.prefix) else script


class Sources:
    """Sources of cells as blobs, without their secrets; each text is looked at once an hour."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._names: dict[str, tuple[str, float]] = {}
        self._hidden: dict[str, int] = {}

    def keep(self, source: str) -> str:
        """Keep the source of a cell; returns its blob name."""
        name, kept = self._names.get(source, ("", 0.0))
        now = time.time()
        if not name or abs(now - kept) > TRUSTED_S:
            clean, self._hidden[source] = redact.source(source)
            name = self._blobs.put(clean.encode("utf-8", "surrogatepass"))
            self._names[source] = (name, now)
        return name

    def hidden(self, source: str) -> int:
        """How many secrets are hidden in the kept source of a cell."""
        self.keep(source)
        return self._hidden[source]

    def snapshot(
        self,
        notebook: Path | None,
        executed: Mapping[str, str],
        tracked: str | None,
        live: list[dict[str, Any]],
    ) -> tuple[str | None, int]:
        """Keep the notebook as it stands now, sources only.

        Returns the name of its manifest, None for a notebook without cells, and its size in bytes.

        ``live`` are the cells of the open document, unsaved edits and all; a cell that was edited
        after it ran is marked. Where they are not known, the file has to do: it misses unsaved
        edits, so the source that ran last (``executed``, by cell id) wins, and cells that ran but
        are not in the file follow at the end.
        """
        if live:
            cells = [_marked(cell, executed) for cell in live]
        else:
            cells = _merged([] if notebook is None else _cells_on_disk(notebook), executed)
        if not cells:
            return None, 0
        size = 0
        for cell in cells:
            size += len(cell["source"].encode("utf-8", "surrogatepass"))
            cell["source"] = self.keep(cell["source"])
        path = str(notebook) if notebook else None
        return self._blobs.put(dumps({"cells": cells, "path": path, "tracked": tracked})), size


def _marked(cell: dict[str, Any], executed: Mapping[str, str]) -> dict[str, Any]:
    ran = executed.get(cell["id"])
    edited = {"edited": True} if ran is not None and ran != cell["source"] else {}
    return {**cell, "executed": ran is not None, **edited}


def _merged(cells: list[dict[str, Any]], executed: Mapping[str, str]) -> list[dict[str, Any]]:
    known = {cell["id"] for cell in cells}
    # Kernels without a front end tell no cell ids: there the source says which cell it was.
    anonymous = {source for cell_id, source in executed.items() if cell_id not in known}
    for cell in cells:
        cell["executed"] = cell["id"] in executed or cell["source"] in anonymous
        cell["source"] = executed.get(cell["id"], cell["source"])
    sources = {cell["source"] for cell in cells}
    return cells + [
        {"id": cell_id, "type": "code", "source": source, "executed": True}
        for cell_id, source in executed.items()
        if cell_id not in known and source not in sources
    ]


def _cells_on_disk(notebook: Path) -> list[dict[str, Any]]:
    try:
        if notebook.stat().st_size > _LARGEST:
            return []
        document = loads(notebook.read_bytes())
        return [
            {"id": str(c.get("id") or f"cell-{i}"), "type": c["cell_type"], "source": _source(c)}
            for i, c in enumerate(document["cells"])
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []  # being written, not a notebook, or an old format


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)
