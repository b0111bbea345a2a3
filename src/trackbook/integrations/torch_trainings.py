"""The trainings of this process: what the hooks see becomes losses, steps, epochs and validations.

A training begins with the first step of an optimizer. Its loss is what ``backward`` was called on
since the step before.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from typing import Any

import torch
from torch.optim import optimizer as optimizers

from .. import settings
from ..capture import fits, outermost
from ..capture import session as sessions
from ..capture.patch import Steps
from . import torch_describe as describe
from . import torch_losses as losses_of
from . import torch_models as models
from . import torch_names as names
from .quiet import is_quiet
from .torch_loop import Loop, Part
from .torch_passes import Loss, Passes
from .torch_values import Number, add, take

_MOST_SCALED = 16
_MOST_CALLED = 50


class _Here(threading.local):
    """What one thread is in the middle of."""

    def __init__(self) -> None:
        self.pid = os.getpid()
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


class Trainings:
    """The trainings of this process; ``install`` makes one and hooks it in."""

    def __init__(self) -> None:
        self.here = _Here()
        self.norm = settings.wanted("gradient_norm", False)
        self._parts: dict[int, tuple[weakref.ref[Any], Part, Loop]] = {}
        self._models: weakref.WeakKeyDictionary[Any, Loop] = weakref.WeakKeyDictionary()
        self._schedulers: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
        self._direct: set[names.Site] = set()
        self._watch = models.ForwardWatch()
        self._awaited: set[int] = set()
        self._curious = True

    def stop(self) -> None:
        """The hooks are out: log what waits, and forget."""
        for _, _, loop in self._parts.values():
            loop.finish_evaluation()
            loop.catch_up()
        self._parts.clear()
        self._watch.disarm()

    # -- backward ------------------------------------------------------------------------------

    def around_backward(self, tensors: Any = None, *_: Any, **__: Any) -> Steps:
        """A loss is whatever scalar ``backward`` is called on; its value before that counts."""
        here = self.here
        if here.in_backward or is_quiet():
            return
        every = tensors if isinstance(tensors, list | tuple) else [tensors]
        found = [(t, number) for t in every if (number := self._value(t)) is not None]
        if not found:
            return
        here.in_backward = True
        outcome = yield
        here.in_backward = False
        if outcome.error is None:
            self._took([t for t, _ in found], [number for _, number in found])

    def _value(self, tensor: Any) -> Number | None:
        for scaled, number in self.here.scaled:
            if scaled() is tensor:
                return number
        return take(tensor) if isinstance(tensor, torch.Tensor) else None

    def _took(self, tensors: list[Any], numbers: list[Number]) -> None:
        here = self.here
        here.scaled.clear()
        here.passes.forget()
        if self._curious:
            self._learn(tensors)
        if here.stepping is not None and here.losses:
            return  # a closure that is called again: the first loss is that of the step
        name = names.loss_name()
        for number in numbers:
            here.losses[name] = add(here.losses.get(name), number)

    def _learn(self, tensors: list[Any]) -> None:
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
        if is_quiet() or os.getpid() != here.pid or outermost.running() is not None:
            return
        if not sessions.current.is_on():
            return
        found = self._place(optimizer, bool(losses))
        if found is None:
            return
        part, loop = found
        here.loop = loop
        if here.passes.trains(loop):
            self._log_pass(loop)
        if norm is not None:
            loop.part_point(part, "gradient_norm", norm)
        loop.stepped(part, losses, describe.lrs(optimizer))

    def _log_pass(self, loop: Loop) -> None:
        found = self.here.passes.training
        if found is not None and found.batch_size is not None:
            loop.fact("batch_size", found.batch_size)
        loop.begin_epoch()

    # -- which training --------------------------------------------------------------------------

    def _place(self, optimizer: Any, has_loss: bool) -> tuple[Part, Loop] | None:
        entry = self._parts.get(id(optimizer))
        if entry is not None and entry[0]() is optimizer and self._goes_on(entry[2]):
            if id(optimizer) in self._awaited:
                self._complete(optimizer, entry[2])
            return entry[1], entry[2]
        if models.rank() != 0:
            return None
        loop = self._joined(optimizer, has_loss) or self._begun(optimizer)
        if loop is None:
            return None
        name = self._name(optimizer)
        hyper, left_out = describe.hyper_parameters(optimizer)
        if left_out:
            loop.fit.note(f"hyper-parameters of {left_out} more param groups left out")
        if optimizer in self._schedulers:
            hyper["scheduler"] = self._schedulers[optimizer]
        part = Part(name, hyper)
        loop.join(part)
        key = id(optimizer)
        ref = weakref.ref(optimizer, lambda _: self._parts.pop(key, None))
        self._parts[key] = (ref, part, loop)
        self._meet_models(optimizer, loop)
        return part, loop

    def _goes_on(self, loop: Loop) -> bool:
        """Whether a further step belongs to the run of those before it."""
        active, cell = sessions.current.active(), sessions.current.cell
        if active is loop.active:
            return loop.run.open or cell is None or cell.key != loop.cell_key
        if active is None:
            # Another cell goes on with the training; its own cell, executed again, begins anew.
            return cell is not None and cell.key != loop.cell_key
        return active is loop.run

    def _joined(self, optimizer: Any, has_loss: bool) -> Loop | None:
        """The training under way that the optimizer is a part of."""
        loop = self.here.loop
        if loop is None or not self._goes_on(loop) or not loop.run.open:
            return None
        held, _ = models.of(optimizer)
        inner = [describe.inner(model) for model, _ in held]
        if not has_loss or any(self._models.get(model) is loop for model in inner):
            return loop
        known = models.made.get(optimizer)
        before = known is None or known.serial <= loop.serial
        return loop if before and loop.is_young() else None

    def _begun(self, optimizer: Any) -> Loop | None:
        held, _ = models.of(optimizer)
        inner = [type(describe.inner(model)).__name__ for model, _ in held]
        active = sessions.current.active()
        fit = fits.begin(inner[0] if inner else type(optimizer).__name__, lasts=True)
        if fit is None:
            return None
        cell = sessions.current.cell
        loop = Loop(fit, cell.key if cell is not None else None, models.Serial.last)
        if active is not None and active.open:
            loop.attach(active)
        loop.active = sessions.current.active()
        loop.codes = {frame.f_code for frame in names.user_frames()}
        self.here.loop = loop
        self.norm = settings.wanted("gradient_norm", False)
        return loop

    def _name(self, optimizer: Any) -> str:
        known = models.made.get(optimizer)
        made = known.name if known is not None else None
        return made or names.stepped_name() or "optimizer"

    def _meet_models(self, optimizer: Any, loop: Loop) -> None:
        held, whole = models.of(optimizer)
        for model, name in held:
            self._add_model(loop, model, name)
        if not whole and self._watch.arm():
            self._awaited.add(id(optimizer))
        elif not held:
            loop.lacks_model(optimizer)
        self._tell_losses(loop)

    def _complete(self, optimizer: Any, loop: Loop) -> None:
        """The step after the first: modules were watched meanwhile."""
        found = self._watch.models_of(optimizer)
        for model, name in found:
            self._add_model(loop, model, name)
        if not found and not loop.models:
            loop.lacks_model(optimizer)
        self._awaited.discard(id(optimizer))
        if not self._awaited:
            self._watch.disarm()

    def _add_model(self, loop: Loop, model: Any, name: str | None) -> None:
        loop.add_model(model, name)
        for each in (model, describe.inner(model)):
            self._models[each] = loop

    def _tell_losses(self, loop: Loop) -> None:
        self._curious = False
        found, self.here.names = self.here.names, []
        if found:
            loop.fact("loss_function", ", ".join(found))

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
        entry = self._parts.get(id(optimizer))
        alone = len(entry[2].parts) == 1 if entry is not None else len(models.made) == 1
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
        optimizer = getattr(scheduler, "optimizer", None)
        name = type(scheduler).__name__
        if optimizer is None or self._schedulers.get(optimizer) == name:
            return
        self._schedulers[optimizer] = name
        entry = self._parts.get(id(optimizer))
        if entry is not None:
            entry[2].part_fact(entry[1], "scheduler", name)

    def around_loader(self, loader: Any) -> Steps:
        """A pass over a loader begins."""
        if not is_quiet() and os.getpid() == self.here.pid:
            self.here.passes.begin(loader, self.here.loop)
        return
        yield

    def turned(self, model: Any, trains: bool) -> None:
        """A module was put into train or eval mode."""
        loop = self._models.get(model)
        if loop is None:
            return
        passes = self.here.passes
        if trains:
            passes.finish()
        passes.evaluated = None if trains else weakref.ref(loop)

    def saw_loss(self, name: str, result: Any, args: tuple[Any, ...], kwargs: Any) -> None:
        """One of torch's loss functions was called."""
        here = self.here
        evaluated = here.passes.evaluated_loop()
        trained_on = result.requires_grad and evaluated is None
        if (trained_on and not self._curious) or result.dim() or is_quiet():
            return
        loop = evaluated or here.loop
        if loop is None and not trained_on:
            return
        loss = _loss(name, kwargs)
        if self._curious and result.requires_grad:
            here.called.append((weakref.ref(result), loss))
            del here.called[:-_MOST_CALLED]
        if trained_on or loop is None or os.getpid() != here.pid:
            return
        if loss.in_module and loss.site not in self._direct:
            loop.fit.note(f"{loss.name} inside a module is no validation loss", "skipped")
            return
        number = take(result)
        if number is not None and args and isinstance(args[0], torch.Tensor):
            size = args[0].shape[0] if args[0].dim() else 1
            here.passes.saw(loss, number, size, loop)


def _loss(name: str, kwargs: dict[str, Any]) -> Loss:
    frame = next(names.user_frames())
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
