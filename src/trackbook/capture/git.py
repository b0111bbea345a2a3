"""The commit behind a run. ``read`` is the only function that runs git, and runs it safely."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

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
