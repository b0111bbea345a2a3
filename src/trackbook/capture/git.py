"""The commit behind a run. ``read`` is the only function that runs git, and runs it safely."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .patch import Guard

# Nothing of the repository's own configuration may run a program or write into it.
_SAFE = (
    "--no-optional-locks",
    "-c", "core.fsmonitor=false",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.untrackedCache=false",
    "-c", "filter.lfs.process=",
    "-c", "filter.lfs.clean=cat",
    "-c", "filter.lfs.required=false",
    "-c", "submodule.recurse=false",
)  # fmt: skip
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ASKPASS": "",
    "GIT_EXTERNAL_DIFF": "",
    "LC_ALL": "C",
}
BUDGET_S = 2.0
_CREDENTIALS = re.compile(r"(?<=://)[^/@]+@")


class Reader:
    """Reads commits in a thread, one reading at a time.

    Who asks gets what was read after the question; questions during a reading share the next one,
    so that a loop of short runs does not start git for each.
    """

    def __init__(self) -> None:
        self._guard = Guard("git")
        self._lock = threading.Lock()
        self._asked: dict[Path, list[Callable[[dict[str, Any] | None, str], None]]] = {}
        self._thread: threading.Thread | None = None

    def ask(self, folder: Path, take: Callable[[dict[str, Any] | None, str], None]) -> None:
        """Have ``take`` called in the thread with what ``read(folder)`` gives."""
        if self._guard.shut:
            return
        with self._lock:
            self._asked.setdefault(folder, []).append(take)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._guard.run, args=(self._work,), name="trackbook-git", daemon=True
                )
                self._thread.start()

    def _work(self) -> None:
        while True:
            with self._lock:
                asked, self._asked = self._asked, {}
                if not asked:
                    self._thread = None
                    return
            for folder, takers in asked.items():
                found, why_not = read(folder)
                for take in takers:
                    take(None if found is None else dict(found), why_not)

    def wait(self) -> None:
        """Let the thread finish, within the budget of one reading."""
        thread = self._thread
        if thread is not None:
            thread.join(BUDGET_S)


def read(folder: Path) -> tuple[dict[str, Any] | None, str]:
    """``{commit, branch, dirty, remote}`` of the repository around ``folder``, or None and why not.

    ``dirty`` counts changes to tracked files; the remote comes without credentials.
    """
    try:
        from git.cmd import Git
        from git.exc import GitError
    except ImportError:  # GitPython raises it too where there is no git program
        return None, "git is not installed"
    git = Git(str(folder))
    try:
        status = _run(git, "status", "--porcelain=v2", "--branch", "--untracked-files=no")
        remote = _run(git, "config", "--get-regexp", r"^remote\..*\.url$", allow_failure=True)
    except (GitError, OSError) as problem:
        return None, _why(problem)
    return {**_parse(status), "remote": _remote(remote)}, ""


def _run(git: Any, *arguments: str, allow_failure: bool = False) -> str:
    output = git.execute(
        ["git", *_SAFE, *arguments],
        env=_ENVIRONMENT,
        kill_after_timeout=BUDGET_S,
        with_exceptions=not allow_failure,
    )
    return str(output)


def _parse(status: str) -> dict[str, Any]:
    headers = {
        words[1]: " ".join(words[2:])
        for words in (line.split() for line in status.splitlines() if line.startswith("# "))
    }
    commit = headers.get("branch.oid", "")
    branch = headers.get("branch.head", "")
    return {
        "commit": None if commit in ("", "(initial)") else commit,
        "branch": None if branch in ("", "(detached)") else branch,
        "dirty": any(line and not line.startswith("#") for line in status.splitlines()),
    }


def _remote(listing: str) -> str | None:
    urls = dict(line.split(" ", 1) for line in listing.splitlines() if " " in line)
    url = urls.get("remote.origin.url") or next(iter(urls.values()), None)
    return _CREDENTIALS.sub("", url) if url else None


def _why(problem: BaseException) -> str:
    text = str(problem)
    if "not a git repository" in text:
        return "not in a git repository"
    if "dubious ownership" in text:
        return "the repository belongs to another user"
    if "Timeout" in text or "kill" in text.lower():
        return f"git took longer than {BUDGET_S:.0f} s"
    return text.strip().splitlines()[-1][:200] if text.strip() else type(problem).__name__
