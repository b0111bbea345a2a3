"""The states of the random number generators, read and never advanced."""

from __future__ import annotations

import importlib
import sys
import time
from array import array
from collections.abc import Callable
from typing import Any

from ..jsonable import dumps
from ..store import Blobs
from .notebook import TRUSTED_S

# Where numpy's generator stands after its seeding by the system, before the first draw.
_FRESH = 623

States = dict[str, Any]
"""By generator: ``python``, ``numpy`` (the global one) and ``torch`` (CPU), as each tells it."""


def states() -> States:
    """The states now, of the generators that are imported; takes about 0.1 ms."""
    found: States = {}
    for name, module, function, options in _GENERATORS:
        loaded = sys.modules.get(module) or _part(module)
        read = getattr(loaded, function, None) if loaded is not None else None
        if read is not None:  # it may be half imported
            found[name] = read(**options)
    return found


def _part(module: str) -> Any:
    """A part that a loaded package loads when it is first used: its beginning is random too."""
    package = sys.modules.get(module.rpartition(".")[0])
    spec = getattr(package, "__spec__", None)
    if package is None or spec is None or getattr(spec, "_initializing", False):
        return None
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def came_used(before: States) -> bool:
    """Whether numpy's generator came with this cell and has been drawn from already."""
    numpy = sys.modules.get("numpy.random")
    if "numpy" in before or numpy is None:
        return False
    state = numpy.get_state(legacy=False)
    return bool(state["bit_generator"] == "MT19937" and state["state"]["pos"] != _FRESH)


class Changes:
    """The states before each execution, in little memory: an equal state is the same object."""

    def __init__(self) -> None:
        self._last: States = {}

    def states(self) -> States:
        """The states now; what equals the last is the last itself."""
        found = states()
        for name, state in found.items():
            small = _small(name, state)
            last = self._last.get(name)
            if last is not None and _key(last) == _key(small):
                small = last
            found[name] = self._last[name] = small
        return found


class Randomness:
    """Keeps states as blobs; one that has not changed costs nothing."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._kept: dict[str, tuple[bytes, str, float]] = {}

    def keep(self, found: States) -> dict[str, str]:
        """The blob of each state; equal states have equal names, so a name tells the state."""
        return {name: self._keep(name, _ENCODERS[name](state)) for name, state in found.items()}

    def _keep(self, name: str, data: bytes) -> str:
        last, blob, kept = self._kept.get(name, (b"", "", 0.0))
        now = time.time()
        if data != last or abs(now - kept) > TRUSTED_S:
            blob = self._blobs.put(data)
            self._kept[name] = (data, blob, now)
        return blob


def _small(name: str, state: Any) -> Any:
    if name != "python":
        return state
    version, internal, gauss = state
    return version, array("L", internal), gauss


def _key(state: Any) -> Any:
    if isinstance(state, dict):
        return [_key(inner) for inner in state.values()]
    if isinstance(state, tuple):
        return [_key(inner) for inner in state]
    return bytes(memoryview(state)) if hasattr(state, "tobytes") else _listed(state)


def _listed(state: Any) -> Any:
    return state.numpy().tobytes() if hasattr(state, "numpy") else state


def _python(state: Any) -> bytes:
    version, internal, gauss = state
    return dumps({"generator": "python", "state": [version, list(internal), gauss]})


def _numpy(state: Any) -> bytes:
    return dumps({"generator": "numpy", "state": _plain(state)})


def _torch(state: Any) -> bytes:
    return dumps({"generator": "torch", "state": bytes(state.tolist()).hex()})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


_GENERATORS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("python", "random", "getstate", {}),
    ("numpy", "numpy.random", "get_state", {"legacy": False}),
    ("torch", "torch", "get_rng_state", {}),
)
_ENCODERS: dict[str, Callable[[Any], bytes]] = {
    "python": _python,
    "numpy": _numpy,
    "torch": _torch,
}
