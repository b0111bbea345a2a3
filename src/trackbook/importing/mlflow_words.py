"""MLflow's params, tags and states in our words, whichever of its stores they come from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from .origin import Content

TITLE = "MLflow"
# By word (database) and by number (files). What was scheduled or running has no owner here, so
# it reads as lost.
STATES = {
    "RUNNING": "running",
    "SCHEDULED": "running",
    "FINISHED": "finished",
    "FAILED": "failed",
    "KILLED": "interrupted",
}
NUMBERS = {"1": "RUNNING", "2": "SCHEDULED", "3": "FINISHED", "4": "FAILED", "5": "KILLED"}
_WORDS = {"True": True, "False": False, "None": None}
_LONGEST_NUMBER = 310
_PREFIX = "mlflow."
_GIT = "mlflow.source.git."
# What stands elsewhere in our document, and so is not repeated in ``env``.
_TOLD = (
    "mlflow.runName",
    "mlflow.note.content",
    "mlflow.parentRunId",
    "mlflow.user",
    "mlflow.source.name",
    "mlflow.log-model.history",
)
# The programs that notebooks run in: they name no notebook.
_KERNELS = ("ipykernel_launcher.py", "colab_kernel_launcher.py", "__main__.py")


def typed(text: str) -> Any:
    """The Python value whose ``str`` is exactly this text, if it is an int, float, bool or None.

    MLflow keeps ``str(value)``; a text that only resembles a number (``007``, ``1e5``) stays text.
    """
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= _LONGEST_NUMBER:
        for kind in (int, float):
            try:
                value = kind(text)
            except ValueError:
                continue
            if str(value) == text:
                return value
    return text


def value_of(value: float, is_nan: object = False) -> float:
    """A metric's value; the database cannot hold NaN and infinities and writes stand-ins."""
    if is_nan:
        return math.nan
    largest = 1.7976931348623157e308
    return math.copysign(math.inf, value) if abs(value) == largest else value


def translate(content: Content, params: Mapping[str, str], tags: Mapping[str, str]) -> None:
    """Fill in what params and tags tell of a run."""
    content.params = {key: typed(value) for key, value in params.items()}
    content.name = tags.get("mlflow.runName") or content.name
    content.note = tags.get("mlflow.note.content", "")
    content.parent = tags.get("mlflow.parentRunId") or None
    content.user = tags.get("mlflow.user") or content.user
    program = tags.get("mlflow.source.name", "")
    if PurePosixPath(program).name not in _KERNELS:
        content.notebook = program
    git = {key.removeprefix(_GIT): text for key, text in tags.items() if key.startswith(_GIT)}
    if git.get("commit"):
        content.git = {
            "commit": git["commit"],
            "branch": git.get("branch") or None,
            "dirty": {"true": True, "false": False}.get(git.get("dirty", "").lower()),
            "remote": git.get("repoURL") or None,
        }
        content.patch = git.get("diff", "")
    content.tags = {key: text for key, text in tags.items() if not key.startswith(_PREFIX)}
    rest = {
        key: text
        for key, text in tags.items()
        if key.startswith(_PREFIX) and key not in _TOLD and not key.startswith(_GIT)
    }
    if rest:
        content.env["mlflow"] = rest
