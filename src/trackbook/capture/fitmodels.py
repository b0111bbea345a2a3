"""Which models of fits are kept: what ``autolog(models=...)`` says.

A fit waits for no disk: a copy in memory is made within a tenth of its time, and written in a safe
format when the user's code pauses, when this process reads runs, or when it ends.
"""

from __future__ import annotations

import pickle
import time
import weakref
from collections.abc import Callable
from typing import Any

from .. import formats, modelfiles
from ..errors import InvalidValue
from . import session as sessions
from .attempts import quoted
from .fits import Fit, fit_of
from .patch import Guard

MODES = ("auto", "all", "best", False)
CAP = 50_000_000
_LEAST_S = 0.002
_SHARE_OF_FIT = 0.1
_MOST_COMPARED = 200
_UNCOPIED = (
    *(pickle.PicklingError, TypeError, AttributeError, ValueError, RecursionError),
    *(NotImplementedError, RuntimeError, ImportError, MemoryError),
)

Mode = str | bool
Also = Callable[[Fit, Any], None]

_mode: Mode = "auto"
_guards: dict[str, Guard] = {}
_formats: dict[type, str | None] = {}
_highest: dict[tuple[str, str | None], float] = {}
_passed_over: weakref.WeakKeyDictionary[Fit, _Model] = weakref.WeakKeyDictionary()


def choose(mode: Mode) -> None:
    """Keep models so from now on; raises ``InvalidValue`` for another word."""
    global _mode
    if mode not in MODES or (mode == 0 and mode is not False):
        raise InvalidValue(f"models is 'auto', 'all', 'best' or False, not {mode!r:.40}")
    _mode = mode


def wanted() -> bool:
    """Whether models are kept at all."""
    return _mode is not False


def offer(fit: Fit, model: Any, seconds: float, also: Also | None = None) -> None:
    """Keep the model of a fit that took so long, or note why not.

    ``also(fit, model)`` is called with a copy of the model, later and in another thread.
    """
    _guard_of(type(model).__name__).run(_offer, fit, model, seconds, also)


def scored(fit: Fit) -> None:
    """A metric of the model has come: it may be the best so far, which is kept."""
    _leads(fit)
    job = _passed_over.pop(fit, None)
    if job is not None:
        sessions.current.afterwork.put(job)


def _guard_of(name: str) -> Guard:
    return _guards.setdefault(name, Guard(f"models of class {name}"))


def _offer(fit: Fit, model: Any, seconds: float, also: Also | None) -> None:
    problem = _no_format(model) if _mode is not False else None
    name = type(model).__name__
    if problem:
        fit.note(f"{name}: {problem}", "skipped", "model")
    elif _mode == "all":
        fit.note(_write(fit, model), "captured", "model")
    keeps = _mode in ("auto", "best") and not problem
    if not keeps and also is None:
        return
    until = time.perf_counter() + max(_LEAST_S, _SHARE_OF_FIT * seconds)
    copy = _Copy(until)
    try:
        pickle.Pickler(copy, protocol=5).dump(model)
    except _OverTime:
        if keeps:
            told = "copying it takes more than 10 % of the fit; models='all' keeps it"
            fit.note(f"{name}, more than {formats.size(copy.size)}: {told}", "skipped", "model")
        return
    except _UNCOPIED as problem_found:
        if keeps:
            fit.note(f"{name} cannot be copied: {problem_found!s:.200}", "skipped", "model")
        return
    fit.model = weakref.ref(model)
    job = _Model(fit, name, copy.data(), copy.size, _mode if keeps else False, also)
    sessions.current.afterwork.put(job)


def _no_format(model: Any) -> str | None:
    kind = type(model)
    if kind not in _formats:
        try:
            modelfiles.format_of(model)
            _formats[kind] = None
        except InvalidValue as problem:
            _formats[kind] = str(problem)
    return _formats[kind]


def _write(fit: Fit, model: Any) -> str:
    began = time.perf_counter()
    try:
        fit.log_model(model)
    except InvalidValue as problem:
        return f"not kept: {problem}"
    took = 1000 * (time.perf_counter() - began)
    return f"{type(model).__name__} kept in {took:.0f} ms"


class _OverTime(Exception):
    pass


class _Copy:
    """The file that a pickle is written to; counts beyond the cap, and stops at a time."""

    def __init__(self, until: float) -> None:
        self.size = 0
        self._parts: list[bytes] = []
        self._until = until

    def write(self, part: Any) -> int:
        length = memoryview(part).nbytes
        if self.size and time.perf_counter() > self._until:
            raise _OverTime
        self.size += length
        if self.size <= CAP:
            self._parts.append(bytes(part))
        else:
            self._parts.clear()
        return length

    def data(self) -> bytes | None:
        return b"".join(self._parts) if self.size <= CAP else None


class _Model:
    """The job of keeping one model."""

    def __init__(
        self, fit: Fit, name: str, data: bytes | None, size: int, mode: Mode, also: Also | None
    ) -> None:
        self._fit = fit
        self._name = name
        self._data = data
        self._told = formats.size(size)
        self._mode = mode
        self._also = also
        self.size = len(data or b"")
        _leads(fit)

    def leads(self) -> bool:
        return self._mode is not False and _leads(self._fit)

    def let_go(self) -> None:
        self._note("let go, as many fits came at once; models='all' keeps each", "skipped")

    def run(self) -> None:
        _guard_of(self._name).run(self._run)

    def _run(self) -> None:
        if self._data is None and self._fit.model is not None:
            model = self._fit.model()
            if model is None or fit_of(model) is not self._fit:
                return self._note("it was gone or fitted again before it was kept", "skipped")
        else:
            model = pickle.loads(self._data or b"")
        if self._also is not None:
            also, self._also = self._also, None
            also(self._fit, model)
        if self._mode is False:
            return None
        over = self._data is None
        if (over or self._mode == "best") and not _is_best(self._fit):
            why = "over 50 MB and not the best so far" if over else "not the best so far"
            self._data, self.size = None, 0
            _passed_over[self._fit] = self
            return self._note(why, "skipped")
        return self._note(_write(self._fit, model), "captured")

    def _note(self, text: str, state: str) -> None:
        self._fit.note(f"{self._name}, {self._told} in memory: {text}", state, "model")


# -- the best so far -------------------------------------------------------------------------------


def _value(fit: Fit) -> tuple[str | None, float]:
    """The headline metric of the fit's run, and its value so that more is better."""
    summary = fit.run.summary()
    key = fit.run.document.get("headline") or formats.headline(summary)
    if key is None or key not in summary:
        return None, float("-inf")
    value = summary[key]["last"] * (formats.direction(key) or 1)
    return key, value if value == value else float("-inf")


def _leads(fit: Fit) -> bool:
    """Whether the fit is the best of its series in this process."""
    key, value = _value(fit)
    place = (str(fit.run.document["series"]), key)
    highest = _highest[place] = max(value, _highest.get(place, value))
    return value >= highest


def _is_best(fit: Fit) -> bool:
    """Whether no other attempt of the run's series has as good a headline metric."""
    key, value = _value(fit)
    if key is None:
        return True
    store, series = sessions.current.store(), fit.run.document["series"]
    where = f'series == "{quoted(series)}"'
    sign = formats.direction(key) or 1
    for other in store.find(where, limit=_MOST_COMPARED, archived=True):
        entry = other["summary"].get(key)
        if other["id"] != fit.run.id and entry is not None and sign * entry["last"] >= value:
            return False
    return True
