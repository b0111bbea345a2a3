"""The commit behind a run, and the patch that leads from it to the files as they were."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ... import redact
from ...store import Blobs
from ..notebook import TRUSTED_S
from . import changes, patching
from .program import BUDGET_S, GitFailed, Program
from .shadow import Repository, find, shadow

__all__ = ["BUDGET_S", "Git", "Reading"]

_CREDENTIALS = re.compile(r"(?<=://)[^/@]*@")
_MOST_NAMED = 100


@dataclass
class Reading:
    """What git told: the document's ``git``, and what there is to say about it."""

    git: dict[str, Any] | None
    top: Path | None = None
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    """``(what, state, reason)``, as ``%track why`` tells it."""
    ms: float = 0.0


class Git:
    """Reads the repository around a folder; a patch that is the same again is not made again."""

    def __init__(self, blobs: Blobs, store: Path | None) -> None:
        self._blobs = blobs
        self._store = store
        self._known: tuple[object, dict[str, Any], list[tuple[str, str, str]]] | None = None
        self._known_at = 0.0

    def read(self, folder: Path, budget: float = BUDGET_S) -> Reading:
        """``{commit, branch, dirty, remote, patch, ...}``; what cannot be told is noted.

        ``dirty`` counts changes to tracked files; the remote comes without credentials. Nothing
        that the repository configures is run and nothing is written into it.
        """
        program = Program(budget)
        try:
            repository = find(program, folder)
        except GitFailed as problem:
            return Reading(None, None, [("git", "not captured", str(problem))])
        told: dict[str, Any] = {
            "commit": repository.commit,
            "branch": repository.branch,
            "dirty": None,
            "remote": _public(repository.remote()),
            "patch": None,
        }
        reading = Reading(told, repository.top)
        try:
            self._read_changes(program, repository, reading)
        except GitFailed as problem:
            reading.notes.append(("patch", "not captured", str(problem)))
        if (repository.top / ".gitmodules").is_file():
            reading.notes.append(("patch", "left out", "changes inside submodules"))
        return reading

    def _read_changes(self, program: Program, repository: Repository, reading: Reading) -> None:
        assert reading.git is not None
        with shadow(program, repository) as git:
            found = changes.read(git, repository.top, self._store)
            reading.git["dirty"] = bool(found.tracked)
            state = (repository.top, git.base, found.state)
            fresh = abs(time.time() - self._known_at) < TRUSTED_S
            if self._known is None or self._known[0] != state or not fresh:
                self._known = (state, *self._keep(patching.make(git, found)))
                self._known_at = time.time()
        reading.git.update(self._known[1])
        reading.notes += self._known[2]

    def _keep(self, patch: patching.Patch) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
        told: dict[str, Any] = {}
        notes = []
        if patch.data:
            told = {"patch": self._blobs.put(patch.data), "patch_exact": True}
            notes.append(("patch", "captured", f"{len(patch.data)} bytes"))
        if patch.redacted:
            told["patch_exact"] = False
            notes.append(("patch", "redacted", f"{patch.redacted} value(s) that look like secrets"))
        if patch.left_out:
            told["patch_exact"] = False
            named = [{"path": out.path, "reason": out.reason} for out in patch.left_out]
            told["left_out"] = named[:_MOST_NAMED]
            notes.append(("patch", "left out", _named(patch.left_out)))
        return told, notes


def _named(left_out: list[changes.LeftOut]) -> str:
    first = [f"{out.path} ({out.reason})" for out in left_out[:5]]
    more = len(left_out) - len(first)
    return ", ".join(first) + (f" and {more} more" if more else "")


def _public(remote: str | None) -> str | None:
    return redact.text(_CREDENTIALS.sub("", remote))[0] if remote else None
