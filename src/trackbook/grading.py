"""How likely a run's notebook gives its numbers again, told before any replay: a grade A to F.

It looks at the document alone: at what its kernel noted of the session, at commit and inputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LETTERS = "ABCDEF"


@dataclass(frozen=True, slots=True)
class Reason:
    """What speaks against a run, and what to do about it."""

    text: str
    cure: str

    def __str__(self) -> str:
        return f"{self.text}: {self.cure}"


@dataclass(frozen=True, slots=True, repr=False)
class Grade:
    """A to F; each reason costs a letter."""

    letter: str
    reasons: tuple[Reason, ...]

    def explain(self) -> str:
        """The letter and each reason with its cure."""
        return "\n  ".join([self.letter, *map(str, self.reasons)])

    def __str__(self) -> str:
        return self.letter

    def __repr__(self) -> str:
        return self.explain()

    def plain(self) -> dict[str, Any]:
        """The grade as data."""
        told = [{"text": reason.text, "cure": reason.cure} for reason in self.reasons]
        return {"letter": self.letter, "reasons": told}


def grade(document: Mapping[str, Any]) -> Grade | None:
    """The grade of a run; None while it is running, and for one that no notebook made."""
    session = document.get("session")
    if not isinstance(session, Mapping) or document["status"] == "running":
        return None
    reasons = (*_of_session(session), *_of_code(document), *_of_data(document))
    return Grade(LETTERS[min(len(reasons), len(LETTERS) - 1)], reasons)


def graded(document: dict[str, Any]) -> dict[str, Any]:
    """The document with its grade, by which runs are sorted and found."""
    found = grade(document)
    return document if found is None else {**document, "grade": found.letter}


def _of_session(session: Mapping[str, Any]) -> Iterator[Reason]:
    if session.get("disorder"):
        yield Reason(
            "cells ran in another order than they stand",
            "Restart and Run All before the run that counts",
        )
    for what in ("edited", "deleted"):
        count = session.get(what)
        if isinstance(count, int) and count > 0:
            cells = "1 cell was" if count == 1 else f"{count} cells were"
            yield Reason(f"{cells} {what} since running", "run the notebook as it stands")
    if session.get("unseeded"):
        yield Reason(
            "random numbers were drawn without a seed",
            "seed the generators, or give random_state=",
        )
    flags = session.get("flags")
    if isinstance(flags, list) and flags:
        shown = ", ".join(map(str, flags[:4]))
        yield Reason(f"what no log can follow: {shown}", "say it in plain code where you can")


def _of_code(document: Mapping[str, Any]) -> Iterator[Reason]:
    git = document.get("git")
    if not isinstance(git, Mapping):
        yield Reason("no commit: the files are in no git repository", "git init, then commit")
    elif git.get("dirty"):
        if git.get("patch") and git.get("patch_exact"):
            yield Reason("files were changed since the commit", "commit them")
        else:
            yield Reason("files were changed, and the patch has not all of it", "commit them")
    hidden = any(
        entry.get("what") in ("source", "modules") and entry.get("state") == "redacted"
        for entry in document.get("capture") or ()
        if isinstance(entry, Mapping)
    )
    if hidden:
        yield Reason("a secret stands in the code", "read it from the environment")


def _of_data(document: Mapping[str, Any]) -> Iterator[Reason]:
    session = document.get("session") or {}
    unhashed = session.get("unhashed")
    if isinstance(unhashed, int) and unhashed > 0:
        files = "1 input" if unhashed == 1 else f"{unhashed} inputs"
        yield Reason(f"the content of {files} is not known", "tb.log_input(path) hashes it")
