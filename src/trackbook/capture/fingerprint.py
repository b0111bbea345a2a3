"""Whether an object has changed: a hash of what it holds, taken without running the user's code."""

from __future__ import annotations

import dis
import pickle
import time
import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import blake3

from . import leaves, owncode

ATOMS = (int, float, str, bool, type(None), bytes, complex, range, type(Ellipsis))
"""What cannot change; exact types only."""
_CHECK_EVERY = 32
_USERS = owncode.NOTEBOOK


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What an object looked like."""

    digest: bytes | None
    """None where it took too long, or has nothing that can be hashed."""
    opaque: frozenset[int] = frozenset()
    """What in it may change unseen: generators, open files, objects of unknown C types."""
    sampled: frozenset[int] = frozenset()
    """Data in it that is too large to be read whole."""
    late: frozenset[str] = frozenset()
    """The user's global names that functions in it read when they are called."""
    handles: tuple[str, ...] | None = None
    """The paths of open files that can be written, where any open file is among it."""

    @property
    def is_whole(self) -> bool:
        """Whether an equal fingerprint means an equal object."""
        return self.digest is not None and not self.opaque and not self.sampled


UNKNOWN = Fingerprint(None)


def of(value: object, until: float, whole_bytes: int) -> Fingerprint:
    """The fingerprint of an object, or ``UNKNOWN`` after ``until`` (``time.perf_counter``).

    Arrays are read whole as long as they have no more than ``whole_bytes`` together.
    """
    if type(value) in ATOMS:
        return Fingerprint(b"")
    sink = _Sink(until)
    pickler = _Pickler(sink, whole_bytes)
    try:
        pickler.dump(value)
    except (_OverTime, RecursionError, MemoryError, pickle.PicklingError, ValueError):
        return UNKNOWN
    except RuntimeError:  # changed by a thread while we looked
        return UNKNOWN
    return Fingerprint(
        sink.hash.digest(),
        frozenset(pickler.opaque),
        frozenset(pickler.sampled),
        frozenset(pickler.late),
        tuple(pickler.handles) if pickler.handles is not None else None,
    )


class _OverTime(BaseException):
    """No code between us and ``of`` takes this for its own."""


class _Sink:
    """Where the pickle goes: into a hash, never to memory or disk."""

    def __init__(self, until: float) -> None:
        self.hash = blake3.blake3()
        self.until = until

    def write(self, data: bytes) -> int:
        self.hash.update(data)
        self.check()
        return len(data)

    def check(self) -> None:
        if time.perf_counter() > self.until:
            raise _OverTime


class _Pickler(pickle.Pickler):
    """Pickle does the plain containers by itself; everything else comes here, and runs no code."""

    def __init__(self, sink: _Sink, whole_bytes: int) -> None:
        super().__init__(sink, 5)
        self.opaque: set[int] = set()
        self.sampled: set[int] = set()
        self.late: set[str] = set()
        self.handles: list[str] | None = None
        self._sink = sink
        self._left = whole_bytes
        self._seen = 0

    def reducer_override(self, obj: Any) -> Any:
        if obj is list:
            return NotImplemented  # what stands for every object, see below
        self._seen += 1
        if self._seen % _CHECK_EVERY == 0:
            self._sink.check()
        return list, (), self._parts(obj)

    def _parts(self, obj: Any) -> Any:
        if issubclass(type(obj), type):  # isinstance would ask the object for its class
            return self._class(obj)
        kind = type(obj)
        if kind is types.FunctionType:
            return self._function(obj)
        found = leaves.parts(obj, self._left)
        self._left -= found.read
        if found.opaque:
            self.opaque.add(id(obj))
        if found.handle is not None:
            self.handles = [*(self.handles or ()), *filter(None, [found.handle])]
        if found.code is not None:
            self.late |= global_names(found.code)
        self.sampled |= found.sampled
        module = type.__getattribute__(kind, "__module__")
        # An instance of the user's class changes with its class.
        return kind if module == _USERS else (id(kind), owncode.module_of(module)), found.state

    def _function(self, function: types.FunctionType) -> Any:
        if function.__globals__.get("__name__") == _USERS:
            self.late |= global_names(function.__code__)
        module = owncode.module_of(function.__globals__.get("__name__"))
        closure = function.__closure__ or ()
        held = [leaves.content(cell) for cell in closure]
        defaults = (function.__defaults__, function.__kwdefaults__)
        return id(function.__code__), *defaults, held, function.__dict__, module

    def _class(self, kind: type) -> Any:
        """A class of the user's is what stands in it; any other is known by itself."""
        if kind.__module__ != _USERS:
            return id(kind), owncode.module_of(kind.__module__)
        held = []
        for name, value in list(type.__getattribute__(kind, "__dict__").items()):
            value = value.__func__ if type(value) in _WRAPPED else value
            if type(value) is property:
                value = (value.fget, value.fset, value.fdel)
            if type(value) is types.FunctionType:
                self.late |= global_names(value.__code__)
            if name not in _OF_EVERY_CLASS:
                held.append((name, value))
        return id(kind), kind.__bases__, held


_WRAPPED = (staticmethod, classmethod)
_OF_EVERY_CLASS = {"__dict__", "__weakref__", "__doc__", "_abc_impl", "__module__"}


@lru_cache(maxsize=2048)
def global_names(code: types.CodeType) -> frozenset[str]:
    """The global names in a function's code, and in the functions within it."""
    return frozenset(_global_names(code))


def _global_names(code: types.CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname.endswith(("_GLOBAL", "_NAME")) and instruction.argval is not None:
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _global_names(constant)
        elif isinstance(constant, str) and constant.isidentifier():
            yield constant  # it may be looked up by its name
