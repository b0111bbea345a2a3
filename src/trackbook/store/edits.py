"""What is changed about a run after the fact: one small file an edit, laid over ``run.json``.

People change names, notes, tags and switches; the Jupyter server adds how a kernel died.
"""

from __future__ import annotations

import getpass
import os
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .. import redact
from ..errors import InvalidValue
from ..jsonable import dumps, loads, to_plain
from ..model import Document
from . import os_calls

FOLDER = "edits"
_NAME = re.compile(r"(\d{1,20})-[0-9a-z]+\.json")
_WORDS = ("name", "note")
_SWITCHES = ("star", "archived", "deleted")
_RECORDS = ("death",)
_ALLOWED = (*_WORDS, *_SWITCHES, *_RECORDS, "tags")


def checked(change: Mapping[str, Any]) -> dict[str, Any]:
    """The change as plain data without secrets; raises ``InvalidValue`` where it is not allowed."""
    if not isinstance(change, Mapping):
        raise InvalidValue(f"an edit is a mapping, not a {type(change).__name__}")
    for key, value in change.items():
        if key not in _ALLOWED:
            raise InvalidValue(f"{key!r} cannot be edited; {', '.join(_ALLOWED)} can")
        if key in _WORDS and not isinstance(value, str):
            raise InvalidValue(f"{key} is a text, not a {type(value).__name__}")
        if key in _SWITCHES and not isinstance(value, bool):
            raise InvalidValue(f"{key} is true or false, not {value!r:.40}")
        if key in _RECORDS and not isinstance(value, Mapping):
            raise InvalidValue(f"{key} is a mapping, not a {type(value).__name__}")
    if "name" in change and not change["name"].strip():
        raise InvalidValue("a run's name is not empty")
    tags = change.get("tags", {})
    if not isinstance(tags, Mapping) or not all(isinstance(k, str) and k for k in tags):
        raise InvalidValue("tags is a mapping of names to values (None removes a tag)")
    clean, _ = redact.tree(to_plain(dict(change), "an edit"))
    return dict(clean)


def write(folder: Path, change: Mapping[str, Any]) -> None:
    """Add a checked edit to a run's folder, after those already there."""
    edits = folder / FOLDER
    edits.mkdir(exist_ok=True)
    # Whatever the clocks of several machines say, this edit comes after those it could know.
    last = max((moment for moment, _ in _listed(edits)), default=0)
    moment = max(time.time_ns() // 1000, last + 1)
    record = {"time": time.time(), "user": _user(), "change": change}
    os_calls.create(edits / f"{moment:016d}-{os.urandom(5).hex()}.json", dumps(record))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _listed(edits: Path) -> list[tuple[int, str]]:
    try:
        names = [path.name for path in edits.iterdir()]
    except OSError:
        return []
    found = [(int(m[1]), name) for name in names if (m := _NAME.fullmatch(name))]
    return sorted(found)


def read(folder: Path) -> list[dict[str, Any]]:
    """The changes of a run in their order; files that cannot be read are left out."""
    changes = []
    for _, name in _listed(folder / FOLDER):
        try:
            change = loads((folder / FOLDER / name).read_bytes())["change"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if isinstance(change, dict):
            changes.append(change)
    return changes


def is_edit(name: str, content: Any) -> bool:
    """Whether a file of this name with this content counts as an edit."""
    there = isinstance(content, dict) and isinstance(content.get("change"), dict)
    return there and _NAME.fullmatch(name) is not None


def lay_over(document: Document, changes: Iterable[Mapping[str, Any]]) -> Document:
    """The document with the changes; the one given is not touched."""
    laid = dict(document)
    for change in changes:
        for keys, kind in ((_WORDS, str), (_SWITCHES, bool), (_RECORDS, dict)):
            laid.update((k, change[k]) for k in keys if isinstance(change.get(k), kind))
        tags = change.get("tags")
        if isinstance(tags, dict):
            merged = {**laid["tags"], **tags}
            laid["tags"] = {k: v for k, v in merged.items() if k not in tags or v is not None}
    return laid
