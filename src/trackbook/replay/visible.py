"""What a cell showed, without what no two executions share: addresses, timings, moments."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

_MASKS = (
    (re.compile(r"\x1b\[[0-9;?]*[A-Za-z]"), ""),
    (re.compile(r"\b0x[0-9a-fA-F]{6,}\b"), "0x<address>"),
    # A progress bar: its widths and speeds are those of the machine.
    (re.compile(r"[^\n\r]*\d+%\|[^\n]*"), "<progress>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?"), "<moment>"),
    (re.compile(r"\b\d\d?:\d\d:\d\d(\.\d+)?\b"), "<clock>"),
    (
        re.compile(
            r"(?<![\w.])\d+(\.\d+)?(e-?\d+)? ?"
            r"(ns|µs|μs|us|ms|s|sec|secs|seconds?|min|mins|minutes?|it/s|s/it|samples/s)(?![\w/])"
        ),
        "<time>",
    ),
    (re.compile(r"/tmp/ipykernel_\d+/\d+\.py|<ipython-input-[\w-]+>"), "<cell>"),
)
_TEXTS = ("text/plain",)


def texts(outputs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The lines that were printed or shown as text; of errors type and message.

    What goes to stderr is left out: a warning is shown once in a session.
    """
    found: list[str] = []
    for output in outputs:
        kind = output.get("output_type")
        if kind == "stream" and output.get("name") == "stdout":
            found.append(_text(output.get("text")))
        elif kind in ("execute_result", "display_data"):
            data = output.get("data")
            if isinstance(data, Mapping) and not images([output]):
                found += [_text(data[mime]) for mime in _TEXTS if mime in data]
        elif kind == "error":
            found.append(f"{output.get('ename')}: {output.get('evalue')}")
    return [line.rstrip() for text in found for line in normal(text).split("\n") if line.strip()]


def normal(text: str) -> str:
    """A text with what varies masked."""
    for mask, instead in _MASKS:
        text = mask.sub(instead, text)
    return text


def images(outputs: Sequence[Mapping[str, Any]]) -> list[str]:
    """A hash of each image."""
    found = []
    for output in outputs:
        data = output.get("data")
        if not isinstance(data, Mapping):
            continue
        for mime, value in data.items():
            if str(mime).startswith("image/") and "svg" not in str(mime):
                found.append(hashlib.sha256(_text(value).strip().encode()).hexdigest())
    return found


def _text(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")
