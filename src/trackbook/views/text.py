"""Tables as aligned plain text, for terminals and for where nothing else is shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from .. import formats

_WIDEST = 28
_MOST_COLUMNS = 12


def table_text(table: dict[str, Any]) -> str:
    """The table of runs, one line each; how many more there are on the last line."""
    rows = table["rows"]
    if not rows:
        return "No runs."
    columns = [c for c in table["columns"] if c["key"] != "tags"][:_MOST_COLUMNS]
    lines = [["id", *(c["title"] for c in columns)]]
    lines += [[row["id"], *(cell_text(row, c["key"]) for c in columns)] for row in rows]
    text = grid(lines, right=[False, *(_is_right(c) for c in columns)])
    more = table["total"] - len(rows)
    return f"{text}\n… {more} more" if more > 0 else text


def comparison_text(comparison: dict[str, Any]) -> str:
    """What differs between the runs, section by section, then how much is the same."""
    lines = [["", *comparison["labels"]]]
    for section in comparison["sections"]:
        rows = [row for row in section["rows"] if row["differs"]]
        if rows:
            lines.append([section["title"]])
        for row in rows:
            lines.append([f"  {row['key']}", *(_marked(row, i) for i in range(len(row["cells"])))])
    if not any(row["differs"] for section in comparison["sections"] for row in section["rows"]):
        lines.append(["nothing differs" if len(comparison["labels"]) > 1 else "one run only"])
    text = grid(lines, right=[False] + [True] * len(comparison["labels"]))
    return f"{text}\n{comparison['same']} more the same" if comparison["same"] else text


def headline_text(headline: dict[str, Any] | None) -> str:
    """``acc 0.9531 (+0.012)``; empty without one."""
    if headline is None:
        return ""
    return f"{headline['key']} {headline['text']}{change_text(headline)}"


def change_text(headline: dict[str, Any]) -> str:
    """`` (+0.012)``, the change against the previous attempt; empty for the first."""
    change = headline["delta"]
    return "" if change is None else f" ({formats.delta(change, 0.0)})"


def cell_text(row: dict[str, Any], key: str) -> str:
    """The text of one cell, with the number behind the name and the name of the headline metric."""
    if key == "name":
        return f"{row['name']} #{row['number']}"
    if key == "headline":
        return headline_text(row["headline"])
    return str(row["cells"].get(key, {"text": ""})["text"])


def grid(lines: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    """Lines of cells as aligned columns, two spaces apart; long cells are cut."""
    cut = [[_cut(cell) for cell in line] for line in lines]
    widths = [
        max((width(line[i]) for line in cut if i < len(line) and len(line) > 1), default=0)
        for i in range(len(right))
    ]
    return "\n".join(
        "  ".join(
            " " * (widths[i] - width(cell)) + cell
            if right[i]
            else cell + " " * (widths[i] - width(cell))
            for i, cell in enumerate(line)
        ).rstrip()
        for line in cut
    )


def width(text: str) -> int:
    """How many terminal columns the text takes: wide characters two, combining ones none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _marked(row: dict[str, Any], index: int) -> str:
    text = str(row["cells"][index]["text"])
    return f"{text} *" if row["best"] == index else text


def _is_right(column: dict[str, Any]) -> bool:
    return bool(column["align"] == "right") and column["key"] != "headline"


def printable(text: str) -> str:
    """The text without control characters, which must not reach a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def _cut(cell: str) -> str:
    line = printable(cell)
    return line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…"
