"""A commit's files and a run's patch, laid out without a touch to the repository."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..store import Blobs

_BUDGET_S = 60
# As in capture: nothing may run a program, ask, fetch, or write into the repository. The
# repository's own configuration is not read at all: git works in a folder of its own.
_SAFE = (
    "--no-pager", "--no-optional-locks",
    "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.askPass=",
    "-c", "core.symlinks=false", "-c", "core.autocrlf=false", "-c", "protocol.allow=never",
    "-c", "gc.auto=0",
)  # fmt: skip
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "LC_ALL": "C",
}


def can_lay_out(document: Mapping[str, Any], root: Path) -> bool:
    """Whether the run has a commit, and this machine its repository."""
    commit = (document.get("git") or {}).get("commit")
    return isinstance(commit, str) and (root / ".git").exists() and shutil.which("git") is not None


def lay_out(document: Mapping[str, Any], blobs: Blobs, root: Path, target: Path) -> None:
    """Put the files of the run's commit into a folder, then its patch over them.

    Raises ``StoreError`` where the repository no longer has the commit.
    """
    told = document.get("git") or {}
    commit = str(told.get("commit"))
    if not commit.isalnum():
        raise StoreError("the run's commit is none")
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="trackbook-git-") as at:
        own = Path(at)
        objects = Path(os.fsdecode(_git(root, "rev-parse", "--git-path", "objects").strip()))
        _git(own, "init", "--quiet", "--bare", str(own / "git"))
        environment = {
            "GIT_DIR": str(own / "git"),
            "GIT_WORK_TREE": str(target),
            "GIT_INDEX_FILE": str(own / "index"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str((root / objects).resolve()),
        }
        _git(target, "read-tree", commit, environment=environment)
        _git(target, "checkout-index", "--all", "--force", "--quiet", environment=environment)
        patch = told.get("patch")
        if isinstance(patch, str):
            # A patch in which secrets are hidden may not fit everywhere.
            with contextlib.suppress(StoreError):
                options = ("apply", "--whitespace=nowarn", "-")
                _git(target, *options, environment=environment, given=blobs.get(patch))


def _git(
    folder: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    given: bytes = b"",
) -> bytes:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    try:
        done = subprocess.run(
            ["git", *_SAFE, *arguments],
            cwd=folder,
            env={**inherited, **_ENVIRONMENT, **(environment or {})},
            input=given,
            capture_output=True,
            timeout=_BUDGET_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise StoreError(f"git cannot lay out the commit: {problem}") from problem
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise StoreError(f"git cannot lay out the commit: {(words or ['it fails'])[-1][:200]}")
    return done.stdout
