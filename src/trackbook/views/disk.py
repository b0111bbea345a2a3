"""What a store takes on disk: by kind, and the largest runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import formats
from ..store.upkeep.sweep import Survey
from . import html
from .text import printable, width


def disk_text(kinds: Mapping[str, int], largest: Sequence[Mapping[str, Any]]) -> str:
    """Aligned lines: bytes by kind and in all, then the largest runs."""
    lines = [f"{kind}{' ' * (_WIDE - width(kind))} {size:>8}" for kind, size in _kinds_lines(kinds)]
    if largest:
        lines += ["", _TITLE]
    for size, label, run_id, trash in map(_run, largest):
        lines.append(f"{size:>8}  {label}  {run_id}{'  ' + trash if trash else ''}")
    return "\n".join(lines)


def disk_html(
    kinds: Mapping[str, int], largest: Sequence[Mapping[str, Any]], note: str = ""
) -> str:
    """The same as static HTML, with a line below."""
    by_kind = html.lines_html([], list(_kinds_lines(kinds)), right={1}, note="")
    runs = [_run(run) for run in largest]
    by_run = html.lines_html([_TITLE], runs, right={0}, note=note)
    return by_kind + (by_run if runs else html.lines_html([], [], right=set(), note=note))


_WIDE = 10
_TITLE = "largest runs, with the files they kept"


def _kinds_lines(kinds: Mapping[str, int]) -> list[tuple[str, str]]:
    both = {**kinds, "all": sum(kinds.values())}
    return [(kind, formats.size(count)) for kind, count in both.items()]


def _run(run: Mapping[str, Any]) -> tuple[str, str, str, str]:
    label = printable(f"{run['name']} #{run['number']}")
    return formats.size(run["bytes"]), label, run["id"], "in the trash" if run["deleted"] else ""


def outcome(found: Survey, freed: int | None) -> str:
    """What ``gc`` removed, or would remove where ``freed`` is None; what is too young for it."""
    going = found.removable()
    if freed is None:
        files = "1 file" if len(going) == 1 else f"{len(going)} files"
        total = formats.size(sum(entry.bytes for entry in going))
        said = f"`trackbook gc` would remove {files}, {total}"
    else:
        said = f"removed {formats.size(freed)}"
    young = found.kinds["unneeded"] - sum(entry.bytes for entry in found.unneeded)
    if young > 0 and not found.problems:
        said += f"; {formats.size(young)} that no run names yet is younger than a day"
    return said
