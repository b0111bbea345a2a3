"""What of a session makes its notebook hard to run again, for the grade of its runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_SEEDS = re.compile(
    r"\b(seed|manual_seed|seed_everything|set_seed|set_global_seed\w*)\s*\("
    r"|\b(random_state|seed)\s*=\s*\d|\b(default_rng|RandomState|Random)\(\s*\d"
)


def facts(
    executions: Sequence[Mapping[str, Any]],
    live: Sequence[Mapping[str, Any]],
    tracked: str | None,
) -> dict[str, Any]:
    """``executions, disorder, edited, deleted, unseeded, flags, unhashed`` of a session so far.

    ``live`` are the cells of the open notebook as the front end has them; where none has spoken,
    nothing is known of their order.
    """
    found: dict[str, Any] = {"executions": len(executions)}
    last = {str(e["cell"]): e for e in executions if e.get("cell")}
    if live:
        sources = {str(cell["id"]): cell["source"] for cell in live}
        there = [cell_id for cell_id in sources if cell_id in last]
        here = there.index(tracked) + 1 if tracked in there else len(there)
        orders = [last[cell_id]["order"] for cell_id in there[:here]]
        found["disorder"] = orders != sorted(orders)
        found["edited"] = sum(last[c]["source"] != sources[c] for c in there)
        found["deleted"] = sum(cell_id not in sources for cell_id in last)
    found["flags"] = sorted({flag for e in executions for flag in e.get("flags") or ()})
    found["unseeded"] = draws(executions) and not any(
        _SEEDS.search(e["source"]) for e in executions
    )
    found["unhashed"] = len(
        {
            str(file.get("path"))
            for e in executions
            for file in e.get("files") or ()
            if file.get("how") != "written" and not file.get("hash")
        }
    )
    return found


def draws(executions: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a generator moved on from the beginning of one cell to that of the next."""
    before: dict[str, Any] = {}
    for execution in executions:
        states = execution.get("rng") or {}
        # An equal state is the same object, see ``randomness.Changes``.
        if any(name in before and before[name] is not state for name, state in states.items()):
            return True
        before = dict(states)
    return False
