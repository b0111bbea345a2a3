"""What readers may count on in a document: the types of its fields, and no depth without end."""

from __future__ import annotations

import calendar
import operator
from collections.abc import Sequence
from itertools import chain
from typing import Any

from ..model import FORMAT, Document

DEPTH = 100
_MAPPINGS = ("params", "summary", "tags", "env")
_LISTS = ("inputs", "outputs", "capture")
_TEXTS = ("name", "experiment", "series", "status", "kind", "user", "host", "note")
_WITH_TYPE = {
    **dict.fromkeys(_MAPPINGS, dict),
    **dict.fromkeys(_LISTS, list),
    **dict.fromkeys(_TEXTS, str),
    "number": int,
    "started": float,
}
_typed = operator.itemgetter(*_WITH_TYPE)
_TYPES = tuple(_WITH_TYPE.values())
_NUMBERS = {int, float}
_WORD = (str, type(None))
_ERROR = {"type": "", "message": "", "traceback": ""}
# Fields that may be missing or null, and what is in them where they are not.
_INSIDE: dict[str, Any] = {
    "parent": str,
    "headline": str,
    "notebook": {"path": _WORD, "snapshot": _WORD},
    "cell": {"id": _WORD, "source": _WORD},
    "git": {"commit": _WORD, "branch": _WORD, "remote": _WORD, "patch": _WORD},
    "error": {"type": str, "message": str, "traceback": str},
    "changed": {"previous": _WORD, "params": dict, "code": int, "headline": (dict, type(None))},
}
_ITEMS = {
    "capture": {"what": str, "state": str, "reason": _WORD},
    "inputs": {"name": _WORD, "hash": _WORD},
    "outputs": {},
    "late": {"key": _WORD, "cell": _WORD},
    "param_history": {"key": str},
}


def complete(document: Any, run_id: str) -> Document:
    """The document with every field of format 1; raises ``ValueError`` where one is unusable."""
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")
    whole = {**blank(run_id), **document, "id": run_id}
    for keys, kind in ((_MAPPINGS, dict), (_LISTS, list), (_TEXTS, str)):
        for key in keys:
            _check(whole[key], kind, key)
    for entry in whole["summary"].values():
        told = isinstance(entry, dict) and "last" in entry
        if not (told and all(_is_number(v) for v in entry.values())):
            raise ValueError("an entry of summary is not an object of numbers")
    if not is_moment(whole["started"]):
        raise ValueError("started is not a time")
    if whole["ended"] is not None and not is_moment(whole["ended"]):
        raise ValueError("ended is not a time")
    number = whole["number"]
    if not _is_number(number) or isinstance(number, float) or abs(number) >= 2**53:
        raise ValueError("number is not a count")
    if isinstance(whole["error"], dict):
        whole["error"] = {**_ERROR, **whole["error"]}
    _check_inside(whole)
    return whole


def _check_inside(document: Document) -> None:
    for key, fields in _INSIDE.items():
        if document.get(key) is not None:
            _check(document[key], fields, key)
    headline = (document.get("changed") or {}).get("headline")
    if headline is not None:
        numbers = [headline.get(key, 0) for key in ("value", "previous", "delta")]
        if not isinstance(headline.get("key"), str) or not all(map(_is_number, numbers)):
            raise ValueError("changed.headline is not a change of a number")
    for key, fields in _ITEMS.items():
        items = document.get(key, ())
        if type(items) not in (list, tuple):
            raise ValueError(f"{key} is a {type(items).__name__}")
        for item in items:
            _check(item, fields, key)
    _check_texts(document.get("autologged", ()))


def _check(value: Any, wanted: Any, what: str) -> None:
    if not isinstance(wanted, dict):
        if not isinstance(value, wanted):
            raise ValueError(f"{what} is a {type(value).__name__}")
        return
    if not isinstance(value, dict):
        raise ValueError(f"{what} is a {type(value).__name__}")
    for key, kind in wanted.items():
        if key in value and not isinstance(value[key], kind):
            raise ValueError(f"{what}.{key} is a {type(value[key]).__name__}")


def _check_texts(items: Any) -> None:
    if type(items) not in (list, tuple) or not {str}.issuperset(map(type, items)):
        raise ValueError("autologged is not a list of names")


def is_sound(document: Document) -> bool:
    """Whether a complete document has what readers count on; a quick look, for many of them."""
    ended = document["ended"]
    if not (
        tuple(map(type, _typed(document))) == _TYPES
        and all(map(_is_entry, document["summary"].values()))
        and is_moment(document["started"])
        and abs(document["number"]) < 2**53
        and (ended is None or is_moment(ended))
    ):
        try:
            return complete(document, document["id"]).keys() == document.keys()
        except ValueError:
            return False
    try:
        _check_inside(document)
    except ValueError:
        return False
    return document["error"] is None or document["error"].keys() >= _ERROR.keys()


def all_sound(documents: Sequence[Document]) -> bool:
    """Whether ``is_sound`` is true of each; for ordinary documents in a fraction of the time."""
    plain = len(blank(""))
    special = [d for d in documents if len(d) > plain or _has_more(d)]
    try:
        ordinary = _have_types(documents) and _have_insides(documents)
    except (KeyError, TypeError, AttributeError, ValueError):
        ordinary = False
    return all(map(is_sound, special if ordinary else documents))


def _has_more(document: Document) -> bool:
    items = document.get("capture") or document.get("inputs") or document.get("outputs")
    return bool(items) or document.get("error") is not None


def _have_types(documents: Sequence[Document]) -> bool:
    fields = dict(zip(_WITH_TYPE, zip(*map(_typed, documents), strict=True), strict=True))
    entries = list(chain.from_iterable(map(dict.values, fields["summary"])))
    ended = [d["ended"] for d in documents if d["ended"] is not None]
    return (
        all({kind}.issuperset(map(type, fields[key])) for key, kind in _WITH_TYPE.items())
        and {float}.issuperset(map(type, ended))
        and all(-(2**35) < moment < 2**37 for moment in chain(fields["started"], ended))
        and max(map(abs, fields["number"])) < 2**53
        and {dict}.issuperset(map(type, entries))
        and all("last" in entry for entry in entries)
        and _NUMBERS.issuperset(map(type, chain.from_iterable(map(dict.values, entries))))
    )


def _have_insides(documents: Sequence[Document]) -> bool:
    """Of what most documents have; the rest is looked at with ``is_sound``."""
    for key in ("notebook", "cell", "git"):
        there = [d[key] for d in documents if d[key] is not None]
        if not {dict}.issuperset(map(type, there)):
            return False
        for field in _INSIDE[key]:
            if not {str, type(None)}.issuperset(type(inner.get(field)) for inner in there):
                return False
    return {str, type(None)}.issuperset(type(d["parent"]) for d in documents)


def _is_entry(entry: Any) -> bool:
    known = type(entry) is dict and "last" in entry
    return known and _NUMBERS.issuperset(map(type, entry.values()))


def _is_number(value: Any) -> bool:
    # An integer may be too large for a float, which every reader makes of it.
    whole = isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < 1000
    return whole or isinstance(value, float)


_LAST_MOMENT = 253_402_300_800.0


def is_moment(value: Any) -> bool:
    """Whether a value is a time in seconds, from the year 881 to the end of 9999, as calendars."""
    return _is_number(value) and -(2**35) < value < _LAST_MOMENT


def check_depth(document: Any) -> None:
    """Raise ``ValueError`` where a tree is too deep for those who walk it by recursion."""
    level = [document]
    for _ in range(DEPTH):
        inner = [
            d.values() if isinstance(d, dict) else d for d in level if isinstance(d, dict | list)
        ]
        level = [child for children in inner for child in children]
        if not level:
            return
    raise ValueError(f"it is nested deeper than {DEPTH} levels")


def blank(run_id: str) -> Document:
    """What a document is as long as it says nothing else."""
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
