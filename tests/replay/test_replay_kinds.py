"""Runs that no ``%%track`` made: by ``with``, from start to stop over cells, and without a word."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trackbook.reading import OpenStore

Session = Callable[..., OpenStore]
BEFORE = (
    "import random, trackbook as tb",
    "data = [1, 2, 3]",
    "unused = [random.random() for _ in range(5)]",
    "noise = random.random()",
)
KINDS = {
    "with": (
        "with tb.start_run('wanted') as run:\n    tb.log_metric('acc', sum(data) / 7 + noise)",
    ),
    "start and stop": (
        "%track start wanted",
        "half = sum(data) / 2 + noise",
        "other = 5",
        "tb.log_metric('acc', half)",
        "%track stop",
    ),
    "a bare run": (
        "run = tb.start_run('wanted')",
        "tb.log_metric('acc', sum(data) / 3 + noise)",
        "run.end()",
    ),
    "a loop of runs": (
        "for name in ('first', 'wanted'):\n"
        "    with tb.start_run(name, params={'name': name}):\n"
        "        tb.log_metric('acc', sum(data) * len(name) + noise)",
    ),
    "what only logged": ("tb.log_metric('acc', sum(data) / 9 + noise)",),
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_replayed(session: Session, kind: str) -> None:
    store = session(*BEFORE, *KINDS[kind])
    found = [run for run in store.runs() if run.name == "wanted"] or list(store.runs())
    (run,) = found
    sources = [cell.source for cell in run.recipe().cells]
    assert BEFORE[1] in sources
    assert BEFORE[3] in sources
    verdict = run.replay()
    assert verdict.text.startswith("reproduced: acc"), verdict
