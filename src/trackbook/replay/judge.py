"""The verdict on a run: replayed from its recipe, and where that differs from its whole log too."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import psutil

from ..errors import StoreError
from ..model import Document
from ..store import Store
from . import compare, gitfiles, trial
from .compare import Difference
from .kernel import Limits
from .place import place_of
from .recipe import Recipe
from .trial import Setting, Tried
from .verdict import Verdict

_LEAST_S = 600.0
_PATIENCE = 10
_MOST_MEMORY = 0.8
_INPUT = "StdinNotImplementedError"
_REFUSED = "Refused"
# A file that the recipe does not know of; the repository may have it.
_FILE_MISSING = ("FileNotFoundError", "ModuleNotFoundError", "ImportError")

Progress = Callable[[str, int, int], None]
"""Called with which recipe runs, and the number of the cell that begins out of how many."""


@dataclass(frozen=True)
class Wishes:
    """What whoever asks for a replay may say."""

    allow_writes: bool = False
    timeout: float | None = None
    """Seconds for one replay; None: ten times what the cells took, 600 s at least."""
    memory: float | None = None
    """GB; None: 80 % of what is free."""
    tolerance: float = compare.TOLERANCE
    secrets: Mapping[str, str] = field(default_factory=dict)
    full: bool = False
    """Replay the whole log at once."""


def limits(recipe: Recipe, wishes: Wishes) -> Limits:
    """The limits of one replay."""
    took = sum(max(c.execution.ended - c.execution.started, 0.0) for c in recipe.cells)
    seconds = wishes.timeout or max(_LEAST_S, _PATIENCE * took)
    free = psutil.virtual_memory().available * _MOST_MEMORY
    memory = wishes.memory * 1e9 if wishes.memory else free
    return Limits(seconds, int(memory), wishes.allow_writes)


def setting_of(
    store: Store,
    document: Document,
    recipe: Recipe,
    wishes: Wishes,
    sources: Mapping[int, str],
) -> Setting:
    """What holds for the replays of a run, whose cells have these other ``sources``."""
    if store.path is None:
        raise StoreError("only a run of a store in a folder can be replayed")
    place = place_of(document, store.path)
    return Setting(store, document, place, limits(recipe, wishes), wishes.secrets, sources)


def judge(
    store: Store,
    document: Document,
    recipe: Recipe,
    whole: Recipe,
    wishes: Wishes,
    progress: Progress,
) -> Verdict:
    """Replay a run and say whether its result holds; never raises because of what it meets."""
    began = time.monotonic()
    if refusal := _cannot(document, recipe, wishes):
        return refusal
    setting = setting_of(store, document, recipe, wishes, {})
    trials = _Trials(setting, trial.shown_of(store, document), wishes, progress)
    try:
        verdict = trials.decide(recipe, whole)
    except OSError as problem:
        reason = problem.strerror or str(problem)
        if problem.errno == errno.ENOSPC:
            reason = "no room for the replay's folder; TMPDIR says where it lies"
        verdict = _undetermined(reason)
    except StoreError as problem:
        verdict = _undetermined(str(problem))
    return replace(verdict, seconds=round(time.monotonic() - began, 3), time=time.time())


def _cannot(document: Document, recipe: Recipe, wishes: Wishes) -> Verdict | None:
    """Why there is nothing to replay; None where there is."""
    now = time.time()
    if document["status"] == "running":
        return _undetermined("the run is still running", now)
    if not recipe.cells:
        reason = "the run has no log of cells; what runs as a script or was imported has none"
        return _undetermined(reason, now)
    missing = [name for name in trial.holes(recipe) if name not in wishes.secrets]
    if missing:
        names = ", ".join(missing)
        cure = f'run.replay(secrets={{"{missing[0]}": ...}}) gives it'
        return Verdict("needs secret", f"needs secret: {names}", (cure,), time=now)
    return None


def _undetermined(reason: str, moment: float = 0.0) -> Verdict:
    return Verdict("not determined", f"not determined: {reason}", time=moment)


class _Trials:
    """The replays of one run, and what is made of them."""

    def __init__(
        self, setting: Setting, then: trial.Shown, wishes: Wishes, progress: Progress
    ) -> None:
        self._setting = setting
        self._then = then
        self._wishes = wishes
        self._progress = progress
        self._git = False

    def decide(self, recipe: Recipe, whole: Recipe) -> Verdict:
        """Replay the recipe; on a difference once more, the whole log or the recipe again."""
        first = self._attempt("full" if recipe.full else "short", recipe)
        if self._lacks_files(first) and gitfiles.can_lay_out(
            self._setting.document, self._setting.place.root
        ):
            self._git = True
            first = self._attempt("full" if recipe.full else "short", recipe)
        verdict, found = self._verdict(first)
        if verdict.status == "reproduced" or first.ran.stopped or _asks(first):
            return verdict
        if first.changed:
            return verdict  # what differs has its cause
        # What the recipe leaves out may read other runs, say, which a replay has not.
        again = self._attempt("full", whole, {cell.execution.order for cell in recipe.cells})
        control, difference = self._verdict(again)
        if control.status == "reproduced":
            return self._by_full_log(verdict, control, recipe, whole)
        if verdict.status == "fails":
            return self._failed_twice(verdict, control)
        if again.shown is None or control.status != "differs":
            # The log cannot be run whole; whether the recipe gives one result can be told.
            verdict = replace(verdict, causes=(*verdict.causes, f"the whole log: {control.text}"))
            again = self._attempt("short", recipe)
            control, difference = self._verdict(again)
        if first.shown and again.shown and compare.compare(first.shown, again.shown, 0.0):
            return self._varies(verdict, found, difference)
        return verdict

    def _by_full_log(
        self, verdict: Verdict, control: Verdict, recipe: Recipe, whole: Recipe
    ) -> Verdict:
        if recipe.full:
            reason = "two replays of the same cells differ"
            causes = (f"one says {verdict.text}", f"the other {control.text}", *verdict.causes)
            return replace(verdict, status="not determined", text=f"not determined: {reason}",
                           causes=causes)  # fmt: skip
        kept = f"{len(recipe.cells)} of {len(whole.cells)} cells"
        cause = f"the short recipe ({kept}) misses something: {verdict.text}"
        text = f"{control.text}, by the whole log"
        return replace(control, text=text, causes=(cause, *control.causes))

    def _failed_twice(self, verdict: Verdict, control: Verdict) -> Verdict:
        if control.status == "fails":
            return verdict
        note = f"the whole log: {control.text}"
        return replace(verdict, causes=(*verdict.causes, note))

    def _varies(self, verdict: Verdict, one: Difference, other: Difference) -> Verdict:
        """Two replays differ from the run, and from each other."""
        words = {told.partition(":")[0] for told in (*one.differs, *other.differs)}
        if words == {compare.TEXT} and compare.metric_keys(self._then):
            # Numbers and params are the same in all three; what is printed is new each time.
            counted = [c for c in one.compared if "text" not in c]
            cause = f"{compare.TEXT} is another in each replay, so it does not count"
            return replace(
                verdict,
                status="reproduced",
                text=f"reproduced: {'; '.join(counted)}",
                causes=(cause, *(c for c in verdict.causes if not c.startswith("also: "))),
                compared=tuple(counted),
            )
        causes = [f"one replay: {one.differs[0]}"] if one.differs else []
        causes += [f"the other: {other.differs[0]}"] if other.differs else []
        text = "not determined: two replays differ"
        return replace(verdict, status="not determined", text=text,
                       causes=(*causes, *verdict.causes))  # fmt: skip

    def _attempt(self, which: str, recipe: Recipe, needed: Collection[int] | None = None) -> Tried:
        def told(index: int, of: int) -> None:
            self._progress(which, index + 1, of)

        return trial.attempt(self._setting, recipe, told, from_git=self._git, needed=needed)

    def _lacks_files(self, tried: Tried) -> bool:
        return tried.ran.error is not None and tried.ran.error[0] in _FILE_MISSING

    # -- what one replay says ----------------------------------------------------------------------

    def _verdict(self, tried: Tried) -> tuple[Verdict, Difference]:
        ran = tried.ran
        causes = [*tried.changed]
        if tried.shown is not None:
            causes += compare.versions(self._then.document, tried.shown.document)
        causes += tried.notes
        made = Verdict(
            "not determined",
            "",
            causes=tuple(causes),
            cells=tuple(_cells(tried)),
            start=round(ran.start, 3),
            recipe="full" if tried.recipe.full else "short",
        )
        number = len(ran.cells)
        if ran.stopped:
            return self._undecided(made, f"{ran.stopped}{_in_cell(number)}"), Difference()
        if ran.error is not None:
            return self._failed(made, ran.error, number), Difference()
        if tried.shown is None:
            return self._undecided(made, "the replay made no run"), Difference()
        found = compare.compare(self._then, tried.shown, self._wishes.tolerance)
        made = replace(made, compared=tuple(found.compared), causes=(*found.data, *made.causes))
        return self._compared(made, tried, found), found

    def _undecided(self, made: Verdict, reason: str) -> Verdict:
        return replace(made, text=f"not determined: {reason}")

    def _failed(self, made: Verdict, error: tuple[str, str], number: int) -> Verdict:
        kind, message = error
        if kind == _INPUT:
            reason = f"cell {number} asks for input, which a replay does not give"
            return self._undecided(made, reason)
        told = f"fails at cell {number}: {kind}" + (f": {message}" if message else "")
        cures = []
        if kind == _REFUSED:
            cures.append("allow_writes=True (--allow-writes) lets it")
        if kind == "ModuleNotFoundError":
            cures += self._not_installed(message)
        causes = (*cures, *made.causes)
        return replace(made, status="fails", text=_line(told), causes=causes)

    def _not_installed(self, message: str) -> list[str]:
        name = message.rpartition("'")[0].rpartition("'")[2].partition(".")[0]
        recorded = (self._then.document.get("env") or {}).get("packages") or {}
        if name in recorded:
            return [f"{name} {recorded[name]} is not installed here"]
        return []

    def _compared(self, made: Verdict, tried: Tried, found: Difference) -> Verdict:
        if found:
            more = f" and {len(found.differs) - 1} more" if len(found.differs) > 1 else ""
            text = _line(f"differs: {found.differs[0]}{more}")
            causes = (*made.causes, *(f"also: {d}" for d in found.differs[1:6]))
            return replace(made, status="differs", text=text, causes=causes)
        if not found.compared or found.compared == []:
            return self._undecided(made, "the run has no metrics and showed nothing to compare")
        if tried.changed:
            reason = f"nothing differs, but {tried.changed[0]}"
            return self._undecided(made, reason)
        return replace(made, status="reproduced", text=f"reproduced: {'; '.join(found.compared)}")


def _asks(tried: Tried) -> bool:
    return tried.ran.error is not None and tried.ran.error[0] in (_INPUT, _REFUSED)


def _in_cell(number: int) -> str:
    return f" (in cell {number})" if number else ""


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 300 else line[:299] + "…"


def _cells(tried: Tried) -> list[dict[str, Any]]:
    return [
        {
            "order": cell.execution.order,
            "ok": ran["ok"],
            "seconds": round((ran["ended"] or time.time()) - ran["started"], 3),
            "error": ran.get("error"),
        }
        for cell, ran in zip(tried.recipe.cells, tried.ran.cells, strict=False)
    ]
