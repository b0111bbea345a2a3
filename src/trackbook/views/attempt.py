"""The one line beneath a tracked cell: name and attempt, time, headline metric, what changed."""

from __future__ import annotations

import html
from typing import Any

from .. import formats
from ..model import Document

_MOST = 4
_GOOD, _BAD, _QUIET = "#1a7f37", "#b35900", "0.65"


def line_text(document: Document) -> str:
    """The line as text: ``forest #2 · 0.42 s · acc 0.9532 (+0.012) · max_depth 5 → 7``."""
    return " · ".join(part for part, _ in _parts(document))


def line_html(document: Document) -> str:
    """The line as HTML, readable on light and dark; everything from the run is escaped."""
    spans = []
    for text, style in _parts(document):
        spans.append(f'<span style="{style}">{html.escape(text)}</span>')
    dot = '<span style="opacity:0.4"> · </span>'
    return (
        '<div class="tb-attempt" style="font-size:90%;line-height:1.6;padding:2px 0">'
        f"{dot.join(spans)}</div>"
    )


def changed(document: Document) -> list[str]:
    """What differs from the attempt before, one text each: ``max_depth 5 → 7``, ``cell edited``."""
    change = document.get("changed") or {}
    return [*_params(change), *_code(change)]


def _parts(document: Document) -> list[tuple[str, str]]:
    change = document.get("changed") or {}
    parts = [(f"{document['name']} #{document['number']}", "font-weight:600")]
    if document["status"] in ("failed", "interrupted"):
        parts.append((_ending(document), f"color:{_BAD};font-weight:600"))
    ended = document["ended"] or document["started"]
    parts.append((formats.duration(ended - document["started"]), f"opacity:{_QUIET}"))
    parts += _headline(document, change.get("headline"), change.get("best"))
    parts += [(text, "font-family:monospace;font-size:95%") for text in _params(change)]
    parts += [(text, f"opacity:{_QUIET}") for text in _code(change)]
    return parts


def _ending(document: Document) -> str:
    error = document["error"]
    if document["status"] == "interrupted" or not error:
        return str(document["status"])
    message = formats.value(error["message"], 80)
    return f"failed: {error['type']}" + (f": {message}" if message else "")


def _headline(
    document: Document, change: dict[str, Any] | None, best: dict[str, Any] | None
) -> list[tuple[str, str]]:
    key = document.get("headline") or formats.headline(document["summary"])
    if key is None or key not in document["summary"]:
        return []
    value = formats.number(document["summary"][key]["last"])
    parts = [(f"{key} {value}", "font-weight:600")]
    if change is not None and change["key"] == key:
        text = formats.delta(change["value"], change["previous"])
        # The second attempt has one to compare with alone.
        if best is not None and best["key"] == key and document["number"] > 2:
            text += _against(best, change)
        sign = formats.direction(key) * change["delta"]
        colour = _GOOD if sign > 0 else _BAD if sign < 0 else "inherit"
        parts[0] = (f"{parts[0][0]} ({text})", f"font-weight:600;color:{colour}")
    return parts


def _against(best: dict[str, Any], change: dict[str, Any]) -> str:
    value, sign = change["value"], formats.direction(best["key"])
    if sign * value > sign * best["value"]:
        return ", the best so far"
    if best["value"] == change["previous"]:
        return ""
    return f", {formats.delta(value, best['value'])} to the best #{best['number']}"


def _params(changed: dict[str, Any]) -> list[str]:
    params = changed.get("params") or {}
    shown = [_param(key, *pair) for key, pair in list(params.items())[:_MOST]]
    if len(params) > _MOST:
        shown.append(f"{len(params) - _MOST} more changed")
    return shown


def _code(changed: dict[str, Any]) -> list[str]:
    if lines := changed.get("code"):
        return [f"cell edited ({lines} line{'s' * (lines > 1)})"]
    return ["same code and params"] if changed and not changed.get("params") else []


def _param(key: str, old: Any, new: Any) -> str:
    if old is None:
        return f"{key} = {formats.value(new, 30)}"
    if new is None:
        return f"{key} gone"
    return f"{key} {formats.value(old, 30)} → {formats.value(new, 30)}"
