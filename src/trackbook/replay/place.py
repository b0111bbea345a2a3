"""Where a run's project lies, and where its files lie in the folder of a replay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

PROJECT = "project"
ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Place:
    """A project and the folder of the notebook in it, as they are on this machine."""

    root: Path
    """The repository's top; without one the folder that holds the store."""
    work: Path
    """The notebook's folder, which the kernel ran in."""

    def inside(self, path: str, cwd: Path | None = None) -> PurePosixPath:
        """Where a recorded path goes, relative to the replay's folder.

        A relative one is meant from ``cwd``, by default the notebook's folder.
        """
        whole = _normal((cwd or self.work) / path)
        if whole.is_relative_to(self.root):
            return PurePosixPath(PROJECT) / whole.relative_to(self.root).as_posix()
        return PurePosixPath(ELSEWHERE) / whole.as_posix().lstrip("/")

    def here(self, path: str, cwd: Path | None = None) -> Path:
        """The file of a recorded path on this machine."""
        return _normal((cwd or self.work) / path)

    def shown(self, path: str) -> str:
        """The path as people say it: relative to the project where it lies in it."""
        whole = self.here(path)
        return str(whole.relative_to(self.root)) if whole.is_relative_to(self.root) else str(whole)


def place_of(document: Mapping[str, Any], store: Path) -> Place:
    """Where the run was made, as far as this machine still has it."""
    above = store.parent
    named = (document.get("notebook") or {}).get("path")
    work = _normal(above / named).parent if named else above
    root = next((folder for folder in (work, *work.parents) if (folder / ".git").exists()), None)
    if root is None or root == Path(root.anchor):
        root = above if work.is_relative_to(above) else work
    return Place(root, work)


def _normal(path: Path) -> Path:
    """Without ``..``; links stay, since a recorded path may go through them."""
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts = parts[:-1] or parts
        elif part != ".":
            parts.append(part)
    return Path(*parts)
