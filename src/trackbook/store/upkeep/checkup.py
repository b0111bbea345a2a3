"""Whether one run's folder is as the format says; each problem comes with its cure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import StoreError
from ...jsonable import encode, loads
from ...model import FORMAT, Document
from .. import edits, folder, limits, metriclog, os_calls, ownership
from ..ownership import Owner
from ..tally import Tally
from . import layout, marks

_FROM_A_COPY = "move its folder away and `trackbook merge` a copy of the store; or rm and purge it"
_TO_CUT = "nothing is needed: readers leave it out"


@dataclass(frozen=True)
class Problem:
    """What is wrong, where, and what can be done."""

    where: str
    what: str
    cure: str


def of_run(place: Path, reach: marks.Reach) -> Iterator[Problem]:
    """The problems of a run that nobody writes; a running one is left to its owner."""
    if ownership.look(place)[0] is Owner.ALIVE:
        return
    document, _ = folder.read_document(place)
    if document is None:
        yield Problem(place.name, f"it has no {folder.RUN}", "move its folder away")
    elif folder.is_damaged(document):
        yield Problem(place.name, document["error"]["message"], _FROM_A_COPY)
    elif isinstance(document["format"], int) and document["format"] <= FORMAT:
        try:
            yield from _of_document(place, document)
            yield from _of_metrics(place, document)
        except OSError as problem:
            yield Problem(place.name, f"it cannot be read: {problem}", "look at its permissions")
        for kind in folder.KINDS_OF_LINES:
            yield from _of_lines(place / f"{kind}.jsonl")
        yield from _of_edits(place)
        yield from _of_blobs(place, reach)


def _of_document(place: Path, document: Document) -> Iterator[Problem]:
    told = folder.own_words(place).get("id")
    if told != place.name:
        what = f"its {folder.RUN} has the id {told!r:.60}"
        yield Problem(place.name, what, "give the folder the name of its id, or move it away")


def _of_metrics(place: Path, document: Document) -> Iterator[Problem]:
    ended = folder.own_words(place).get("status") != "running"
    names = metriclog.read_names(place)
    counted = Tally()
    counted.add(metriclog.read_records(place))
    lost = [n for n in counted.numbers() if n >= len(names) or names[n] is None]
    if lost:
        what = f"{metriclog.KEYS} has no name for key {lost[0]}, so its points are not shown"
        yield Problem(place.name, what, _FROM_A_COPY)
    if not ended:
        return
    summary = counted.summary(names)
    different = sorted(
        key
        for key in summary.keys() | document["summary"].keys()
        if encode(summary.get(key)) != encode(document["summary"].get(key))
    )
    if different:
        what = f"its summary of {different[0]!r:.60} is not what {metriclog.BIN} has"
        yield Problem(place.name, what, _FROM_A_COPY)
    if _size(place / metriclog.BIN) % metriclog.SIZE:
        yield Problem(place.name, f"{metriclog.BIN} ends in a torn record", _TO_CUT)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _of_lines(path: Path) -> Iterator[Problem]:
    run_id = path.parent.name
    try:
        lines = os_calls.read_plain(path, limits.LINES).split(b"\n")
    except FileNotFoundError:
        return
    except OSError as problem:
        yield Problem(run_id, f"{path.name} cannot be read: {problem.strerror}", _FROM_A_COPY)
        return
    if lines.pop():
        yield Problem(run_id, f"{path.name} ends in a torn line", _TO_CUT)
    for number, line in enumerate(lines, 1):
        if line and not isinstance(_parsed(line), dict):
            yield Problem(run_id, f"line {number} of {path.name} is damaged", _FROM_A_COPY)
            return


def _of_edits(place: Path) -> Iterator[Problem]:
    for entry in layout.entries(place / edits.FOLDER):
        if entry.name.endswith(".tmp"):
            continue
        try:
            content = _parsed(os_calls.read_plain(Path(entry.path), limits.EDIT))
        except OSError:
            content = None
        if not edits.is_edit(entry.name, content):
            what = f"{edits.FOLDER}/{entry.name:.60} is no readable edit, so it does not count"
            yield Problem(place.name, what, "repeat the edit, then remove the file")


def _of_blobs(place: Path, reach: marks.Reach) -> Iterator[Problem]:
    try:
        for name in sorted(reach.missing(marks.of_run(place))):
            cure = "`trackbook merge` a store that has it; or rm and purge the run"
            yield Problem(place.name, f"it needs blob {name}, which is missing", cure)
    except StoreError as problem:
        # What stands in the run's own files was told already.
        if "damaged line" not in str(problem):
            yield Problem(place.name, str(problem), _FROM_A_COPY)


def _parsed(data: bytes) -> Any:
    try:
        return loads(data)
    except ValueError:
        return None
