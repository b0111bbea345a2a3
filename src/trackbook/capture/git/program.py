"""The git program. ``Program.run`` is the only function that runs it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

BUDGET_S = 2.0

# Nothing may run a program for us, ask, fetch, or write into the repository. Of what a repository's
# own configuration could run, the commands that read it (rev-parse, config) use none; all others
# run in a ``Shadow``, which has no configuration.
_SAFE = (
    "--no-pager",
    "--no-optional-locks",
    "-c", "core.fsmonitor=false",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.untrackedCache=false",
    "-c", "core.sshCommand=false",
    "-c", "core.askPass=",
    "-c", "protocol.allow=never",
    "-c", "submodule.recurse=false",
    "-c", "gc.auto=0",
    "-c", "maintenance.auto=false",
)  # fmt: skip
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": ":",
    "LC_ALL": "C",
}
# Of the user's environment git sees no more than where to look; no GIT_DIR, no GIT_TRACE.
_PASSED_ON = (
    "PATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "TMPDIR",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_GLOBAL",
)


class GitFailed(Exception):
    """Git could not tell; the message says why, for ``%track why``."""


class Program:
    """Runs of git that share one budget of time."""

    def __init__(self, budget: float = BUDGET_S) -> None:
        self._found = shutil.which("git")
        self._budget = budget
        self._until = time.monotonic() + budget

    def run(
        self,
        *arguments: str,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        given: bytes = b"",
        ok: tuple[int, ...] = (0,),
    ) -> bytes:
        """What git prints when it runs in a folder; raises ``GitFailed``."""
        if self._found is None:
            raise GitFailed("git is not installed")
        inherited = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        try:
            process = subprocess.Popen(
                [self._found, *_SAFE, *arguments],
                cwd=folder,
                env={**inherited, **_ENVIRONMENT, **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as problem:
            raise GitFailed(f"git cannot run in {folder}: {problem.strerror}") from problem
        except RuntimeError as problem:  # Python 3.12 and later, at the end of the process
            raise GitFailed(f"git cannot run: {problem}") from problem
        output, problems = self._finish(process, given)
        if process.returncode not in ok:
            raise GitFailed(_why(problems.decode("utf-8", "replace")))
        return output

    def _finish(self, process: subprocess.Popen[bytes], given: bytes) -> tuple[bytes, bytes]:
        try:
            return process.communicate(given, timeout=max(0.0, self._until - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise GitFailed(f"git took longer than {self._budget:.3g} s") from None
        finally:
            if process.poll() is None:
                _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended by itself
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _why(problems: str) -> str:
    if "not a git repository" in problems:
        return "not in a git repository"
    if "must be run in a work tree" in problems:
        return "the git repository has no working tree here"
    if "dubious ownership" in problems:
        return "the git repository belongs to another user"
    lines = [line for line in problems.splitlines() if line.strip()]
    told = next((line for line in lines if line.startswith(("fatal:", "error:"))), "")
    return f"git: {(told or (lines or ['it failed without a word'])[-1])[:200]}"
