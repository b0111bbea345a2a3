"""The states of random number generators, put back as a log has them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from ..jsonable import loads

# torch takes seconds to import; where no cell names it, it is not worth them.
_SLOW = frozenset({"torch"})


def restore(states: Mapping[str, bytes], source: str) -> list[str]:
    """Put the states back before a cell of this source runs; returns what could not be.

    A generator whose library is not loaded yet is loaded for it: its own beginning would be random.
    """
    missing = []
    for name, data in states.items():
        put = _PUT.get(name)
        if put is None:
            missing.append(name)
            continue
        module, setter = put
        if module not in sys.modules and name in _SLOW and name not in source:
            continue
        try:
            loaded = importlib.import_module(module)
            setter(loaded, loads(data)["state"])
        except (ImportError, ValueError, TypeError, KeyError, RuntimeError):
            missing.append(name)
    return missing


def _python(random: Any, state: Any) -> None:
    version, internal, gauss = state
    random.setstate((version, tuple(internal), gauss))


def _numpy(random: Any, state: Any) -> None:
    import numpy as np

    inner = dict(state["state"])
    inner["key"] = np.array(inner["key"], dtype=np.uint32)
    random.set_state({**state, "state": inner})


def _torch(torch: Any, state: str) -> None:
    torch.set_rng_state(torch.tensor(list(bytes.fromhex(state)), dtype=torch.uint8))


_PUT: dict[str, tuple[str, Callable[[Any, Any], None]]] = {
    "python": ("random", _python),
    "numpy": ("numpy.random", _numpy),
    "torch": ("torch", _torch),
}
