"""A run's recipe, its replay, and its replay with other params."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .. import grading
from ..errors import InvalidValue
from ..grading import Grade
from ..replay import process, vary
from ..replay.recipe import Recipe
from ..replay.recording import recipes
from ..replay.verdict import Verdict, of_plain
from ..views import columns
from .recorded import Recorded

if TYPE_CHECKING:
    from ..model import Document
    from ..store import Store

Line = Callable[[str], None]


def recipe(store: Store, document: Document, full: bool = False) -> Recipe:
    """The cells behind a run; with ``full`` its whole log."""
    store.before_read()
    found = recipes(store, document)
    return found.whole if full else found.short


class Replayed(Recorded):
    """What a run was made of, and whether it can be made again."""

    def recipe(self, *, full: bool = False) -> Recipe:
        """The executions behind the run in their order, each with its reason.

        ``.explain()`` tells them, ``.save("recipe.ipynb")`` or ``.py`` writes them. ``full`` gives
        the whole log up to the run.
        """
        return recipe(self._store, self._document, full)

    @property
    def grade(self) -> Grade | None:
        """A to F, how likely its notebook gives the result again; ``.explain()`` says why.

        None while the run is running, and for one that no notebook made.
        """
        return grading.grade(self._document)

    @property
    def verdict(self) -> Verdict | None:
        """What its last replay said; None where it was not replayed."""
        told = self._document.get("verdict")
        return of_plain(told) if isinstance(told, Mapping) else None


def replay(store: Store, run_id: str, label: str, **wishes: Any) -> process.Replay:
    """Replay a run to its end, with a line of progress; what it says is in the result."""
    store.before_read()
    under_way = process.Replay(store, run_id, wishes)
    with progress() as line:
        line(f"replaying {label}: a fresh kernel starts")
        for event in under_way.events():
            if event["event"] == "cell":
                which = " of the whole log" if event["recipe"] == "full" else ""
                line(f"replaying {label}: cell {event['cell']} of {event['of']}{which}")
    return under_way


def replay_many(
    store: Store,
    document: Document,
    several: Sequence[Mapping[str, Any]],
    wishes: Mapping[str, Any],
    jobs: int | None,
) -> str:
    """Replay with each of several sets of params, below a new run, whose id is returned."""
    found = recipe(store, document, bool(wishes.get("full")))
    for params in several:
        vary.sources(found, params)  # before anything runs
    parent = vary.group(store, document, several)
    label = columns.label(document)

    def one(params: Mapping[str, Any]) -> str | None:
        under_way = process.Replay(
            store, document["id"], {**wishes, "params": dict(params), "parent": parent}
        )
        for _ in under_way.events():
            pass
        return under_way.run

    store.before_read()
    with progress() as line:
        total = len(several)
        line(_bar(label, 0, total))
        for done, _ in enumerate(_all(one, several, jobs), start=1):
            line(_bar(label, done, total))
    return parent


def _all(
    one: Callable[[Mapping[str, Any]], Any], several: Sequence[Mapping[str, Any]], jobs: int | None
) -> Iterator[Any]:
    """By joblib several at a time, without it one after the other."""
    if importlib.util.find_spec("joblib") is None:
        if jobs not in (None, 1):
            raise InvalidValue("several replays at a time take joblib: pip install joblib")
        yield from map(one, several)
        return
    import joblib

    at_once = jobs or max(1, min(len(several), (os.cpu_count() or 2) // 2))
    parallel = joblib.Parallel(n_jobs=at_once, prefer="threads", return_as="generator_unordered")
    yield from parallel(joblib.delayed(one)(params) for params in several)


def _bar(label: str, done: int, total: int) -> str:
    filled = round(20 * done / total)
    return f"replaying {label}: {'█' * filled}{'░' * (20 - filled)} {done} of {total}"


@contextmanager
def progress() -> Iterator[Line]:
    """A line that changes: an output in a notebook, stderr in a terminal, nothing elsewhere."""
    if "IPython" in sys.modules:
        from IPython import get_ipython

        if hasattr(get_ipython(), "kernel"):
            yield from _in_notebook()
            return
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    try:
        yield lambda text: print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)  # noqa: T201
    finally:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)  # noqa: T201


def _in_notebook() -> Iterator[Line]:
    from IPython.display import display

    handle = display({"text/plain": ""}, raw=True, display_id=True)
    try:
        yield lambda text: handle.update({"text/plain": text}, raw=True)
    finally:
        handle.update({"text/plain": ""}, raw=True)
