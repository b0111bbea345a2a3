"""The trainings of this process: what the hooks see becomes losses, steps, epochs and validations.

A training begins with the first step of an optimizer. Its loss is what ``backward`` was called on
since the step before.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from types import FrameType
from typing import Any

import torch
from torch.optim import optimizer as optimizers

from .. import settings
from ..capture import outermost
from ..capture import session as sessions
from ..capture.patch import Steps
from . import torch_describe as describe
from . import torch_losses as losses_of
from . import torch_models as models
from . import torch_names as names
from .quiet import is_quiet
from .torch_loop import Loop, Part
from .torch_parts import Parts
from .torch_passes import Loss, Passes
from .torch_values import Number, add, take

_MOST_SCALED = 16
_MOST_CALLED = 50
# Whether tracking was switched off is looked at no more often.
_LOOK_S = 0.1


class _Process:
    """Whether this process was forked from one that has the hooks: its runs are its parent's."""

    is_child = False

    def forked(self) -> None:
        self.is_child = True


_process = _Process()
os.register_at_fork(after_in_child=_process.forked)


class _Here:
    """What one thread is in the middle of."""

    def __init__(self) -> None:
        self.losses: dict[str | None, Number] = {}
        self.stepping: weakref.ref[Any] | None = None
        self.in_backward = False
        self.in_scheduler = False
        self.scaled: list[tuple[weakref.ref[Any], Number]] = []
        self.called: list[tuple[weakref.ref[Any], Loss]] = []
        self.names: list[str] = []
        self.norm: Number | None = None
        self.unstepped = False
        self.passes = Passes()
        self.loop: Loop | None = None


class _Threads(threading.local):
    def __init__(self) -> None:
        self.here = _Here()


class Trainings:
    """The trainings of this process; ``install`` makes one and hooks it in."""

    def __init__(self) -> None:
        self._threads = _Threads()
        self.norm = settings.wanted("gradient_norm", False)
        self._parts = Parts()
        self._direct: set[names.Site] = set()
        self._curious = True
        self._on_until = 0.0

    def _is_on(self, moment: float) -> bool:
        on = sessions.current.is_on()
        if on:
            self._on_until = moment + _LOOK_S
        return on

    def stop(self) -> None:
        """The hooks are out: log what waits, and forget."""
        self._parts.clear()

    @property
    def here(self) -> _Here:
        """What this thread is in the middle of."""
        return self._threads.here

    # -- backward ------------------------------------------------------------------------------

    def after_backward(self, here: _Here, tensors: Any, frame: FrameType) -> None:
        """``backward`` was called on these: scalars are losses, of the step that follows."""
        if here.passes.evaluation is not None:
            here.passes.forget()
        every = tensors if isinstance(tensors, list | tuple) else (tensors,)
        if self._curious:
            self._learn(every)
        if here.stepping is not None and here.losses:
            return  # a closure that is called again: the first loss is that of the step
        losses, name = here.losses, names.loss_name(frame)
        for tensor in every:
            number = self._value(tensor) if here.scaled else take(tensor)
            if number is not None:
                losses[name] = add(losses[name], number) if name in losses else number
        if here.scaled:
            here.scaled.clear()

    def _value(self, tensor: Any) -> Number | None:
        for scaled, number in self.here.scaled:
            if scaled() is tensor:
                return number
        return take(tensor)

    def _learn(self, tensors: Sequence[Any]) -> None:
        """Which loss functions the training has."""
        here = self.here
        for result, loss in here.called:
            if any(result() is tensor for tensor in tensors):
                self._direct.add(loss.site)
            if loss.name not in here.names:
                here.names.append(loss.name)
        here.called.clear()

    # -- steps ---------------------------------------------------------------------------------

    def before_step(self, optimizer: Any, has_closure: bool) -> None:
        """A step begins, which with a closure computes its losses itself."""
        here = self.here
        outer = here.stepping() if here.stepping is not None else None
        if outer is not None and outer is not optimizer and _is_stepping(outer):
            return  # an optimizer that steps another
        here.stepping = weakref.ref(optimizer)
        if self.norm and not has_closure:
            here.norm = _norm(optimizer)

    def after_step(self, optimizer: Any) -> None:
        """A step was made."""
        here = self.here
        if here.stepping is None or here.stepping() is not optimizer:
            return
        here.stepping, here.unstepped = None, False
        self._account(optimizer)

    def _account(self, optimizer: Any) -> None:
        here = self.here
        losses, here.losses = here.losses, {}
        norm, here.norm = here.norm, None
        moment = time.time()
        if is_quiet() or _process.is_child or outermost.running() is not None:
            return
        if moment > self._on_until and not self._is_on(moment):
            return
        found = self._parts.of(optimizer)
        if found is None:
            found = self._met(optimizer, bool(losses))
            if found is None:
                return
        part, loop = found
        here.loop = loop
        if here.passes.trains(loop):
            self._log_pass(loop)
        if norm is not None:
            loop.part_point(part, "gradient_norm", norm)
        loop.stepped(part, losses, describe.lrs(optimizer), moment)

    def _met(self, optimizer: Any, has_loss: bool) -> tuple[Part, Loop] | None:
        """An optimizer makes its first step, or its first in this run."""
        here = self.here
        if models.rank() != 0:
            return None
        found = self._parts.add(optimizer, here.loop, has_loss)
        self.norm = settings.wanted("gradient_norm", False)
        self._curious = False
        functions, here.names = here.names, []
        if found is not None and functions:
            found[1].fact("loss_function", ", ".join(functions))
        return found

    def _log_pass(self, loop: Loop) -> None:
        found = self.here.passes.training
        if found is not None and found.batch_size is not None:
            loop.fact("batch_size", found.batch_size)
        loop.begin_epoch()

    # -- what else shows -------------------------------------------------------------------------

    def around_making(self, optimizer: Any, params: Any, *_: Any, **__: Any) -> Steps:
        """An optimizer is made."""
        models.note_made(optimizer, params)
        self._curious = True
        return
        yield

    def cleared(self, optimizer: Any) -> None:
        """Gradients are set to zero: losses that no step was made of are of no use any more."""
        here = self.here
        if not here.losses or here.stepping is not None:
            return
        found = self._parts.known(optimizer)
        alone = len(found[1].parts) == 1 if found is not None else len(models.made) == 1
        if alone:
            here.losses.clear()

    def around_scale(self, scaler: Any, outputs: Any) -> Steps:
        """A loss is scaled for mixed precision: its value is the one before."""
        number = take(outputs) if isinstance(outputs, torch.Tensor) else None
        outcome = yield
        if number is not None and isinstance(outcome.result, torch.Tensor):
            scaled = self.here.scaled
            scaled.append((weakref.ref(outcome.result), number))
            del scaled[:-_MOST_SCALED]

    def around_scaled_step(self, scaler: Any, optimizer: Any, *_: Any, **__: Any) -> Steps:
        """A step that the scaler may leave out counts, too: its loss was computed."""
        here = self.here
        here.unstepped = True
        outcome = yield
        if here.unstepped and outcome.error is None:
            self._account(optimizer)
        here.unstepped = False

    def around_scheduler(self, scheduler: Any, *_: Any, **__: Any) -> Steps:
        """A scheduler of learning rates makes a step; the outermost one counts."""
        here = self.here
        if here.in_scheduler:
            return
        here.in_scheduler = True
        yield
        here.in_scheduler = False
        self._parts.schedule(getattr(scheduler, "optimizer", None), type(scheduler).__name__)

    def around_loader(self, loader: Any) -> Steps:
        """A pass over a loader begins."""
        if not is_quiet() and not _process.is_child:
            self.here.passes.begin(loader, self.here.loop)
        return
        yield

    def turned(self, model: Any, trains: bool) -> None:
        """A module was put into train or eval mode."""
        loop = self._parts.loop_of(model)
        if loop is None:
            return
        passes = self.here.passes
        if trains:
            passes.finish()
        passes.evaluated = None if trains else weakref.ref(loop)

    def saw_loss(self, name: str, result: Any, args: tuple[Any, ...], kwargs: Any) -> None:
        """One of torch's loss functions was called."""
        here = self.here
        if not self._curious and result.requires_grad and here.passes.evaluated is None:
            return
        evaluated = here.passes.evaluated_loop()
        trained_on = result.requires_grad and evaluated is None
        if result.dim() or is_quiet():
            return
        loop = evaluated or here.loop
        if loop is None and not trained_on:
            return
        loss = _loss(name, kwargs)
        if self._curious and result.requires_grad:
            here.called.append((weakref.ref(result), loss))
            del here.called[:-_MOST_CALLED]
        if trained_on or loop is None or _process.is_child:
            return
        if loss.in_module and loss.site not in self._direct:
            loop.fit.note(f"{loss.name} inside a module is no validation loss", "skipped")
            return
        number = take(result)
        if number is not None and args and isinstance(args[0], torch.Tensor):
            size = args[0].shape[0] if args[0].dim() else 1
            here.passes.saw(loss, number, size, loop)


def _loss(name: str, kwargs: dict[str, Any]) -> Loss:
    frame = names.user_frame()
    assert frame is not None
    inner: Any = sys._getframe(1)
    while inner is not frame and inner is not None:
        name = losses_of.class_of(inner, name)
        inner = inner.f_back
    in_module = names.is_in_module(frame)
    return Loss(name, names.site_of(frame), in_module, kwargs.get("reduction") == "sum")


def _norm(optimizer: Any) -> Number | None:
    grads = [p.grad for g in optimizer.param_groups for p in g["params"] if p.grad is not None]
    if not grads or is_quiet():
        return None
    with torch.no_grad():
        return take(torch.nn.utils.get_total_norm(grads))


def _is_stepping(optimizer: Any) -> bool:
    """Whether the optimizer's step is under way, and has not failed."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        if frame.f_code is _STEP and frame.f_locals.get("self") is optimizer:
            return True
        frame = frame.f_back
    return False


_STEP = next(
    c for c in optimizers.Optimizer.profile_hook_step.__code__.co_consts if hasattr(c, "co_name")
)
