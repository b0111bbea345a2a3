"""The calls of torch's loss functions: which one a training has, and its value in validation.

``torch.nn.functional`` is wrapped, since its functions serve the loss modules too. A wrapper steps
aside for compilers, scripts and tensors that take over the call.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import has_torch_function

from ..capture.patch import UNSEEN, Guard, Patches

Seen = Callable[[str, Any, tuple[Any, ...], dict[str, Any]], None]

FUNCTIONS = (
    *("binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding_loss"),
    *("cross_entropy", "ctc_loss", "gaussian_nll_loss", "hinge_embedding_loss", "huber_loss"),
    *("kl_div", "l1_loss", "margin_ranking_loss", "mse_loss", "multi_margin_loss"),
    *("multilabel_margin_loss", "multilabel_soft_margin_loss", "nll_loss", "poisson_nll_loss"),
    *("smooth_l1_loss", "soft_margin_loss", "triplet_margin_loss"),
)
_MODULES = "torch.nn.modules.loss"


def install(patches: Patches, seen: Seen) -> None:
    """Have ``seen(name, result, args, kwargs)`` called after each loss function."""
    guard = Guard("torch losses")
    for name in FUNCTIONS:
        if hasattr(functional, name):
            patches.wrap(functional, name, functools.partial(_wrapper, guard, name, seen))


def _wrapper(guard: Guard, name: str, seen: Seen, call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def loss(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if torch.compiler.is_compiling():
            return call(*args, **kwargs)
        if has_torch_function(args):
            return _given_over(name, loss, call, args, kwargs)
        with UNSEEN:
            result = call(*args, **kwargs)
        guard.run(seen, name, result, args, kwargs)
        return result

    # What torch.jit.script goes by to take the original instead.
    loss.__original_fn = call  # type: ignore[attr-defined]
    loss.__script_if_tracing_wrapper = True  # type: ignore[attr-defined]
    return loss


def _given_over(
    name: str,
    wrapper: Callable[..., Any],
    call: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    # The function hands itself, by its name in its module, to the tensor that takes over.
    if vars(functional).get(name) is not wrapper:
        return call(*args, **kwargs)
    setattr(functional, name, call)
    try:
        return call(*args, **kwargs)
    finally:
        setattr(functional, name, wrapper)


def class_of(frame: Any, function: str) -> str:
    """The class of torch's loss module that makes the call in ``frame``, else the function."""
    if frame is not None and frame.f_globals.get("__name__") == _MODULES:
        return str(frame.f_code.co_qualname.partition(".")[0])
    return function
