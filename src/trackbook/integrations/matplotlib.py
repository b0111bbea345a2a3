"""Matplotlib: the figures that are shown while a run is open, as pictures in it.

In a notebook the very bytes are kept that are shown; nothing is drawn twice. Without a screen,
as in scripts, ``plt.show()`` shows nothing and keeps a PNG.
"""

from __future__ import annotations

import io
import warnings
import weakref
from dataclasses import dataclass
from typing import Any

from matplotlib import backend_bases

from .. import formats
from ..capture import outermost
from ..capture import session as sessions
from ..capture.live import ActiveRun
from ..capture.patch import Patches, Steps, guarded
from . import callers

TESTED = ("matplotlib", "3.9", "4")
MOST = 20
LARGEST = 5_000_000
_LARGEST_PIXELS = 50_000_000
_SHOWING = "IPython.core.pylabtools"
_FORMATS = ("png", "svg")


def install(patches: Patches) -> None:
    """Look at what is rendered to be shown; pyplot is not needed for that."""
    outermost.claim()
    rendered = guarded(_around_print_figure, "shown figures")
    patches.wrap(backend_bases.FigureCanvasBase, "print_figure", rendered)
    patches.wrap(backend_bases.FigureManagerBase, "show", guarded(_around_show, "shown figures"))


@dataclass
class _Gallery:
    """The figures of one run so far."""

    kept: int = 0
    last: weakref.ref[Any] | None = None
    form: str = ""


_galleries: weakref.WeakKeyDictionary[ActiveRun, _Gallery] = weakref.WeakKeyDictionary()


def _around_print_figure(canvas: Any, filename: Any, *args: Any, **kwargs: Any) -> Steps:
    form = str(kwargs.get("format"))
    if form not in _FORMATS or type(filename) is not io.BytesIO or callers.caller() != _SHOWING:
        return
    figure = canvas.figure
    outcome = yield
    run = _open_run()
    if outcome.error is None and run is not None:
        gallery = _galleries.setdefault(run, _Gallery())
        same = gallery.last is not None and gallery.last() is figure
        if same and form != gallery.form:
            return  # shown in two formats at once; in the same format it is a figure that went on
        gallery.last, gallery.form = weakref.ref(figure), form
        _keep(run, gallery, filename.getvalue(), form)


def _around_show(manager: Any) -> Steps:
    run = _open_run()
    if run is not None:
        gallery = _galleries.setdefault(run, _Gallery())
        figure = manager.canvas.figure
        if gallery.kept >= MOST:
            _keep(run, gallery, b"", "png")
        elif figure.bbox.width * figure.bbox.height > _LARGEST_PIXELS:
            run.note_capture("figure", "skipped", "it has more than 50 million pixels")
        else:
            _keep(run, gallery, _drawn(figure), "png")
    return
    yield


def _open_run() -> ActiveRun | None:
    if not (sessions.current.is_on() and outermost.is_here()):
        return None
    return sessions.current.active()


def _drawn(figure: Any) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of drawing; the user draws nothing here
        figure.savefig(buffer, format="png", bbox_inches="tight")
    return buffer.getvalue()


def _keep(run: ActiveRun, gallery: _Gallery, data: bytes, form: str) -> None:
    if gallery.kept >= MOST:
        run.note_capture("figures", "skipped", f"of those shown, the first {MOST} are kept")
    elif len(data) > LARGEST:
        told = f"it has {formats.size(len(data))}, and {formats.size(LARGEST)} are kept"
        run.note_capture("figure", "skipped", told)
    else:
        gallery.kept += 1
        run.log_figure(_Rendered(data), f"figure-{gallery.kept}.{form}")


class _Rendered:
    """A figure that gives the bytes which were shown."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def savefig(self, file: io.BytesIO, **_: Any) -> None:
        file.write(self._data)
