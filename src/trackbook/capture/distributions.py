"""The full list of installed distributions, by the names of their folders alone."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..jsonable import dumps, loads
from ..store import Blobs
from .notebook import TRUSTED_S

_FOLDER = re.compile(r"(?P<name>.+?)-(?P<version>\d[^-]*)(?:-py[\d.]+)?\.(?:dist|egg)-info\Z")


def normal(name: str) -> str:
    """A distribution's name as names are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


class Distributions:
    """The list as one blob, which all runs of a process share; read anew when a folder changed."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._state: tuple[tuple[str, int], ...] | None = None
        self._listed: list[dict[str, str]] = []
        self._blob = ""
        self._kept = 0.0

    def keep(self) -> str:
        """The blob of the list: ``{name, version}`` of each, ``editable`` where it is one."""
        state = tuple(_folders())
        now = time.time()
        if state != self._state:
            found = _installed(folder for folder, _ in state)
            self._listed = sorted(found, key=lambda entry: entry["name"].lower())
        if state != self._state or abs(now - self._kept) > TRUSTED_S:
            self._blob = self._blobs.put(dumps(self._listed))
            self._state, self._kept = state, now
        return self._blob

    def versions(self) -> dict[str, str]:
        """Version by normalised name."""
        return {normal(entry["name"]): entry["version"] for entry in self._listed}


def _folders() -> Iterator[tuple[str, int]]:
    for folder in dict.fromkeys(sys.path):
        try:
            yield folder, Path(folder).stat().st_mtime_ns
        except OSError:
            continue


def _installed(folders: Iterator[str]) -> list[dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for folder in folders:
        try:
            entries = list(os.scandir(folder or "."))
        except OSError:
            continue
        for entry in entries:
            match = _FOLDER.match(entry.name)
            if match is not None:
                told = {"name": match["name"], "version": match["version"]}
                # What comes first on the path is what is imported.
                found.setdefault(normal(match["name"]), {**told, **_editable(Path(entry.path))})
    return list(found.values())


def _editable(folder: Path) -> dict[str, str]:
    try:
        told: Any = loads((folder / "direct_url.json").read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(told, dict) or not (told.get("dir_info") or {}).get("editable"):
        return {}
    return {"editable": str(told.get("url", ""))}
