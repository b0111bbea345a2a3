"""What is changed about a run after the fact: one small file an edit, laid over ``run.json``.

People change names, notes, tags and switches; the Jupyter server adds how a kernel died, a replay
its verdict.
"""

from __future__ import annotations

import getpass
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import redact
from ..errors import InvalidValue, StoreError
from ..jsonable import dumps, loads, to_plain
from ..model import Document
from . import limits, os_calls

FOLDER = "edits"
_NAME = re.compile(r"(\d{1,20})-[0-9a-z]+\.json")
_WORDS = ("name", "note")
_SWITCHES = ("star", "archived", "deleted")
_RECORDS = ("death", "verdict")
_ALLOWED = (*_WORDS, *_SWITCHES, *_RECORDS, "replay", "status", "tags")
# What a replay found out is nobody's edit to undo.
_FINDINGS = frozenset({"replay", "verdict"})
_ENDINGS = ("finished", "failed", "interrupted")


def checked(change: Mapping[str, Any]) -> dict[str, Any]:
    """The change as plain data without secrets; raises ``InvalidValue`` where it is not allowed."""
    if not isinstance(change, Mapping):
        raise InvalidValue(f"an edit is a mapping, not a {type(change).__name__}")
    for key, value in change.items():
        if key not in _ALLOWED:
            raise InvalidValue(f"{key!r} cannot be edited; {', '.join(_ALLOWED)} can")
        if key in (*_WORDS, "replay") and not isinstance(value, str):
            raise InvalidValue(f"{key} is a text, not a {type(value).__name__}")
        if key in _SWITCHES and not isinstance(value, bool):
            raise InvalidValue(f"{key} is true or false, not {value!r:.40}")
        if key in _RECORDS and not isinstance(value, Mapping):
            raise InvalidValue(f"{key} is a mapping, not a {type(value).__name__}")
    if change.get("status", "failed") not in _ENDINGS:
        raise InvalidValue(f"a run ends as {', '.join(_ENDINGS)}, not {change['status']!r:.40}")
    if "name" in change and not change["name"].strip():
        raise InvalidValue("a run's name is not empty")
    tags = change.get("tags", {})
    if not isinstance(tags, Mapping) or not all(isinstance(k, str) and k for k in tags):
        raise InvalidValue("tags is a mapping of names to values (None removes a tag)")
    clean, _ = redact.tree(to_plain(dict(change), "an edit"))
    return dict(clean)


def check_damaged(document: Document, change: Mapping[str, Any]) -> None:
    """Raise ``StoreError`` where a change is for a run that cannot be read, unless it goes away."""
    error = document["error"] or {}
    if error.get("type") == "Damaged" and not change.keys() <= {"archived", "deleted"}:
        raise StoreError(
            f"run {document['id']} is damaged ({error['message']:.200}): it can be archived or "
            "deleted, not edited"
        )


def closing(document: Document, change: Mapping[str, Any]) -> dict[str, Any]:
    """The change, which may end a run that is lost; raises ``InvalidValue`` for any other run.

    It counts for this loss alone: a run that is resumed and lost again is lost.
    """
    if "status" not in change:
        return dict(change)
    if document["status"] != "lost":
        raise InvalidValue(
            f"run {document['id']} is {document['status']}; only a lost run can be closed"
        )
    return {**change, "ended": document["ended"]}


def record(change: Mapping[str, Any], **mark: str) -> dict[str, Any]:
    """An edit as it is kept: who, when, what; ``undoes`` or ``redoes`` names another edit."""
    return {"time": time.time(), "user": _user(), "change": dict(change), **mark}


def write(folder: Path, made: Mapping[str, Any]) -> None:
    """Add a ``record`` to a run's folder, after those already there."""
    edits = folder / FOLDER
    edits.mkdir(exist_ok=True)
    os_calls.check_folders(folder.parent, folder, edits)
    # Whatever the clocks of several machines say, this edit comes after those it could know.
    last = max((moment for moment, _ in _listed(edits)), default=0)
    moment = max(time.time_ns() // 1000, last + 1)
    os_calls.create(edits / f"{moment:016d}-{os.urandom(5).hex()}.json", dumps(made))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _listed(edits: Path) -> list[tuple[int, str]]:
    try:
        os_calls.check_folders(edits)
        names = [path.name for path in edits.iterdir()]
    except OSError:
        return []
    found = [(int(m[1]), name) for name in names if (m := _NAME.fullmatch(name))]
    return sorted(found)


def records(folder: Path) -> list[dict[str, Any]]:
    """The edits of a run in their order, each with its ``id``; unreadable ones are left out."""
    found = []
    for _, name in _listed(folder / FOLDER):
        try:
            content = loads(os_calls.read_plain(folder / FOLDER / name, limits.EDIT))
        except (OSError, ValueError, TypeError, RecursionError):
            continue
        if is_edit(name, content):
            found.append({**content, "id": name.removesuffix(".json")})
    return found


def read(folder: Path) -> list[dict[str, Any]]:
    """The changes of a run that count, in their order."""
    return counting(records(folder))


def is_edit(name: str, content: Any) -> bool:
    """Whether a file of this name with this content counts as an edit."""
    there = isinstance(content, dict) and isinstance(content.get("change"), dict)
    return there and _NAME.fullmatch(name) is not None


def lay_over(document: Document, changes: Iterable[Mapping[str, Any]]) -> Document:
    """The document with the changes; the one given is not touched."""
    laid = dict(document)
    for change in changes:
        for keys, kind in (((*_WORDS, "replay"), str), (_SWITCHES, bool), (_RECORDS, dict)):
            laid.update((k, change[k]) for k in keys if isinstance(change.get(k), kind))
        if _closes(document, change):
            laid["status"] = change["status"]
        tags = change.get("tags")
        if isinstance(tags, dict):
            merged = {**laid["tags"], **tags}
            laid["tags"] = {k: v for k, v in merged.items() if k not in tags or v is not None}
    return laid


def _closes(document: Document, change: Mapping[str, Any]) -> bool:
    ended = document["ended"] if document["status"] == "lost" else None
    return ended is not None and change.get("ended") == ended and change.get("status") in _ENDINGS


# -- undoing ---------------------------------------------------------------------------------------


def counting(made: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The changes that count: those that are not undone, at their own place in the order.

    An undo is no change of its own, so an edit that another person makes meanwhile stays.
    """
    without = _undone(made)
    return [entry["change"] for entry in made if not _aim(entry) and entry["id"] not in without]


def _is_finding(entry: Mapping[str, Any]) -> bool:
    return bool(entry["change"]) and entry["change"].keys() <= _FINDINGS


def _aim(entry: Mapping[str, Any]) -> str | None:
    """The edit that an undo or redo is about; None for an edit of a person."""
    for word in ("undoes", "redoes"):
        if isinstance(entry.get(word), str):
            return str(entry[word])
    return None


def _undone(made: Iterable[Mapping[str, Any]]) -> set[str]:
    found: set[str] = set()
    for entry in made:
        if aim := _aim(entry):
            (found.add if "undoes" in entry else found.discard)(aim)
    return found


def undoing(
    document: Document, made: Sequence[Mapping[str, Any]], edit: str | None
) -> dict[str, Any]:
    """The record that undoes an edit, by default the last that counts; of an undo, that redoes it.

    ``document`` is the run without edits. Raises ``InvalidValue`` where there is nothing to undo.
    """
    known = {entry["id"]: entry for entry in made}
    without = _undone(made)
    if edit is None:
        plain = [entry for entry in made if not _aim(entry) and not _is_finding(entry)]
        left = [entry["id"] for entry in plain if entry["id"] not in without]
        if not left:
            raise InvalidValue("there is no edit to undo")
        edit = left[-1]
    word = "redoes" if "undoes" in known.get(edit, ()) else "undoes"
    aim = (_aim(known[edit]) if edit in known else None) or edit
    if aim not in known:
        raise InvalidValue(f"the run has no edit {aim!r:.60}")
    if (aim in without) is (word == "undoes"):
        raise InvalidValue(f"edit {edit} is {'undone' if word == 'undoes' else 'redone'} already")
    change = known[aim]["change"]
    after = lay_over(document, counting([*made, {"id": "", word: aim, "change": {}}]))
    # For readers that lay one change over the other and know nothing of an undo.
    return record(_values(after, change), **{word: aim})


def history(document: Document, made: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every edit by people in order: ``id, time, user, change, replaced, undoes, redoes, undone``.

    ``document`` is the run without edits. ``replaced`` has the values that were there before.
    """
    known = {entry["id"]: entry for entry in made}
    without = _undone(made)
    lines, before = [], document
    for index, entry in enumerate(made):
        aim = _aim(entry)
        change = known.get(aim, entry)["change"] if aim else entry["change"]
        if aim:
            after = lay_over(document, counting(made[: index + 1]))
        else:
            after = lay_over(before, [change])
        if _is_finding(entry):
            before = after
            continue
        lines.append(
            {
                "id": entry["id"],
                "time": _seconds(entry.get("time")),
                "user": str(entry.get("user") or ""),
                "change": _values(after, change) if aim else change,
                "replaced": _values(before, change),
                "undoes": aim if "undoes" in entry else None,
                "redoes": aim if "undoes" not in entry else None,
                "undone": entry["id"] in without,
            }
        )
        before = after
    return lines


def redoable(lines: Sequence[Mapping[str, Any]]) -> str | None:
    """The undo of a ``history`` that a redo takes back; None after a new edit, or without any."""
    undone = {line["id"] for line in lines if line["undone"]}
    for line in reversed(lines):
        if not line["undoes"] and not line["redoes"]:
            return None
        if line["undoes"] in undone:
            return str(line["id"])
    return None


def _values(document: Document, change: Mapping[str, Any]) -> dict[str, Any]:
    """What a document has in the fields of a change; None for a tag that it has not."""
    found: dict[str, Any] = {key: document[key] for key in _WORDS if key in change}
    found.update((key, bool(document.get(key))) for key in _SWITCHES if key in change)
    found.update((key, document[key]) for key in ("status", "ended") if key in change)
    tags = change.get("tags")
    if isinstance(tags, Mapping):
        found["tags"] = {key: document["tags"].get(key) for key in tags}
    return found


def _seconds(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value < 2**33 else 0.0
