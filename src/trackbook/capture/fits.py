"""Where the values of an automatically logged fit go: the open run, a child of it, or a new run."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from typing import Any

from ..errors import StoreError
from . import session as sessions
from . import workers
from .live import ActiveRun, describe


class Fit:
    """One outermost fit; takes what autolog found."""

    def __init__(self, run: ActiveRun, *, ends_run: bool) -> None:
        self.run = run
        self._ends_run = ends_run

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Params by the framework's own names; what the user logged himself wins."""
        for name in self.run.take_params(params, autologged=True):
            self.note(f"param {name} left out: cannot be kept as data")

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """One point of each metric."""
        self.run.log_metrics(metrics, step)

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Tags of the run."""
        self.run.set_tags(tags)

    def log_dict(self, obj: Any, name: str) -> None:
        """Plain data as a JSON artifact."""
        self.run.log_dict(obj, name)

    def log_table(self, frame: Any, name: str) -> None:
        """A table as a CSV artifact."""
        self.run.log_table(frame, name)

    def note(self, text: str) -> None:
        """A line for ``%track why``."""
        self.run.note_capture("autolog", "seen", text)

    def finish(self, error: BaseException | None = None) -> None:
        """The fit is over; a run of its own ends with it unless a cell owns it."""
        if error is not None and self._ends_run:
            self.run.fail(error)
        elif error is not None:
            self.run.amend(error=describe(error))
        elif self._ends_run:
            self.run.end()


def begin(name: str) -> Fit | None:
    """The place for a fit of class ``name``; None while tracking is off.

    The first fit in an open run logs into it, each further one into a child. A fit outside any run
    makes a run that its cell owns; in a script that run ends with the fit.
    """
    session = sessions.current
    if not session.is_on():
        return None
    open_run = session.active()
    if open_run is None and threading.current_thread() is not threading.main_thread():
        # A thread starts no run of its own accord while any run of the process is open.
        open_run = next(reversed(session.open_runs()), None)
    cell = session.cell
    if open_run is not None and cell is not None and open_run in cell.owned:
        open_run.end()
        open_run = None
    if open_run is None and workers.is_worker():
        return None  # an inner fit, in a worker that has opened no run of its own
    if open_run is None:
        try:
            run = session.open_run(None, fitted=name)
        except StoreError as problem:
            session.warn(f"fits are not tracked: {problem}")
            return None
        run.fits.append(name)
        if cell is not None:
            cell.owned.append(run)
        return Fit(run, ends_run=cell is None)
    open_run.fits.append(name)
    if len(open_run.fits) == 1:
        return Fit(open_run, ends_run=False)
    return Fit(session.open_run(name, parent=open_run.document), ends_run=True)


_runs: dict[int, tuple[weakref.ref[Any], ActiveRun]] = {}


def remember(fitted: Any, run: ActiveRun) -> None:
    """Note that the run belongs to the object, for as long as the object lives."""
    key = id(fitted)
    try:
        _runs[key] = (weakref.ref(fitted, lambda _: _runs.pop(key, None)), run)
    except TypeError:  # an object that takes no weak reference is not remembered
        return


def run_of(fitted: Any) -> ActiveRun | None:
    """The run that the object was last fitted in."""
    entry = _runs.get(id(fitted))
    return entry[1] if entry is not None and entry[0]() is fitted else None
