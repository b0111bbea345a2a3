"""The run that is being written: ``ActiveRun`` takes params, metrics and artifacts."""

from __future__ import annotations

import struct
import threading
import traceback
from collections.abc import Callable, Container, Mapping, Sequence
from time import time as now
from types import TracebackType
from typing import Any, Protocol, Self

from .. import redact
from ..errors import InvalidValue, StoreError
from ..jsonable import to_plain
from ..store import Blobs, RunWriter
from .artifactlog import ArtifactLog
from .together import Groups
from .values import name_of, real, same, status_word, whole

_MISSING = object()
_TRACEBACK_LIMIT = 20_000
# What packing a number raises that is none, or a step beyond 64 bits.
_NOT_PACKED = (struct.error, TypeError, ValueError, ArithmeticError, RuntimeError)


class Owner(Protocol):
    """What a run asks of the session that opened it."""

    def entered(self, run: ActiveRun) -> None:
        """The run became the innermost ``with`` of this context."""

    def left(self, run: ActiveRun) -> None:
        """The ``with`` of the run was left."""

    def ended(self, run: ActiveRun) -> None:
        """The run has ended, by whatever way."""

    def dirty(self, run: ActiveRun) -> None:
        """The run has new points; its summary wants saving soon."""

    def changed(self, run: ActiveRun) -> None:
        """The document of the run changed and wants saving soon."""

    def warn(self, problem: str) -> None:
        """Tell the user once about a problem of ours."""

    def cell_id(self) -> str | None:
        """The cell that is executing now."""


class Attached(Protocol):
    """What logs to a run a few points late, such as a training loop whose numbers are on a GPU."""

    def catch_up(self) -> None:
        """Log now what waits."""

    def run_ends(self, run: ActiveRun, status: str) -> None:
        """The run is about to end; after this nothing waits."""


class ActiveRun(ArtifactLog):
    """A run that takes values; also a context manager that ends it.

    It keeps accepting values after its end for as long as its kernel lives, marked as late.
    Every ``log_*`` returns None and never raises because of the disk; a value that cannot be kept
    raises ``InvalidValue`` and changes nothing.
    """

    def __init__(self, writer: RunWriter, blobs: Blobs, owner: Owner) -> None:
        super().__init__(writer, blobs, owner)
        self._owner: Owner = owner
        self._log = writer.log
        self._steps: dict[str, int] = {}
        self._groups = Groups(self._steps)
        self.bare_child: ActiveRun | None = None
        """The bare run opened inside this one, which it ends with itself."""
        self.cell_key: str | None = None
        """The cell that opened it; executing that cell again ends a bare run."""
        self.explicit_params: set[str] = set()
        self._expected: set[str] = set()
        self._due = False
        self.fits: list[str] = []
        """The classes that were fitted in it."""
        self.attached: list[Attached] = []
        """Asked for what waits when somebody wants to know, and before the end."""

    # -- what it is ---------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The run's id."""
        return self._writer.id

    @property
    def name(self) -> str:
        """The run's name."""
        return str(self.document["name"])

    @property
    def number(self) -> int:
        """Which attempt of its series the run is, from 1."""
        return int(self.document["number"])

    @property
    def status(self) -> str:
        """``running`` until it ends."""
        return str(self.document["status"])

    @property
    def params(self) -> dict[str, Any]:
        """The params so far, typed and nested as they were logged."""
        return dict(self.document["params"])

    @property
    def metrics(self) -> dict[str, float]:
        """The last value of each metric so far."""
        return {key: entry["last"] for key, entry in self.summary().items()}

    def summary(self) -> dict[str, dict[str, float]]:
        """``{key: {last, min, max, count}}`` so far."""
        for each in self.attached:
            each.catch_up()
        return self._writer.summary()

    def __repr__(self) -> str:
        return f"<ActiveRun {self.name} #{self.number} {self.status} {self.id}>"

    @property
    def writer(self) -> RunWriter:
        """What writes it."""
        return self._writer

    def inherit(self, writer: RunWriter, owner: Owner) -> None:
        """From now on the values go elsewhere, as in a forked child to a run of its own."""
        self._writer, self._owner, self._log = writer, owner, writer.log
        self._lock = threading.RLock()  # held by a thread at the fork, perhaps
        self._steps.clear()
        self._groups = Groups(self._steps)

    # -- params, metrics, tags ----------------------------------------------------------------

    def log_param(self, key: str, value: Any) -> None:
        """Keep one param, typed. Equal again is silent; another value replaces it, with history."""
        self.log_params({key: value})

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Keep several params; all of them or, on ``InvalidValue``, none."""
        if not isinstance(params, Mapping):
            raise InvalidValue(f"log_params takes a mapping, not a {type(params).__name__}")
        plain = {name_of(k, "param"): to_plain(v, f"param {k!r}") for k, v in params.items()}
        self._put_params(plain)
        self.explicit_params.update(plain)

    def take_params(self, params: Mapping[str, Any], *, autologged: bool = False) -> list[str]:
        """Params we found: values that cannot be kept are left out; returns their names.

        ``autologged`` ones are mostly a framework's defaults, so views show them last.
        """
        plain: dict[str, Any] = {}
        left_out = []
        for key, value in params.items():
            try:
                plain[str(key)] = to_plain(value, f"param {key!r}")
            except InvalidValue:
                left_out.append(str(key))
        ours = {k: v for k, v in plain.items() if k not in self.explicit_params}
        self._put_params(ours, autologged=autologged)
        return left_out

    def expect_params(self, params: Mapping[str, Any]) -> None:
        """Params that the run will have if its cell runs through; see ``forget_expected``."""
        held = set(self.document["params"])
        self.take_params({k: v for k, v in params.items() if k not in held})
        self._expected = set(self.document["params"]) - held

    def forget_expected(self, found: Container[str]) -> None:
        """Take expected params back that were not found in the end."""
        with self._lock:
            for key in self._expected:
                if key not in found and key not in self.explicit_params:
                    self.document["params"].pop(key, None)
        self._expected = set()

    def _put_params(self, plain: dict[str, Any], *, autologged: bool = False) -> None:
        clean, hidden = redact.tree(plain)
        with self._lock:
            held = self.document["params"]
            self._note_origin(clean, autologged)
            for key, value in clean.items():
                old = held.get(key, _MISSING)
                if old is not _MISSING and same(old, value):
                    continue
                if old is not _MISSING:
                    entry = {"key": key, "old": old, "new": value, "time": now()}
                    self._remember("param_history", entry)
                held[key] = value
                self._mark_late(key)
        self._note_hidden("params", hidden)
        self._changed()

    def _note_origin(self, keys: Mapping[str, Any], autologged: bool) -> None:
        listed = self.document.setdefault("autologged", [])
        if autologged:
            listed += [key for key in keys if key not in self.document["params"]]
        elif listed:
            self.document["autologged"] = [key for key in listed if key not in keys]

    def log_metric(self, key: str, value: Any, step: int | None = None) -> None:
        """Keep one point of a metric: any real scalar; NaN and inf are data.

        ``step`` counts up per key when it is not given; duplicate and falling steps are kept.
        """
        number = value if type(value) is float else real(value, key)
        try:
            last = self._steps[key]
        except KeyError:
            last = self._meet(key)
        if step is None:
            step = last + 1
        elif type(step) is not int:
            step = whole(step, key)
        self._log(key, step, now(), number)
        self._steps[key] = step
        if not self._touched:
            self._first_touch()

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Keep one point of several metrics, at one step; all of them or, on an error, none."""
        if type(metrics) is dict and (step is None or type(step) is int):
            group = self._groups.known.get(tuple(metrics))
            if group is not None:
                at = group.last + 1 if step is None else step
                try:
                    group.put(at, now(), metrics.values())
                except _NOT_PACKED:
                    pass  # said below, or a number of an unusual kind
                else:
                    group.last = at
                    if not self._touched:
                        self._first_touch()
                    return
        self._log_each(metrics, step)

    def log_points(self, key: str, points: Sequence[tuple[int, float, float]]) -> None:
        """Keep points that were made a little earlier: (step, time in s UTC, value) each."""
        if key not in self._steps:
            self._meet(key)
        for step, moment, value in points:
            self._log(key, step, moment, value)
            self._steps[key] = step
        self._first_touch()

    def last_step(self, key: str) -> int | None:
        """The step of the last point of a metric; None where it has none."""
        if key not in self._steps and self._writer.last_step(key) is None:
            return None
        return self._steps[key] if key in self._steps else self._meet(key)

    def _log_each(self, metrics: Mapping[str, Any], step: int | None) -> None:
        if not isinstance(metrics, Mapping):
            raise InvalidValue(f"log_metrics takes a mapping, not a {type(metrics).__name__}")
        values = {name_of(key, "metric"): real(value, key) for key, value in metrics.items()}
        if step is not None:
            step = whole(step, "metrics")
        for key, value in values.items():
            self.log_metric(key, value, step)
        if values:
            self._groups.form(tuple(values), self._writer.row)

    def _meet(self, key: str) -> int:
        """The last step of a key that is met for the first time, or was logged with others."""
        if not self._groups.split(name_of(key, "metric")):
            last = self._writer.last_step(key)
            self._steps[key] = -1 if last is None else last
            self._mark_late(key)
        return self._steps[key]

    def _first_touch(self) -> None:
        self._touched = True
        self._owner.dirty(self)

    def set_tag(self, key: str, value: Any = "") -> None:
        """Set a tag; a bare tag has the value ``""``."""
        self.set_tags({key: value})

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set several tags; all of them or, on ``InvalidValue``, none."""
        plain = {name_of(k, "tag"): to_plain(v, f"tag {k!r}") for k, v in tags.items()}
        clean, hidden = redact.tree(plain)
        with self._lock:
            self.document["tags"].update(clean)
        self._note_hidden("tags", hidden)
        self._changed()

    def set_note(self, markdown: str) -> None:
        """Replace the run's note (Markdown)."""
        clean, hidden = redact.text(str(markdown))
        with self._lock:
            self.document["note"] = clean
        self._note_hidden("note", hidden)
        self._changed()

    # -- its life -----------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._owner.entered(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._owner.left(self)
        if error is None:
            self.end()
        else:
            self.fail(error)

    def end(self, status: str = "finished", *, soon: bool = False) -> None:
        """End the run with a status word, in any case; ending it again does nothing.

        ``soon`` leaves the disk to the thread that saves, within half a second.
        """
        word = status_word(status)
        if not self.open:
            return
        if self.bare_child is not None:
            self.bare_child.end(word)
            self.bare_child = None
        for each in self.attached:
            each.run_ends(self, word)
        self._owner.ended(self)
        with self._lock:
            self.document["status"] = word
            # A clock that was set back meanwhile ends no run before it began.
            self.document["ended"] = max(now(), self.document["started"])
            self._due = True
            if not soon:
                self._finish()
        if soon:
            self._changed()

    def _finish(self) -> None:
        self._due = False
        self._guarded(self._writer.finish)

    def fail(self, error: BaseException) -> None:
        """End the run ``failed``; after a KeyboardInterrupt ``interrupted``."""
        self.note_error(error)
        self.end("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")

    def note_error(self, error: BaseException) -> None:
        """Keep type, message and traceback of an exception, whatever becomes of the run."""
        with self._lock:
            self.document["error"] = describe(error)
        self._changed()

    def amend(self, **fields: Any) -> None:
        """Change fields of the document (ours, not the user's)."""
        with self._lock:
            self.document.update(fields)
        self._changed()

    def append_cell(self, record: Mapping[str, Any]) -> None:
        """Add an executed cell to the run's log of cells."""
        self._writer.append("cells", record)

    def save(self) -> None:
        """Put the document on disk now; a problem becomes one warning."""
        self._touched = False
        with self._lock:
            if self._due:
                self._finish()
            else:
                self._guarded(self._writer.save)

    def _guarded(self, write: Callable[[], None]) -> None:
        try:
            write()
        except (OSError, StoreError) as problem:
            self._owner.warn(f"run {self.name} #{self.number} could not be saved: {problem}")


def describe(error: BaseException) -> dict[str, str]:
    """Type, message and traceback of an exception as redacted text."""
    # TracebackException survives exceptions whose own __str__ raises.
    told = traceback.TracebackException.from_exception(error)
    message, trace = str(told), "".join(told.format())[-_TRACEBACK_LIMIT:]
    return {
        "type": type(error).__name__,
        "message": redact.text(message)[0],
        "traceback": redact.text(trace)[0],
    }
