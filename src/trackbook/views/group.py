"""Runs that one cell made in a loop: a line that keeps up with them, their table folded away."""

from __future__ import annotations

import html as markup
from collections.abc import Sequence

from .. import formats
from ..model import Document, flatten
from . import columns, html

_MOST_PARAMS = 3


def group_text(documents: Sequence[Document], *, over: bool) -> str:
    """The line as text: ``12 runs · best acc 0.9532 (depth=7) · last 0.91 · 38 s``."""
    return " · ".join(_parts(documents, over))


def group_html(documents: Sequence[Document], *, over: bool) -> str:
    """The line as HTML; once the loop is over it opens to the table of its runs."""
    line = '<span style="opacity:0.4"> · </span>'.join(
        f'<span style="{"font-weight:600" if index < 2 else "opacity:0.65"}">'
        f"{markup.escape(part)}</span>"
        for index, part in enumerate(_parts(documents, over))
    )
    style = "font-size:90%;line-height:1.6;padding:2px 0"
    if not over:
        return f'<div class="tb-group" style="{style}">{line}</div>'
    newest = sorted(documents, key=lambda document: document["started"], reverse=True)
    return (
        f'<details class="tb-group" style="{style}"><summary style="cursor:pointer">{line}'
        f"</summary>{html.table_html(columns.table(newest))}</details>"
    )


def _parts(documents: Sequence[Document], over: bool) -> list[str]:
    names = {document["name"] for document in documents}
    what = f"{len(documents)} {names.pop()} runs" if len(names) == 1 else f"{len(documents)} runs"
    parts = [what if over else f"{what} so far"]
    failed = sum(document["status"] in ("failed", "interrupted") for document in documents)
    if key := _headline(documents):
        parts += _best(documents, key)
    if failed:
        parts.append(f"{failed} failed")
    began = min(document["started"] for document in documents)
    ended = max(document["ended"] or document["started"] for document in documents)
    return [*parts, formats.duration(ended - began)]


def _headline(documents: Sequence[Document]) -> str | None:
    named = next((d["headline"] for d in documents if d.get("headline")), None)
    keys = {key: None for document in documents for key in document["summary"]}
    return named or formats.headline(keys)


def _best(documents: Sequence[Document], key: str) -> list[str]:
    """The best value with the params that tell it from the others, then the last value."""
    values = [(d["summary"][key]["last"], d) for d in documents if key in d["summary"]]
    finite = [(value, document) for value, document in values if value == value]
    if not finite:
        return []
    last = f"last {formats.number(values[-1][0])}"
    direction = formats.direction(key)
    if direction == 0:
        return [f"{key} {formats.number(values[-1][0])}"]
    value, best = max(finite, key=lambda pair: direction * pair[0])
    differing = columns.varying([flatten(document["params"]) for document in documents])
    params = flatten(best["params"])
    told = [f"{k}={formats.value(params[k], 20)}" for k in differing if k in params]
    which = f" ({', '.join(told[:_MOST_PARAMS])})" if told else ""
    return [f"best {key} {formats.number(value)}{which}", last]
