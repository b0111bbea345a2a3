"""Reading a run's folder: its document as people see it, whatever became of its owner."""

from __future__ import annotations

from json import JSONDecodeError
from pathlib import Path
from typing import Any

from .. import grading
from ..errors import StoreError
from ..jsonable import loads
from ..model import Document, is_run_id
from . import edits, limits, metriclog, os_calls, ownership, shape
from .ownership import Owner

RUN = "run.json"
KINDS_OF_LINES = ("cells", "artifacts")
LOGS = "logs.txt"


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
    return grading.graded(edits.lay_over(document, edits.read(folder))), owner


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
        if data.count(b"{") + data.count(b"[") > shape.DEPTH:
            shape.check_depth(told)
        document = shape.complete(told, folder.name)
    except JSONDecodeError as problem:
        document = _damaged(folder.name, f"it is no whole JSON ({problem})")
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
        document["ended"] = max(filter(shape.is_moment, (document["started"], beat)))
        summary, last = metriclog.tally(folder)
        document["ended"] = max(filter(shape.is_moment, (document["ended"], last)))
        document["summary"] = {**document["summary"], **summary}
    elif metriclog.count_records(folder) > _counted(document["summary"]):
        # Late points whose kernel died before it saved the document again.
        document["summary"] = {**document["summary"], **metriclog.tally(folder)[0]}
    return owner


def _counted(summary: dict[str, Any]) -> int:
    counts = (entry.get("count") for entry in summary.values())
    return sum(count for count in counts if isinstance(count, int))


def _damaged(run_id: str, reason: str) -> Document:
    message = f"run.json cannot be read: {reason}"
    error = {"type": "Damaged", "message": message, "traceback": ""}
    return {**shape.blank(run_id), "error": error}


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
