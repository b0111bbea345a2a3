"""PyTorch, a plain loop: the hooks, official ones where torch has them.

Compiled code runs as without us, and is not seen.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch.optim import optimizer as optimizers
from torch.utils.data import DataLoader

from ..capture.patch import UNSEEN, Guard, Hook, Patches, Wrapper, guarded
from . import torch_losses as losses
from .torch_trainings import Trainings

TESTED = ("torch", "2.13", "2.14")


def install(patches: Patches) -> None:
    """Put the hooks in."""
    all_ = Trainings()
    guard = Guard("torch steps")

    def before(optimizer: Any, args: Any, kwargs: Any) -> None:
        if not torch.compiler.is_compiling():
            guard.run(all_.before_step, optimizer, len(args) > 1 or bool(kwargs))

    def after(optimizer: Any, args: Any, kwargs: Any) -> None:
        if not torch.compiler.is_compiling():
            guard.run(all_.after_step, optimizer)

    patches.also(optimizers.register_optimizer_step_pre_hook(before).remove)
    patches.also(optimizers.register_optimizer_step_post_hook(after).remove)
    patches.also(all_.stop)
    patches.wrap(torch.autograd, "backward", functools.partial(_backward, all_))
    made = _aside(all_.around_making, "torch optimizers")
    patches.replace(optimizers.Optimizer, "__init__", made)
    patches.replace(DataLoader, "__iter__", _aside(all_.around_loader, "torch loaders"))
    scaler = torch.amp.grad_scaler.GradScaler
    patches.replace(scaler, "scale", _aside(all_.around_scale, "torch gradient scalers"))
    patches.replace(scaler, "step", _aside(all_.around_scaled_step, "torch gradient scalers"))
    scheduled = _aside(all_.around_scheduler, "torch schedulers")
    for kind in vars(torch.optim.lr_scheduler).values():
        if isinstance(kind, type) and "step" in vars(kind) and hasattr(kind, "get_last_lr"):
            patches.replace(kind, "step", scheduled)
    _replace(patches, optimizers.Optimizer, "zero_grad", lambda o, *_, **__: all_.cleared(o))
    _replace(patches, torch.nn.Module, "train", _told_mode(all_))
    losses.install(patches, all_.saw_loss)


def _backward(all_: Trainings, call: Wrapper) -> Wrapper:
    """The wrapper of ``backward``, which each step pays for: not by way of ``guarded``."""
    guard = Guard("torch losses")

    @functools.wraps(call)
    def backward(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if torch.compiler.is_compiling():
            return call(*args, **kwargs)
        here = all_.here
        if here.in_backward:  # such as a checkpoint's own, inside
            with UNSEEN:
                return call(*args, **kwargs)
        here.in_backward = True
        try:
            with UNSEEN:
                result = call(*args, **kwargs)
        finally:
            here.in_backward = False
        tensors = args[0] if args else kwargs.get("tensors")
        guard.run(all_.after_backward, here, tensors, sys._getframe(1))
        return result

    return backward


def _aside(hook: Hook, what: str) -> Callable[[Wrapper], Wrapper]:
    """A maker of wrappers that call the original alone where a compiler traces them."""
    make_tracked = guarded(hook, what)

    def make(call: Wrapper) -> Wrapper:
        tracked = make_tracked(call)

        @functools.wraps(call)
        def method(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            if torch.compiler.is_compiling():
                return call(*args, **kwargs)
            with UNSEEN:
                return tracked(*args, **kwargs)

        return method

    return make


def _told_mode(all_: Trainings) -> Callable[..., None]:
    def turned(model: Any, mode: bool = True) -> None:
        all_.turned(model, bool(mode))

    return turned


def _replace(patches: Patches, owner: type, name: str, tell: Callable[..., None]) -> None:
    """Have ``tell`` called after a method that a compiler may trace."""
    guard = Guard(f"torch {name}")

    def make(call: Wrapper) -> Wrapper:
        @functools.wraps(call)
        def method(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            if torch.compiler.is_compiling():
                return call(*args, **kwargs)
            with UNSEEN:
                result = call(*args, **kwargs)
            guard.run(functools.partial(tell, *args, **kwargs))
            return result

        return method

    patches.replace(owner, name, make)
