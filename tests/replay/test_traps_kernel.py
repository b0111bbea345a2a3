"""Some of the traps as a user meets them: recorded in a real kernel, replayed, judged."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from replay.conftest import run_cells
from replay.traps import Trap, read

# Every one takes seconds; `test_traps.py` has all of them, in processes that are quicker.
EVERY = 8
TRAPS = [*read("python"), *read("science")][::EVERY]
# What names a result by its number counts the cells, of which there is one more here.
TRAPS = [trap for trap in TRAPS if not re.search(r"\b(_\d|Out\[|In\[)", "".join(trap.cells))]


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_a_trap(trap: Trap, tmp_path: Path) -> None:
    for name, text in trap.files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    *before, last = trap.cells
    shown = "\nprint(repr(r))" if re.search(r"^r\b", last, re.MULTILINE) else ""
    run = run_cells(tmp_path, [*before, f"%%track run\n{last}{shown}"]).get_run("run")
    # The kernel's first cell loads Trackbook.
    kept = {cell.execution.order - 1 for cell in run.recipe().cells} - {0}
    wanted = {*trap.wanted, len(trap.cells)}
    assert wanted <= kept <= wanted | set(trap.spare)
    # The guard lets no other program run, unless that is asked for.
    shell = any(re.search(r"^!|%%bash|%%sh|subprocess", cell, re.M) for cell in trap.cells)
    verdict = run.replay(allow_writes=shell)
    if shown:
        assert verdict.status == "reproduced", verdict
    else:
        assert verdict.status in ("reproduced", "not determined"), verdict
