"""Which modules an optimizer trains, and what the user calls both."""

from __future__ import annotations

import sys
import weakref
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn.modules import module as modules

from ..capture.patch import Guard
from . import torch_describe as describe
from . import torch_names as names

_MOST_CALLED = 10_000


@dataclass
class Made:
    """How an optimizer came to be."""

    serial: int
    name: str | None
    models: list[tuple[weakref.ref[Any], str | None]] = field(default_factory=list)


made: weakref.WeakKeyDictionary[Any, Made] = weakref.WeakKeyDictionary()
"""The optimizers that were made while this is on."""


class Serial:
    """Counts the optimizers."""

    last = 0


def note_made(optimizer: Any, params: Any) -> None:
    """An optimizer is about to take its parameters, which perhaps tell whose they are."""
    frame = names.user_frame()
    owners = list(describe.models_behind(params))
    called = names.parameter_owners(frame)
    if len(called) != len(owners):
        called = []
    Serial.last += 1
    models = [(weakref.ref(model), called[i] if called else None) for i, model in enumerate(owners)]
    made[optimizer] = Made(Serial.last, names.made_name(frame), models)


def of(optimizer: Any) -> tuple[list[tuple[Any, str | None]], bool]:
    """The modules that hold the parameters of an optimizer, and whether these are all."""
    known = made.get(optimizer)
    entries = known.models if known is not None else []
    found = [(model, name) for ref, name in entries if (model := ref()) is not None]
    return _chosen(found, optimizer)


def _chosen(found: list[tuple[Any, str | None]], optimizer: Any) -> tuple[list[Any], bool]:
    chosen = [found[i] for i in describe.covering(found, optimizer)]
    held = {id(p) for model, _ in chosen for p in model.parameters()}
    whole = all(id(p) in held for group in optimizer.param_groups for p in group["params"])
    return chosen, whole


class ForwardWatch:
    """Notes which modules are called, until the models of an optimizer are known.

    It uses the hook for all modules, which makes each call slower and has torch.compile compile
    anew: so it is on for one step at most, and not at all where something has been compiled.
    """

    def __init__(self) -> None:
        self._handle: Any = None
        self._called: dict[int, weakref.ref[Any]] = {}
        self._guard = Guard("torch modules")

    def arm(self) -> bool:
        """Begin, unless something is compiled; whether it is on."""
        if self._handle is None and not _has_compiled():
            self._handle = modules.register_module_forward_hook(self._on_forward)
        return self._handle is not None

    def disarm(self) -> None:
        """Stop."""
        if self._handle is not None:
            self._handle.remove()
            self._handle = None
        self._called.clear()

    def models_of(self, optimizer: Any) -> list[tuple[Any, str | None]]:
        """The outermost modules called meanwhile that hold its parameters."""
        called = [model for ref in self._called.values() if (model := ref()) is not None]
        below = {id(part) for model in called for part in model.modules() if part is not model}
        outermost = [(model, None) for model in called if id(model) not in below]
        return _chosen(outermost, optimizer)[0]  # type: ignore[arg-type]

    def _on_forward(self, module: Any, args: Any, output: Any) -> None:
        if not torch.compiler.is_compiling():
            self._guard.run(self._note, module)

    def _note(self, module: Any) -> None:
        if len(self._called) < _MOST_CALLED:
            self._called.setdefault(id(module), weakref.ref(module))
        else:
            self.disarm()


def _has_compiled() -> bool:
    dynamo = sys.modules.get("torch._dynamo.utils")
    counters: Any = getattr(dynamo, "counters", None)
    return bool(counters and counters["frames"]["total"])


def rank() -> int:
    """This process's number in distributed training; 0 where it trains alone."""
    distributed: Any = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return int(distributed.get_rank())
    return 0
