"""One training: its run, its optimizers, and the points that wait until their names are settled."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from ..capture import fitmodels
from ..capture import session as sessions
from ..capture.fits import Fit
from ..capture.live import ActiveRun
from ..capture.patch import Guard
from ..capture.surroundings import Cell
from . import torch_describe as describe
from .torch_values import Late, Number, Readback

# Points wait so long for names: a second optimizer or a second loss may show until then.
_SETTLE_S = 2.0
_SETTLE_POINTS = 64
_FLUSH_S = 0.25
_YOUNG_STEPS = 100
_FLUSH_POINTS = 64


def _nothing() -> None:
    """No validation is under way."""


Raw = tuple[str, "Part | None", str | None]


@dataclass(eq=False)
class Part:
    """An optimizer of a training."""

    name: str
    params: dict[str, Any]
    steps: int = 0
    lrs: dict[str, float] = field(default_factory=dict)
    losses: list[str | None] = field(default_factory=list)
    """The variables of its losses, as they were met."""
    several: bool = False
    """Whether a step of it had more than one loss."""


@dataclass(frozen=True)
class Described:
    """A model of a training, told about while it is there."""

    name: str
    params: dict[str, Any]
    summary: str


class Loop:
    """A training that a plain loop makes; it holds neither models nor optimizers alive."""

    def __init__(self, fit: Fit, serial: int) -> None:
        self.fit = fit
        self.home: ActiveRun | None = None
        """The user's own run that it began in."""
        self.cell: Cell | None = None
        self.serial = serial
        """How many optimizers there had been when it began."""
        self.parts: list[Part] = []
        self.models: list[weakref.ref[Any]] = []
        self._described: list[Described] = []
        self.checked: tuple[Any, int, Cell | None] = (None, 0, None)
        """Where everything stood when its place was last looked at."""
        self.epochs = 0
        self.codes: dict[int, CodeType] = {}
        """The user's functions that were at work when it stepped."""
        self._facts: dict[str, Any] = {}
        self._points: list[tuple[Raw, int, float, Number]] = []
        self._names: dict[Raw, str | None] = {}
        self._last: dict[str, int] = {}
        self._readback = Readback()
        self._settled = False
        self._flushed = fit.started
        self._moment = fit.started
        self._validated = -1
        self._ended = False
        self.finish_evaluation: Callable[[], None] = _nothing
        """Logs the validation that is under way."""
        self._guard = Guard("torch points")
        self._lock = threading.RLock()
        self.attach(fit.run)
        sessions.current.afterwork.behind.add(self)

    # -- what it is ------------------------------------------------------------------------------

    @property
    def run(self) -> ActiveRun:
        """Where its values go now."""
        return self.fit.run

    @property
    def step(self) -> int:
        """The number of the latest step, from 0; -1 before the first."""
        return max((part.steps for part in self.parts), default=0) - 1

    def join(self, part: Part) -> None:
        """One more optimizer; names that are taken get a number."""
        taken = {other.name for other in self.parts}
        if part.name in taken:
            count = sum(name.rstrip("0123456789_") == part.name for name in taken)
            part.name = f"{part.name}_{count}"
        self.parts.append(part)
        if self._settled:
            self.fit.log_params({f"{part.name}.{key}": v for key, v in part.params.items()})

    def add_model(self, model: Any, name: str | None) -> bool:
        """One more model that is trained; False where it is known."""
        inner = describe.inner(model)
        if any(known() is inner for known in self.models):
            return False
        kind = type(inner).__name__
        self.models.append(weakref.ref(inner))
        params = {"model": kind, **describe.counts(inner.parameters())}
        self._described.append(Described(name or kind, params, describe.summary(inner)))
        if describe.is_compiled(model):
            told = "loss functions that are called inside it, and the modules it is made of"
            self.fit.note(f"{kind} is compiled: {told}, are not seen", "skipped")
        if self._settled:
            self._log_models(self._described[-1:])
        return True

    def is_young(self) -> bool:
        """Whether an optimizer that makes its first step now may be a part of it."""
        return self.epochs <= 1 and self.step < _YOUNG_STEPS

    def begin_epoch(self) -> None:
        """A pass over the training data begins, with the step that is being made."""
        self.epochs += 1
        with self._lock:
            self._put(("", None, "epoch"), self.step + 1, time.time(), float(self.epochs - 1))

    def lacks_model(self, optimizer: Any) -> None:
        """No module of an optimizer's parameters was found: they are counted at least."""
        self.fit.note("the model is not known: no module with these parameters was met", "skipped")
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for key, value in describe.counts(parameters).items():
            self.fact(key, value)

    def part_fact(self, part: Part, key: str, value: Any) -> None:
        """A param of one optimizer."""
        part.params[key] = value
        if self._settled:
            self.fit.log_params({self._prefix(part) + key: value})

    def _prefix(self, part: Part) -> str:
        return f"{part.name}." if len(self.parts) > 1 else ""

    def fact(self, key: str, value: Any) -> None:
        """A param of the training as a whole."""
        if self._facts.get(key) != value:
            self._facts[key] = value
            if self._settled:
                self.fit.log_params({key: value})

    # -- points ----------------------------------------------------------------------------------

    def stepped(
        self, part: Part, losses: dict[str | None, Number], lrs: dict[str, float], moment: float
    ) -> None:
        """A step of one of its optimizers: its losses by variable, its learning rates, when."""
        self._moment = moment
        step = part.steps
        part.steps += 1
        with self._lock:
            if len(losses) > 1:
                part.several = True
            for name, number in losses.items():
                if name not in part.losses:
                    part.losses.append(name)
                self._put(("loss", part, name), step, moment, number)
            if lrs != part.lrs:
                for key, value in lrs.items():
                    if part.lrs.get(key) != value:
                        self._put(("lr", part, key), step, moment, value)
                part.lrs = lrs
            if len(self._points) >= _FLUSH_POINTS or moment - self._flushed > _FLUSH_S:
                self._advance(moment)

    def point(self, key: str, number: Number) -> None:
        """A point of the training as a whole, at its latest step."""
        with self._lock:
            self._put(("", None, key), max(self.step, 0), time.time(), number)

    def validates_now(self) -> bool:
        """Whether a loss without gradients, of unknown data, can be one of validation.

        One after each step of a pass over a loader is rather a second metric of the training.
        """
        before, self._validated = self._validated, self.step
        return self.epochs == 0 or self.step - before > 1

    def part_point(self, part: Part, key: str, number: Number) -> None:
        """A point of one optimizer, at the step it is about to make."""
        with self._lock:
            self._put(("part", part, key), part.steps, time.time(), number)

    def _put(self, raw: Raw, step: int, moment: float, number: Number) -> None:
        if isinstance(number, Late):
            self._readback.expect(number)
        self._points.append((raw, step, moment, number))

    def _advance(self, moment: float) -> None:
        self._flushed = moment
        if not self._settled:
            enough = len(self._points) >= _SETTLE_POINTS
            if not enough and moment - self.fit.started < _SETTLE_S:
                return
            self.settle()
        self._readback.poll()
        self._flush()

    def settle(self) -> None:
        """Names are decided by what is known now; params are logged."""
        if self._settled:
            return
        self._settled = True
        for part in self.parts:
            start = self._prefix(part)
            self.fit.log_params({start + key: value for key, value in part.params.items()})
        self._log_models(self._described)
        self.fit.log_params(self._facts)

    def _log_models(self, models: list[Described]) -> None:
        for model in models:
            start = f"{model.name}." if len(self.models) > 1 else ""
            self.fit.log_params({start + key: value for key, value in model.params.items()})
            self.fit.log_text(model.summary, f"{start}model_summary.txt")

    def _flush(self) -> None:
        ready: dict[str, list[tuple[int, float, float]]] = {}
        done = 0
        for raw, step, moment, number in self._points:
            value = number.value if isinstance(number, Late) else number
            if value is None:
                break
            done += 1
            key = self._key(raw)
            if key is not None:
                ready.setdefault(key, []).append((step, moment, value))
        del self._points[:done]
        for key, points in ready.items():
            if self._is_ours(key):
                self.fit.log_points(key, points)
                self._last[key] = points[-1][0]

    def _is_ours(self, key: str) -> bool:
        """Whether nobody else logs the metric; then what the code logs by itself is enough."""
        if self.run.last_step(key) == self._last.get(key):
            return True
        for raw, name in self._names.items():
            if name == key:
                self._names[raw] = None
        self.fit.note(f"{key} is not taken from the loop: the code logs it by itself", "skipped")
        return False

    def _key(self, raw: Raw) -> str | None:
        if raw not in self._names:
            self._names[raw] = self._named(raw)
        return self._names[raw]

    def _named(self, raw: Raw) -> str:
        kind, part, name = raw
        if part is None:
            return str(name)
        if kind != "loss":
            return f"{part.name}.{name}" if len(self.parts) > 1 else str(name)
        with_losses = [other for other in self.parts if other.losses]
        if not part.several:
            if len(with_losses) == 1:
                return "loss"
            name = part.losses[0]
        others = {other for part_ in with_losses if part_ is not part for other in part_.losses}
        return f"{part.name}.{name or 'loss'}" if name is None or name in others else name

    # -- its run (live.Attached) -----------------------------------------------------------------

    def attach(self, run: ActiveRun) -> None:
        """Log what waits before the run ends, which this training's run may be a child of."""
        if self not in run.attached:
            run.attached.append(self)

    def catch_up(self) -> None:
        """Log what waits; numbers on a device are waited for."""
        self._guard.run(self._catch_up)

    def _catch_up(self) -> None:
        self.finish_evaluation()
        with self._lock:
            self.settle()
            self._readback.finish()
            self._flush()

    def run_ends(self, run: ActiveRun, status: str) -> None:
        """Its run ends, or the one above that, which takes it along."""
        self.catch_up()
        if self._ended:
            return
        self._ended = True
        self._guard.run(self._tell)
        self._guard.run(self._offer_model)
        if self.run is not run and self.run.open:
            self.run.end(status)
            self.run.amend(ended=self._moment)

    def _tell(self) -> None:
        for part in self.parts:
            optimizer = part.params["optimizer"]
            told = f"{part.steps:,} steps of {part.name} ({optimizer})"
            self.fit.note(f"{told}, {self.epochs} passes over a DataLoader", "captured", "torch")

    def _offer_model(self) -> None:
        models = [model for known in self.models if (model := known()) is not None]
        if len(models) == 1 == len(self.models):
            fitmodels.offer(self.fit, models[0], self._moment - self.fit.started)
        elif self.models:
            told = "is gone" if len(self.models) == 1 else "is one of several"
            self.fit.note(f"the model {told}: its state is not kept by itself", "skipped", "model")
