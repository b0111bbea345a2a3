"""The state of a torch module as ``.safetensors``: tensors and nothing else."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import StoreError
from . import torch
from .loading import Wanted

NAME = "safetensors"
SUFFIX = ".safetensors"


def takes(model: Any) -> bool:
    """States of dense tensors, where safetensors is installed."""
    state = torch.state_of(model) or {}
    plain = bool(state) and all(_plain(tensor) for tensor in state.values())
    return plain and find_spec("safetensors") is not None


def _plain(tensor: Any) -> bool:
    layout, quantized = getattr(tensor, "layout", None), getattr(tensor, "is_quantized", True)
    return str(layout) == "torch.strided" and not quantized and str(tensor.dtype) in _DTYPES


_DTYPES = {
    f"torch.{name}"
    for name in (
        *("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8"),
        *("bool", "float8_e4m3fn", "float8_e5m2", "complex64"),
    )
}


def write(model: Any, path: Path) -> None:
    """Tensors that share memory are written once each, so that the state loads anywhere."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file(_apart(torch.state_of(model) or {}), path)
    except SafetensorError as problem:
        raise OSError(str(problem)) from problem


def _apart(state: Any) -> dict[str, Any]:
    """The tensors on the CPU, each in memory of its own."""
    apart: dict[str, Any] = {}
    seen: set[int] = set()
    for name, tensor in state.items():
        tensor = tensor.detach().cpu().contiguous()
        place = tensor.untyped_storage().data_ptr()
        whole = tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
        apart[name] = tensor if whole and place not in seen else tensor.clone()
        seen.add(place)
    return apart


def read(path: Path, wanted: Wanted) -> Any:
    """The state, on the CPU; or the module given as ``into`` with that state."""
    torch.needed(wanted)
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError:
        raise StoreError(
            f"loading {wanted.name!r} needs safetensors: pip install 'trackbook[models]'"
        ) from None
    try:
        state = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as problem:
        raise wanted.unreadable(problem) from problem
    return torch.placed(state, wanted)
