"""Reading a run's folder: its document as people see it, whatever became of its owner."""

from __future__ import annotations

import calendar
import operator
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..jsonable import loads
from ..model import FORMAT, Document, is_run_id
from . import edits, limits, metriclog, os_calls, ownership
from .ownership import Owner

RUN = "run.json"
KINDS_OF_LINES = ("cells", "artifacts")
LOGS = "logs.txt"
_MAPPINGS = ("params", "summary", "tags", "env")
_LISTS = ("inputs", "outputs", "capture")
_MAX_DEPTH = 100
_TEXTS = ("name", "experiment", "series", "status", "kind", "user", "host", "note")
_PARTS = ("notebook", "cell", "git", "error")
_WITH_TYPE = {
    **dict.fromkeys(_MAPPINGS, dict),
    **dict.fromkeys(_LISTS, list),
    **dict.fromkeys(_TEXTS, str),
    "number": int,
    "started": float,
}
_typed = operator.itemgetter(*_WITH_TYPE)
_parts = operator.itemgetter(*_PARTS)
_TYPES = tuple(_WITH_TYPE.values())
_MAYBE = {dict, type(None)}
_NUMBERS = {int, float}


def place(store: Path, run_id: str) -> Path:
    """The folder of a run; the id must have been checked."""
    assert is_run_id(run_id), run_id
    return store / "runs" / run_id[:8] / run_id


def read_document(folder: Path) -> tuple[Document | None, Owner]:
    """The document with edits and derived status, and how its owner is; None where there is none.

    A document that cannot be read comes as a lost run whose ``error`` is of type ``Damaged``.
    """
    document, owner = read_unedited(folder)
    if document is None:
        return None, owner
    return edits.lay_over(document, edits.read(folder)), owner


def read_unedited(folder: Path) -> tuple[Document | None, Owner]:
    """What ``read_document`` gives, as the run's owner left it."""
    try:
        os_calls.check_folders(folder.parent, folder)
        data = os_calls.read_plain(folder / RUN, limits.DOCUMENT)
    except (FileNotFoundError, NotADirectoryError):
        return None, Owner.GONE
    except OSError as problem:
        return _damaged(folder.name, f"it is {problem.strerror}"), Owner.GONE
    try:
        told = loads(data)
        if data.count(b"{") + data.count(b"[") > _MAX_DEPTH:
            check_depth(told)
        document = _complete(told, folder.name)
    except (ValueError, TypeError, RecursionError) as problem:
        document = _damaged(folder.name, str(problem))
    try:
        owner = _derive(document, folder)
    except OSError:
        owner = Owner.GONE  # its points cannot be read; its document can
    return document, owner


def own_words(folder: Path) -> Document:
    """The document as its kernel wrote it; raises ``OSError`` or ``ValueError``."""
    document = loads(os_calls.read_plain(folder / RUN, limits.DOCUMENT))
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")
    return document


def is_damaged(document: Document) -> bool:
    """Whether the document stands for one that could not be read."""
    return bool(document["error"]) and document["error"].get("type") == "Damaged"


def _derive(document: Document, folder: Path) -> Owner:
    """Status ``lost`` and the summary of a run that nobody closed, from what its owner left."""
    owner = Owner.GONE
    if document["status"] == "running":
        owner, beat = ownership.look(folder)
        if owner is Owner.ALIVE:
            return owner
        # A pool ends its workers by a signal once it has their results.
        document["status"] = "finished" if document["kind"] == "worker" else "lost"
        document["ended"] = max(beat, document["started"])
        summary, last = metriclog.tally(folder)
        document["ended"] = max(document["ended"], last)
        document["summary"] = {**document["summary"], **summary}
    elif metriclog.count_records(folder) > _counted(document["summary"]):
        # Late points whose kernel died before it saved the document again.
        document["summary"] = {**document["summary"], **metriclog.tally(folder)[0]}
    return owner


def _counted(summary: dict[str, Any]) -> int:
    return sum(int(entry.get("count", 0)) for entry in summary.values())


def _complete(document: Any, run_id: str) -> Document:
    """The document with every field of format 1; raises ``ValueError`` where one is unusable."""
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")
    blank = _blank(run_id)
    whole = {**blank, **document, "id": run_id}
    for keys, kind in ((_MAPPINGS, dict), (_LISTS, list), (_TEXTS, str)):
        for key in keys:
            if not isinstance(whole[key], kind):
                raise ValueError(f"{key} is a {type(whole[key]).__name__}")
    for entry in whole["summary"].values():
        if not isinstance(entry, dict) or not all(_is_number(v) for v in entry.values()):
            raise ValueError("an entry of summary is not an object of numbers")
    for key in _PARTS:
        if not isinstance(whole[key], dict | None):
            raise ValueError(f"{key} is a {type(whole[key]).__name__}")
    if not _is_moment(whole["started"]):
        raise ValueError("started is not a time")
    if whole["ended"] is not None and not _is_moment(whole["ended"]):
        raise ValueError("ended is not a time")
    if not _is_number(whole["number"]) or isinstance(whole["number"], float):
        raise ValueError("number is not an integer")
    return whole


def is_sound(document: Document) -> bool:
    """Whether a complete document has the types that readers count on; a quick look, for many."""
    ended = document["ended"]
    return (
        tuple(map(type, _typed(document))) == _TYPES
        and _MAYBE.issuperset(map(type, _parts(document)))
        and all(map(_is_entry, document["summary"].values()))
        and _is_moment(document["started"])
        and (ended is None or _is_moment(ended))
    ) or _is_complete(document)


def _is_entry(entry: Any) -> bool:
    return type(entry) is dict and _NUMBERS.issuperset(map(type, entry.values()))


def _is_complete(document: Document) -> bool:
    try:
        return _complete(document, document["id"]).keys() == document.keys()
    except ValueError:
        return False


def _is_number(value: Any) -> bool:
    # An integer may be too large for a float, which every reader makes of it.
    whole = isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < 1000
    return whole or isinstance(value, float)


def _is_moment(value: Any) -> bool:
    # Calendars end with the year 9999.
    return _is_number(value) and -(2**35) < value < 2**37


def check_depth(document: Any) -> None:
    """Raise ``ValueError`` where a tree is too deep for those who walk it by recursion."""
    level = [document]
    for _ in range(_MAX_DEPTH):
        inner = [
            d.values() if isinstance(d, dict) else d for d in level if isinstance(d, dict | list)
        ]
        level = [child for children in inner for child in children]
        if not level:
            return
    raise ValueError(f"it is nested deeper than {_MAX_DEPTH} levels")


def _blank(run_id: str) -> Document:
    fields: Document = {"format": FORMAT, "id": run_id, "kind": "run", "name": run_id, "number": 1}
    fields.update(dict.fromkeys(("series", "experiment", "user", "host", "note"), ""))
    fields.update(status="lost", started=_moment(run_id))
    fields.update(dict.fromkeys(("ended", "parent", "notebook", "cell", "git", "error")))
    fields.update({key: {} for key in _MAPPINGS})
    fields.update({key: [] for key in _LISTS})
    return fields


def _moment(run_id: str) -> float:
    try:
        day, clock = run_id[:8], run_id[9:15]
        parts = (day[:4], day[4:6], day[6:], clock[:2], clock[2:4], clock[4:])
        return float(calendar.timegm(tuple(map(int, parts))))
    except ValueError:
        return 0.0


def _damaged(run_id: str, reason: str) -> Document:
    message = f"run.json cannot be read: {reason}"
    error = {"type": "Damaged", "message": message, "traceback": ""}
    return {**_blank(run_id), "error": error}


def read_lines(folder: Path, kind: str) -> list[dict[str, Any]]:
    """The lines of ``cells`` or ``artifacts``; a torn or damaged line is left out."""
    data = _read(folder, f"{kind}.jsonl", limits.LINES)
    records = []
    for line in data.split(b"\n"):
        try:
            record = loads(line) if line else None
        except ValueError:
            continue
        if isinstance(record, dict) and (kind != "artifacts" or _names_something(record)):
            records.append(record)
    return records


def _names_something(record: dict[str, Any]) -> bool:
    return isinstance(record.get("name"), str) and isinstance(record.get("size"), int)


def read_logs(folder: Path) -> str:
    """The console text; empty where there is none."""
    return _read(folder, LOGS, limits.LOGS).decode("utf-8", "replace")


def _read(folder: Path, name: str, limit: int) -> bytes:
    """A file of the run, empty where there is none; raises ``StoreError`` where it is no good."""
    try:
        return os_calls.read_plain(folder / name, limit)
    except FileNotFoundError:
        return b""
    except OSError as problem:
        what = f"{name} of run {folder.name}"
        raise StoreError(f"{what} cannot be read: it is {problem.strerror}") from problem
