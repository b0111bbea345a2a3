"""Where the values of an automatically logged fit go: the open run, a child of it, or a new run."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import StoreError
from . import session as sessions
from . import workers
from .live import ActiveRun, describe
from .surroundings import Cell

_MOST_EARLIER = 20


class Fit:
    """One outermost fit; takes what autolog found, also after its end."""

    def __init__(self, name: str, run: ActiveRun, *, ends_run: bool, flat: bool = False) -> None:
        self.name = name
        self.run = run
        self.started = time.time()
        self.ended: float | None = None
        self.error: dict[str, str] | None = None
        self.model: weakref.ref[Any] | None = None
        """What was fitted, for as long as the user has it."""
        self._ends_run = ends_run
        self._flat = flat
        self._params: dict[str, Any] = {}
        self._tags: dict[str, Any] = {}
        self._notes: list[tuple[str, str, str]] = []
        self._metrics: set[str] = set()
        self._kept: set[str] = set()
        self._inputs: set[str] = set()

    def log_params(self, params: Mapping[str, Any], *, chosen: bool = False) -> None:
        """Params by the framework's own names; what the user logged himself wins.

        ``chosen`` ones are no defaults of the framework's: views show them first.
        """
        if self._flat:
            self._params.update(params)
        for name in self.run.take_params(params, autologged=not chosen):
            self.note(f"param {name} left out: cannot be kept as data")

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """One point of each metric."""
        self._metrics.update(metrics)
        self.run.log_metrics(metrics, step)

    def log_points(self, key: str, points: Sequence[tuple[int, float, float]]) -> None:
        """Points of a metric made a little earlier: (step, time in s UTC, value) each."""
        self._metrics.add(key)
        self.run.log_points(key, points)

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Tags of the run."""
        self._tags.update(tags)
        self.run.set_tags(tags)

    def log_dict(self, obj: Any, name: str) -> None:
        """Plain data as a JSON artifact."""
        self._kept.add(name)
        self.run.log_dict(obj, name)

    def log_table(self, frame: Any, name: str) -> None:
        """A table as a CSV artifact."""
        self._kept.add(name)
        self.run.log_table(frame, name)

    def log_text(self, text: str, name: str) -> None:
        """A text as an artifact."""
        self._kept.add(name)
        self.run.log_text(text, name)

    def log_artifact(self, path: Any, name: str) -> None:
        """A copy of a file."""
        self._kept.add(name)
        self.run.log_artifact(path, name)

    def log_model(self, model: Any, name: str = "model") -> None:
        """A model, at once, in a format that loads without running code."""
        self._kept.add(name)
        self.run.log_model(model, name)

    def log_input(self, data: Any, name: str) -> None:
        """What data went in, by its content; no more of it is hashed than takes 2 ms."""
        self._inputs.add(name)
        self.run.note_data(data, name)

    def note(self, text: str, state: str = "seen", what: str = "autolog") -> None:
        """A line for ``%track why``."""
        if self._flat:
            self._notes.append((what, state, text))
        self.run.note_capture(what, state, text)
        if self.ended is not None:
            self.run.amend()  # after its end nothing else may have it saved

    def finish(self, error: BaseException | None = None) -> None:
        """The fit is over; a run of its own ends with it unless a cell owns it."""
        self.ended = time.time()
        if error is not None:
            self.error = describe(error)  # not the exception, whose frames hold the user's data
            self.run.amend(error=self.error)
        if self._ends_run:
            interrupted = isinstance(error, KeyboardInterrupt)
            word = "interrupted" if interrupted else "failed" if error is not None else "finished"
            sessions.current.end_soon(self.run, word)

    def move_to(self, run: ActiveRun) -> None:
        """Give a run of its own what went flat into the open one; there it stays, as all history.

        What comes later, such as a metric on the model's predictions, goes to the new run alone.
        """
        parent, self.run, self._flat = self.run, run, False
        run.amend(started=self.started)
        run.take_params(self._params, autologged=True)
        if self._tags:
            run.set_tags(self._tags)
        for what, state, text in self._notes:
            run.note_capture(what, state, text)
        self._copy_written(parent, run)
        run.note_capture("autolog", "seen", f"moved here when {parent.name} had a second fit")
        if self.ended is not None:
            if self.error is not None:
                run.amend(error=self.error)
            run.end("finished" if self.error is None else "failed")
            run.amend(ended=self.ended)
        self._ends_run = self.ended is None

    def _copy_written(self, parent: ActiveRun, run: ActiveRun) -> None:
        parent.writer.flush()
        store = sessions.current.store()
        for key, points in store.points(parent.id, self._metrics).items():
            for step, moment, value in zip(*points, strict=True):
                if moment >= self.started:
                    run.writer.log(key, int(step), float(moment), float(value))
        for line in store.records(parent.id, "artifacts"):
            if line["name"] in self._kept or line["name"].rpartition(".")[0] in self._kept:
                run.writer.append("artifacts", line)
        inputs = [data for data in parent.document["inputs"] if data["name"] in self._inputs]
        run.amend(inputs=inputs)


def begin(name: str, *, lasts: bool = False) -> Fit | None:
    """The place for a fit of class ``name``; None while tracking is off.

    The first fit in an open run logs into it; with a second one each is a child, the first one's
    values as well. A fit outside any run makes a run that its cell owns; in a script that run ends
    with the fit or, where nobody knows its end (``lasts``), with the next fit or the process; what
    is logged meanwhile goes to it.
    """
    session = sessions.current
    if not session.is_on():
        return None
    open_run = session.active()
    if open_run is None and threading.current_thread() is not threading.main_thread():
        # A thread starts no run of its own accord while any run of the process is open.
        open_run = next(reversed(session.open_runs()), None)
    cell = session.cell
    owned = cell.owned if cell is not None else session.owned
    if open_run is not None and open_run in owned:
        open_run.end()
        open_run = None
    if open_run is None and workers.is_worker():
        return None  # an inner fit, in a worker that has opened no run of its own
    try:
        fit = _of_its_own(name, cell, lasts) if open_run is None else _inside(name, open_run)
    except StoreError as problem:
        session.warn(f"fits are not tracked: {problem}", about="fits")
        return None
    for text in _take_earlier(cell):
        fit.note(text, "folded")
    global _latest
    _latest = (session, fit)
    return fit


_latest: tuple[sessions.Session, Fit] | None = None


def latest() -> Fit | None:
    """The fit that began last."""
    return _latest[1] if _latest is not None and _latest[0] is sessions.current else None


def _of_its_own(name: str, cell: Cell | None, lasts: bool) -> Fit:
    session = sessions.current
    run = session.open_run(None, fitted=name)
    run.fits.append(name)
    if cell is not None:
        cell.owned.append(run)
    elif lasts:
        session.owned = [run]  # the one before it has ended
    return Fit(name, run, ends_run=cell is None and not lasts)


_firsts: weakref.WeakKeyDictionary[ActiveRun, Fit] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def _inside(name: str, open_run: ActiveRun) -> Fit:
    with _lock:
        open_run.fits.append(name)
        first = _firsts.pop(open_run, None)
        if len(open_run.fits) == 1:
            fit = _firsts[open_run] = Fit(name, open_run, ends_run=False, flat=True)
            return fit
    session = sessions.current
    if first is not None:
        first.move_to(session.open_run(first.name, parent=open_run.document))
        told = f"{first.name} was the first fit, of several: each is a child run, this one too"
        open_run.note_capture("autolog", "seen", told)
    return Fit(name, session.open_run(name, parent=open_run.document), ends_run=True)


# -- fits without a run ----------------------------------------------------------------------------

_earlier: list[tuple[Cell | None, str]] = []


def note_earlier(text: str) -> None:
    """A line for the open run or, where none is, for the next fit of this cell."""
    session = sessions.current
    open_run = session.active()
    if open_run is not None:
        open_run.note_capture("autolog", "folded", text)
    elif (session.cell, text) not in _earlier:
        _earlier.append((session.cell, text))
        del _earlier[:-_MOST_EARLIER]


def _take_earlier(cell: Cell | None) -> list[str]:
    found = [text for where, text in _earlier if where is cell]
    _earlier.clear()
    return found


# -- whose run an object is ------------------------------------------------------------------------

_fits: dict[int, tuple[weakref.ref[Any], Fit | ActiveRun]] = {}


def remember(fitted: Any, fit: Fit | ActiveRun) -> None:
    """Note that the fit belongs to the object, for as long as the object lives."""
    key = id(fitted)
    try:
        _fits[key] = (weakref.ref(fitted, lambda _: _fits.pop(key, None)), fit)
    except TypeError:  # an object that takes no weak reference is not remembered
        return


def fit_of(fitted: Any) -> Fit | None:
    """The fit that the object comes of."""
    entry = _fits.get(id(fitted))
    found = entry[1] if entry is not None and entry[0]() is fitted else None
    return found if isinstance(found, Fit) else None


def run_of(fitted: Any) -> ActiveRun | None:
    """The run that the object was last fitted in."""
    entry = _fits.get(id(fitted))
    if entry is None or entry[0]() is not fitted:
        return None
    return entry[1].run if isinstance(entry[1], Fit) else entry[1]
