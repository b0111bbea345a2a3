"""Two runs' notebooks side by side: which cells were added, removed and changed, line by line."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any, NamedTuple

_ALIKE = 0.5
_MOST_LINES = 2000
# Cells this long are compared by their lines, not letter by letter, to see whether they are alike.
_LONG = 4000


class Cell(NamedTuple):
    """One cell as a run kept it."""

    id: str
    source: str
    tracked: bool = False
    executed: bool = True


def differences(left: Sequence[Cell], right: Sequence[Cell]) -> list[dict[str, Any]]:
    """The cells of both in the order of the notebook, each with ``status`` and ``lines``.

    ``status`` is ``same``, ``changed``, ``added`` or ``removed``; ``lines`` are
    ``{kind, left, right}``, each side ``[number, text]`` or None, and empty where nothing differs.
    """
    return [_cell(a, b) for a, b in _paired(left, right)]


def _cell(left: Cell | None, right: Cell | None) -> dict[str, Any]:
    either = right or left
    assert either is not None
    if left is None or right is None:
        status = "added" if left is None else "removed"
    else:
        status = "same" if left.source == right.source else "changed"
    lines = [] if status == "same" else side_by_side(_text(left), _text(right))
    return {
        "id": either.id,
        "status": status,
        "tracked": bool((left and left.tracked) or (right and right.tracked)),
        "source": either.source if status == "same" else "",
        "lines": lines[:_MOST_LINES],
        "more": max(0, len(lines) - _MOST_LINES),
    }


def _text(cell: Cell | None) -> str:
    return cell.source if cell else ""


def side_by_side(left: str, right: str) -> list[dict[str, Any]]:
    """The lines of two texts, what changed beside what it became."""
    before, after = left.splitlines(), right.splitlines()
    found = []
    for kind, i1, i2, j1, j2 in difflib.SequenceMatcher(None, before, after, False).get_opcodes():
        for offset in range(max(i2 - i1, j2 - j1)):
            old = [i1 + offset + 1, before[i1 + offset]] if i1 + offset < i2 else None
            new = [j1 + offset + 1, after[j1 + offset]] if j1 + offset < j2 else None
            sort = "same" if kind == "equal" else "changed" if old and new else "one"
            found.append({"kind": sort, "left": old, "right": new})
    return found


def _paired(left: Sequence[Cell], right: Sequence[Cell]) -> list[tuple[Cell | None, Cell | None]]:
    """Cells by their id, those without one by being alike; the right notebook gives the order."""
    by_id = {cell.id: place for place, cell in enumerate(left)}
    partner: dict[int, int] = {}
    for place, cell in enumerate(right):
        if cell.id in by_id:
            partner[place] = by_id[cell.id]
    free = [place for place in range(len(left)) if place not in partner.values()]
    for place, cell in enumerate(right):
        if place not in partner and free:
            best = max(free, key=lambda other: _alike(left[other].source, cell.source))
            if _alike(left[best].source, cell.source) > _ALIKE:
                partner[place] = best
                free.remove(best)
    pairs: list[tuple[Cell | None, Cell | None]] = []
    removed = iter(free)
    next_gone = next(removed, None)
    for place, cell in enumerate(right):
        mate = partner.get(place)
        # What was removed stands before the cell that it stood before.
        while next_gone is not None and mate is not None and next_gone < mate:
            pairs.append((left[next_gone], None))
            next_gone = next(removed, None)
        pairs.append((None if mate is None else left[mate], cell))
    if next_gone is not None:
        pairs += [(left[next_gone], None), *((left[place], None) for place in removed)]
    return pairs


def _alike(left: str, right: str) -> float:
    if left == right:
        return 1.0
    if len(left) + len(right) > _LONG:
        return difflib.SequenceMatcher(None, left.splitlines(), right.splitlines()).ratio()
    matcher = difflib.SequenceMatcher(None, left, right)
    return matcher.ratio() if matcher.quick_ratio() > _ALIKE else 0.0


def patches(left: str, right: str) -> list[dict[str, Any]]:
    """The files of two patches that are not patched alike: ``path``, and the patch on each side."""
    before, after = _files(left), _files(right)
    return [
        {"path": path, "left": before.get(path, ""), "right": after.get(path, "")}
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]


def _files(patch: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    path = ""
    for line in patch.splitlines():
        if line.startswith("diff --git "):
            path = line.rpartition(" b/")[2]
            found[path] = []
        elif path and not line.startswith("index "):
            found[path].append(line)
    return {path: "\n".join(lines) for path, lines in found.items()}
