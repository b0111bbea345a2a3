"""Tables as static HTML that needs no kernel, no server and no script, in light and in dark."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from html import escape
from typing import Any

from .. import formats
from . import svg

_MOST_ROWS = 50
_MOST_COLUMNS = 14
_MOST_RUNS = 12
_MOST_LINES = 200
_MOST_CHARTS = 6
_POINTS = 4500

# Every colour is the text's own, or readable on white and on black alike.
_STATUS = {
    "running": "#3b82f6",
    "finished": "#22a06b",
    "failed": "#e5484d",
    "interrupted": "#d98a00",
    "lost": "#8a8f98",
}
_LINE = "1px solid rgba(128,128,128,.25)"
_TABLE = (
    "border-collapse:collapse;background:transparent;color:inherit;font-size:13px;"
    "font-variant-numeric:tabular-nums;margin:0"
)
_CELL = f"padding:4px 10px;background:transparent;border:0;border-bottom:{_LINE};white-space:nowrap"
_PRE = "background:transparent;color:inherit;font-size:12px;line-height:1.4;overflow:auto;margin:0"
_HEAD = f"{_CELL};font-weight:600;opacity:.7"


def table_html(table: dict[str, Any]) -> str:
    """The table of runs, at most 50 of them."""
    rows = table["rows"][:_MOST_ROWS]
    if not rows:
        return _frame('<span style="opacity:.7">No runs.</span>')
    columns = table["columns"][:_MOST_COLUMNS]
    head = _line("th", _HEAD, ((c["title"], c["align"]) for c in columns))
    body = "".join(
        _line("td", _CELL, ((_cell(row, c), c["align"]) for c in columns), escaped=True)
        for row in rows
    )
    notes = []
    if (more := table["total"] - len(rows)) > 0:
        notes.append(f"{more} more runs")
    if (hidden := len(table["columns"]) - len(columns)) > 0:
        notes.append(f"{hidden} more columns")
    return _frame(_table(head, body) + _note(", ".join(notes)))


def comparison_html(comparison: dict[str, Any]) -> str:
    """The comparison: what differs, charts as SVG, the difference of the code."""
    names = comparison["labels"][:_MOST_RUNS]
    head = _line("th", _HEAD, [("", "left"), *((name, "right") for name in names)])
    body = "".join(_section(section, len(names)) for section in comparison["sections"])
    if not body:
        body = f'<tr><td style="{_CELL}" colspan="{len(names) + 1}">Nothing differs.</td></tr>'
    notes = [f"{comparison['same']} more the same"] if comparison["same"] else []
    if (more := len(comparison["labels"]) - len(names)) > 0:
        notes.append(f"{more} more runs")
    parts = [_table(head, body), _note(", ".join(notes)), _charts(comparison["charts"])]
    return _frame("".join(parts) + _diff(comparison.get("diff", "")))


def lines_html(
    titles: Sequence[str], rows: Sequence[Sequence[str]], *, right: Container[int], note: str
) -> str:
    """A small table of texts; the columns named in ``right`` are aligned there."""
    span = max((len(row) for row in rows), default=1)
    head = "".join(
        f'<tr><th style="{_HEAD};text-align:left" colspan="{span}">{escape(title)}</th></tr>'
        for title in titles
    )
    body = "".join(
        _line(
            "td", _CELL, ((text, "right" if i in right else "left") for i, text in enumerate(row))
        )
        for row in rows
    )
    return _frame((_table(head, body) if rows else "") + _note(escape(note)))


def _section(section: dict[str, Any], runs: int) -> str:
    rows = [row for row in section["rows"] if row["differs"]]
    if not rows:
        return ""
    title = f"{_CELL};padding-top:10px;font-weight:600"
    lines = [
        f'<tr><td style="{title};text-align:left" colspan="{runs + 1}">{section["title"]}</td></tr>'
    ]
    for row in rows[:_MOST_LINES]:
        cells = [(escape(row["key"][:80]), "left")]
        for index, cell in enumerate(row["cells"][:runs]):
            text = escape(cell["text"]) or "–"
            cells.append((f"<b>{text}</b>" if row["best"] == index else text, "right"))
        lines.append(_line("td", _CELL, cells, escaped=True))
    return "".join(lines)


def _charts(charts: list[dict[str, Any]]) -> str:
    shown = charts[:_MOST_CHARTS]
    parts = []
    for chart in shown:
        runs = len({value["run"] for value in chart["spec"]["data"]["values"]}) or 1
        drawn = svg.draw(chart, most=max(12, _POINTS // (runs * len(shown))))
        if drawn:
            title = f'<div style="font-weight:600;margin:10px 0 2px">{escape(chart["title"])}</div>'
            parts.append(f'<div style="margin-right:20px">{title}{drawn}</div>')
    return f'<div style="display:flex;flex-wrap:wrap">{"".join(parts)}</div>' if parts else ""


def _diff(text: str) -> str:
    if not text:
        return ""
    lines = text.splitlines()
    marked = [_diff_line(line[:300]) for line in lines[:_MOST_LINES]]
    if len(lines) > _MOST_LINES:
        marked.append(f"… {len(lines) - _MOST_LINES} more lines")
    body = "\n".join(marked)
    return f'<details><summary>Code</summary><pre style="{_PRE}">{body}</pre></details>'


def _diff_line(line: str) -> str:
    colour = {"+": "#22a06b", "-": "#e5484d", "@": "#8a8f98"}.get(line[:1])
    text = escape(line)
    return f'<span style="color:{colour}">{text}</span>' if colour else text


def _cell(row: dict[str, Any], column: dict[str, Any]) -> str:
    key = column["key"]
    text = escape(str(row["cells"].get(key, {"text": ""})["text"]))
    if key == "name":
        star = "★ " if row["star"] else ""
        return f'{star}<b>{text}</b> <span style="opacity:.6">#{row["number"]}</span>'
    if key == "status":
        return _status(row, text)
    if key == "headline":
        return _headline(row["headline"])
    return text


def _status(row: dict[str, Any], text: str) -> str:
    colour = _STATUS.get(row["status"], "#8a8f98")
    error = row["error"]
    hint = f' title="{escape(error["type"])}: {escape(error["message"][:200])}"' if error else ""
    return f'<span{hint}><span style="color:{colour}">●</span> {text}</span>'


def _headline(headline: dict[str, Any] | None) -> str:
    if headline is None:
        return ""
    text = f'<span style="opacity:.6">{escape(headline["key"])}</span> {escape(headline["text"])}'
    change = headline["delta"]
    if change is None:
        return text
    colour = {True: "#22a06b", False: "#e5484d"}.get(headline["better"], "inherit")
    return f'{text} <span style="color:{colour}">{formats.delta(change, 0.0)}</span>'


def _line(tag: str, style: str, cells: Iterable[tuple[str, str]], *, escaped: bool = False) -> str:
    inner = "".join(
        f'<{tag} style="{style};text-align:{align}">{text if escaped else escape(text)}</{tag}>'
        for text, align in cells
    )
    return f'<tr style="background:transparent">{inner}</tr>'


def _table(head: str, body: str) -> str:
    return f'<table style="{_TABLE}"><thead>{head}</thead><tbody>{body}</tbody></table>'


def _note(text: str) -> str:
    return f'<div style="opacity:.7;font-size:12px;padding:6px 10px">{text}</div>' if text else ""


def _frame(inner: str) -> str:
    return f'<div class="trackbook" style="overflow-x:auto;color:inherit">{inner}</div>'
