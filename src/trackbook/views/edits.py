"""Edits as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .. import formats
from .columns import clock
from .text import printable

_SWITCHES = {
    "star": ("starred", "no longer starred"),
    "archived": ("archived", "no longer archived"),
    "deleted": ("moved to the trash", "brought back from the trash"),
}


def line(edit: Mapping[str, Any]) -> str:
    """What one edit of a store's ``edits`` changed: ``name 'forest' → 'tree', starred``."""
    said = printable(", ".join(_changes(edit["change"], edit["replaced"])) or "nothing")
    if edit["undoes"] or edit["redoes"]:
        return f"{'undo' if edit['undoes'] else 'redo'}: {said}"
    return f"{said} (undone)" if edit["undone"] else said


def summary(edits: Sequence[Mapping[str, Any]]) -> str:
    """``edited 3 times, last by ada, 2026-11-21 14:05``; empty without edits."""
    if not edits:
        return ""
    often = "once" if len(edits) == 1 else f"{len(edits)} times"
    who = f" by {edits[-1]['user']}" if edits[-1]["user"] else ""
    return printable(f"edited {often}, last{who}, {clock(edits[-1]['time'])}")


def _changes(change: Mapping[str, Any], replaced: Mapping[str, Any]) -> Iterator[str]:
    for key in ("name", "note", "status"):
        if key in change:
            yield f"{key} {formats.value(replaced[key], 40)!r} → {formats.value(change[key], 40)!r}"
    for key, (on, off) in _SWITCHES.items():
        if key in change:
            yield on if change[key] is True else off
    before = replaced.get("tags", {})
    tags = change.get("tags")
    for key, value in tags.items() if isinstance(tags, Mapping) else ():
        if value is None:
            yield f"tag {key} removed"
        else:
            shown = "" if value == "" else f"={formats.value(value, 40)}"
            was = before.get(key)
            yield f"tag {key}{shown}" + ("" if was in (None, value) else f" (was {was!s:.40})")
