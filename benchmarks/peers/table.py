"""The measurements as one Markdown table: medians, and ratios to Trackbook within a repetition."""

from __future__ import annotations

import os
import platform
import re
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import venvs
from trial import Result, Sizes

OURS = "trackbook"
_NOT_KEPT = " (kept no such run)"
BEGIN, END = "<!-- peers: written by benchmarks/peers/run.py -->", "<!-- /peers -->"


@dataclass(frozen=True)
class Row:
    """One line of the table: where its number is found, in which unit."""

    label: str
    workload: str
    value: Callable[[Result], float]
    unit: str
    note: Callable[[Result], str] = lambda _: ""
    more_is_better: bool = False


def _field(name: str) -> Callable[[Result], float]:
    return lambda result: float(result[name])


def _per(name: str, count: str, of: int) -> Callable[[Result], float]:
    """A cost for so many things where a tool had fewer or more of them."""
    return lambda result: float(result[name]) * of / result[count]


def _fewer(count: str, wanted: int) -> Callable[[Result], str]:
    return lambda result: f" ({result[count]:,})" if result[count] < wanted else ""


def rows(sizes: Sizes) -> list[Row]:
    """The lines of the table for these sizes."""
    small, large = sizes.lists
    few, many, points = _fewer("runs", small), _fewer("runs", large), _fewer("points", sizes.points)
    return [
        Row("import", "import", _field("import_ms"), "ms"),
        Row("first run of a process, empty", "empty_runs", _field("first_ms"), "ms", _kept),
        Row("each further empty run, start to finish", "empty_runs", _field("run_ms"), "ms", _kept),
        Row("the same with 100 params", "param_runs", _field("params_ms"), "ms", _kept),
        Row("one `log_metric`, median", "single_calls", _field("call_p50_us"), "us"),
        Row("mean until the run is closed", "single_calls", _field("call_closed_us"), "us"),
        Row("ten metrics a step, median", "ten_a_step", _field("ten_p50_us"), "us"),
        Row("mean a step until closed", "ten_a_step", _field("ten_closed_us"), "us"),
        Row(
            f"read {sizes.points:,} points to a frame",
            "read_curve",
            _per("read_ms", "points", sizes.points),
            "ms",
            points,
        ),
        Row(f"list {small:,} runs", "list_small", _per("list_ms", "runs", small), "ms", few),
        Row(f"list {large:,} runs", "list_large", _per("list_ms", "runs", large), "ms", many),
        Row("the same again in the process", "list_large", _per("again_ms", "runs", large), "ms"),
        Row("disk a point", "curve", _field("bytes_a_point"), "bytes"),
        Row("disk a run", f"store{small}", _field("bytes_a_run"), "bytes"),
        Row("bytes in its files", f"store{small}", _field("content_a_run"), "bytes"),
        Row("four writers", "four_writers", _field("runs_a_second"), "runs/s", _failed, True),
    ]


def _kept(result: Result) -> str:
    return _NOT_KEPT if result["kept"] < result["runs"] else ""


def _failed(result: Result) -> str:
    return f" ({len(result['failed'])} of 4 failed)" if result["failed"] else ""


def page(results: list[Result], missing: dict[str, str], sizes: Sizes) -> str:
    """The tables with what one must know to read them."""
    names = [name for name in venvs.settings()["tools"] if any(r["tool"] == name for r in results)]
    safe = [name for name in names if loses_nothing(name, results)]
    others = [name for name in names if name != OURS]
    lines = [_head(results), ""]
    lines.append(f"| what | {OURS} | {' | '.join(others)} | place of {OURS} |")
    lines.append("|---|" + "--:|" * (len(names) + 1))
    lines += [_line(row, others, safe, results) for row in rows(sizes)]
    lines += ["", "| kill -9 and four writers | points lost | shown as | lost by four writers |"]
    lines.append("|---|--:|---|--:|")
    lines += [_safety(name, results) for name in names]
    lines += ["", *(f"- {name} is not installed: {why}" for name, why in missing.items())]
    lines += _failures(results)
    return "\n".join(lines).rstrip()


def _head(results: list[Result]) -> str:
    repetitions = 1 + max((result["repetition"] for result in results), default=0)
    versions = [spec for specs in venvs.settings()["venvs"].values() for spec in specs[:1]]
    return (
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {repetitions} repetition(s); "
        f"{', '.join(versions)}. A ratio is the median over the repetitions of *theirs / ours* "
        "(for runs/s *ours / theirs*): above 1 Trackbook is cheaper, bold is below 1. In brackets "
        "what a tool reached before its time was up; its cost is scaled to the whole. The place is "
        "among the tools that lost nothing below."
    )


def _line(row: Row, others: list[str], safe: list[str], results: list[Result]) -> str:
    ours = of(row, OURS, results)
    cells, places = [], {OURS: 1.0}
    for name in others:
        theirs = of(row, name, results)
        both = sorted(ours.keys() & theirs.keys())
        if not both:
            cells.append(_error(row, name, results))
            continue
        pairs = [(theirs[i][0], ours[i][0]) for i in both]
        ratio = statistics.median(u / t if row.more_is_better else t / u for t, u in pairs)
        note = theirs[both[-1]][1]
        if note != _NOT_KEPT:
            places[name] = ratio
        shown = f"**{ratio:.2g}x**" if ratio < 1 else f"{ratio:.3g}x"
        cells.append(f"{shown}, {amount(statistics.median(t for t, _ in pairs), row.unit)}{note}")
    mine = amount(statistics.median(v for v, _ in ours.values()), row.unit) if ours else "-"
    better = [name for name in safe if name in places and places[name] < 1]
    place = f"{1 + len(better)}" + (f" (after {', '.join(better)})" if better else "")
    return f"| {row.label} | {mine} | {' | '.join(cells)} | {place if ours else '-'} |"


def of(row: Row, name: str, results: list[Result]) -> dict[int, tuple[float, str]]:
    """Repetition to value and note of one tool's measurements."""
    return {
        result["repetition"]: (row.value(result), row.note(result))
        for result in results
        if (result["tool"], result["workload"]) == (name, row.workload) and "error" not in result
    }


def _error(row: Row, name: str, results: list[Result]) -> str:
    for result in results:
        if (result["tool"], result["workload"]) == (name, row.workload) and "error" in result:
            return "failed"
    return "-"


def amount(value: float, unit: str) -> str:
    """A value in the unit that suits its size."""
    if unit == "us" and value >= 1000:
        value, unit = value / 1000, "ms"
    if unit == "ms" and value >= 1000:
        value, unit = value / 1000, "s"
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def _all(name: str, workload: str, results: list[Result]) -> list[Result]:
    return [r for r in results if (r["tool"], r["workload"]) == (name, workload)]


def loses_nothing(name: str, results: list[Result]) -> bool:
    """Whether a tool kept all points at each kill, and all runs and points of four writers."""
    kills, writers = _all(name, "kill", results), _all(name, "four_writers", results)
    kept = all(result.get("lost") == 0 for result in kills)
    whole = all(
        "error" not in result and not (result["runs_lost"] or result["points_lost"])
        for result in writers
    )
    return bool(kills) and kept and whole


def _safety(name: str, results: list[Result]) -> str:
    kills = _all(name, "kill", results)
    good = [result for result in kills if "error" not in result]
    lost = ", ".join(f"{r['lost']:,} of {r['logged']:,}" for r in good)
    shown = ", ".join(sorted({str(r["status"]) for r in good}))
    writers = []
    for result in _all(name, "four_writers", results):
        if "error" in result:
            writers.append(f"failed: {result['error'][:60]}")
        else:
            runs, points = result["runs_lost"], result["points_lost"]
            writers.append(f"{runs} runs, {points:,} points of {result['runs']} runs")
    problems = "".join(f" failed: {r['error'][:60]}" for r in kills if "error" in r)
    return f"| {name} | {lost or problems or '-'} | {shown or '-'} | {'; '.join(writers) or '-'} |"


def _failures(results: list[Result]) -> list[str]:
    """Why a cell says "failed": the last reason of each tool and workload."""
    last = {(r["tool"], r["workload"]): r["error"] for r in results if "error" in r}
    return [
        f"- {tool}, {workload} failed: `{re.sub(r'/[^ ]+/', '', why)}`"
        for (tool, workload), why in last.items()
    ]


def replace_in(path: Path, text: str) -> None:
    """Put the tables between the two marks of a page."""
    page = path.read_text("utf-8")
    if BEGIN not in page or END not in page:
        raise SystemExit(f"{path} lacks the lines {BEGIN} and {END}")
    head, _, rest = page.partition(BEGIN)
    path.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
