"""The state of a torch module as ``.pt``, which is loaded as tensors only."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InvalidValue, StoreError
from .loading import Wanted, check_zip

NAME = "torch"
SUFFIX = ".pt"


def takes(model: Any) -> bool:
    """Modules, and the states of modules."""
    return state_of(model) is not None


def state_of(model: Any) -> Mapping[str, Any] | None:
    """The state of a module, or a state itself (names to tensors); None for anything else."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    if isinstance(model, torch.nn.Module):
        state: Mapping[str, Any] = model.state_dict()
        return state
    tensors = isinstance(model, Mapping) and len(model) > 0
    if tensors and all(isinstance(k, str) and torch.is_tensor(v) for k, v in model.items()):
        return dict(model)
    return None


def count(model: Any) -> int:
    """How many numbers the parameters of a module (or the tensors of a state) have."""
    parameters = getattr(model, "parameters", None)
    tensors = parameters() if callable(parameters) else (state_of(model) or {}).values()
    return sum(int(tensor.numel()) for tensor in tensors)


def write(model: Any, path: Path) -> None:
    """The state alone: the class is code, which stays in your module."""
    import torch

    try:
        with path.open("wb") as file:
            torch.save(dict(state_of(model) or {}), file)
    except (pickle.PicklingError, TypeError, AttributeError) as problem:
        raise InvalidValue(
            f"the state of a {type(model).__name__} cannot be kept: {problem}"
        ) from None


def read(path: Path, wanted: Wanted) -> Any:
    """The state, on the CPU; or the module given as ``into`` with that state."""
    torch = needed(wanted)
    check_zip(path, wanted)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (
        *(OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, EOFError),
        pickle.UnpicklingError,
    ) as problem:
        raise wanted.unreadable(str(problem).partition("\n")[0]) from problem
    return placed(state, wanted)


def needed(wanted: Wanted) -> Any:
    """The library; raises ``StoreError`` where it is not installed."""
    try:
        import torch
    except ImportError:
        raise StoreError(f"loading {wanted.name!r} needs torch: pip install torch") from None
    return torch


def placed(state: Any, wanted: Wanted) -> Any:
    """The state itself, or the module that it was loaded into."""
    if wanted.into is None:
        return state
    if not callable(getattr(wanted.into, "load_state_dict", None)):
        raise InvalidValue(f"into= takes a torch module, not a {type(wanted.into).__name__}")
    try:
        wanted.into.load_state_dict(state)
    except (RuntimeError, TypeError, KeyError) as problem:
        kept = wanted.line.get("class", "another class")
        told = " ".join(str(problem).split())[:300]
        raise InvalidValue(f"the state of {kept} does not fit: {told}") from None
    return wanted.into
