"""Passes over a DataLoader, and what is computed without gradients in them: validation losses."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any

import torch

from . import torch_names as names
from .torch_loop import Loop
from .torch_values import Late, Number, add


@dataclass(eq=False)
class Pass:
    """One iteration over a DataLoader."""

    loader: weakref.ref[Any]
    batch_size: int | None
    evaluates: bool
    """Whether gradients were off, or the model in eval mode, when it began."""
    role: str | None = None


@dataclass
class _Total:
    name: str
    value: Number | None = None
    weight: float = 0.0
    calls: int = 0
    unsure: bool = False
    """Whether neither a loader nor a name says which data it is of."""


@dataclass
class Evaluation:
    """Losses computed without gradients since the last training step or the last pass."""

    loop: Loop
    in_pass: Pass | None = None
    graded: bool = False
    """Whether gradients were on: a loss that then reaches ``backward`` was for training."""
    totals: dict[tuple[str, names.Site], _Total] = field(default_factory=dict)

    def add(self, loss: Loss, role: str | None, number: Number, size: int) -> None:
        """One loss of a batch of ``size`` rows."""
        key = (role or "val", loss.site)
        total = self.totals.setdefault(key, _Total(loss.name))
        total.unsure = role is None and self.in_pass is None
        total.calls += 1
        total.weight += size
        summed = number if loss.is_sum else _times(number, size)
        total.value = summed if total.value is None else add(total.value, summed)

    def log(self) -> None:
        """Each mean, weighted by batch size, at the latest step of its training."""
        roles = [role for role, _ in self.totals]
        for (role, _), total in self.totals.items():
            if total.unsure and (total.calls > 1 or not self.loop.validates_now()):
                told = "neither a DataLoader nor a name says which data they are of"
                self.loop.fit.note(f"losses without gradients: {told}", "skipped")
            elif total.value is not None and total.weight:
                name = "loss" if roles.count(role) == 1 else total.name
                self.loop.point(f"{role}_{name}", _times(total.value, 1 / total.weight))


@dataclass(frozen=True)
class Loss:
    """A call of one of torch's loss functions."""

    name: str
    site: names.Site
    in_module: bool
    """Whether a module of the user's makes the call, which may make something else of it."""
    is_sum: bool


def _times(number: Number, factor: float) -> Number:
    if isinstance(number, float):
        return number * factor
    with torch.no_grad():
        return Late(number.tensor * factor)  # not yet asked for, so still on its device


class Passes:
    """Where one thread is: in which pass, of which training, in validation or not."""

    def __init__(self) -> None:
        self.training: Pass | None = None
        self.latest: Pass | None = None
        self.evaluation: Evaluation | None = None
        self.evaluated: weakref.ref[Loop] | None = None
        """The training whose model is in eval mode."""
        self._trained: weakref.WeakSet[Any] = weakref.WeakSet()

    def begin(self, loader: Any, loop: Loop | None) -> None:
        """An iteration over a loader begins."""
        self.finish()
        size = getattr(loader, "batch_size", None)
        if size is None:
            size = getattr(getattr(loader, "batch_sampler", None), "batch_size", None)
        evaluates = not torch.is_grad_enabled() or self.evaluated_loop() is not None
        codes = loop.codes if loop is not None else {}
        known = "training" if loader in self._trained else None
        size = size if type(size) is int else None
        role = known or names.role(codes)
        self.latest = Pass(weakref.ref(loader), size, evaluates, role)

    def trains(self, loop: Loop) -> bool:
        """A step was made; whether it is the first one of a pass."""
        found = self.latest
        if found is None or found is self.training or found.evaluates:
            return False
        self.training = found
        loader = found.loader()
        if loader is not None:
            self._trained.add(loader)
        return True

    def evaluated_loop(self) -> Loop | None:
        """The training whose model is in eval mode."""
        return self.evaluated() if self.evaluated is not None else None

    def saw(self, loss: Loss, number: Number, size: int, loop: Loop) -> None:
        """A loss of a batch was computed that is not trained on."""
        within = self.latest
        if within is not None and within is self.training:
            within = None
        if within is not None:
            within.evaluates = True
        if self.evaluation is None or self.evaluation.loop is not loop:
            self.finish()
            self.evaluation = Evaluation(loop, within)
            loop.finish_evaluation = self.finish
        self.evaluation.graded |= torch.is_grad_enabled()
        role = names.role(loop.codes) or (within.role if within is not None else None)
        self.evaluation.add(loss, role, number, size)

    def finish(self) -> None:
        """Log the validation that is over."""
        found, self.evaluation = self.evaluation, None
        if found is not None:
            found.log()

    def forget(self) -> None:
        """A backward came: what was computed with gradients just before was for training."""
        if self.evaluation is not None and self.evaluation.graded:
            self.evaluation = None
        self.finish()
