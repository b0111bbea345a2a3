"""What an object holds, by its type: read by C code and by libraries we know, by nobody else's."""

from __future__ import annotations

import gc
import io
import random
import sys
import types
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import blake3

from . import owncode

_SAMPLES = 64
_SAMPLE = 16 << 10


@dataclass(frozen=True, slots=True)
class Parts:
    """What is hashed for an object: ``state`` may hold other objects."""

    state: Any
    read: int = 0
    """Bytes of arrays that were read."""
    sampled: frozenset[int] = frozenset()
    opaque: bool = False
    """Whether it may change unseen."""
    handle: str | None = None
    """Of an open file: its path where it can be written, else empty."""
    code: types.CodeType | None = None
    """What runs when it is used: the body of a generator."""


_Reader = Callable[[Any, int], Parts]
_readers: weakref.WeakKeyDictionary[type, _Reader] = weakref.WeakKeyDictionary()


def parts(obj: Any, left: int) -> Parts:
    """What an object holds; arrays of more than ``left`` bytes are sampled."""
    kind = type(obj)
    reader = _readers.get(kind)
    if reader is None:
        reader = _readers[kind] = _reader(kind)
    return reader(obj, left)


def content(cell: types.CellType) -> Any:
    """What a closure's cell holds."""
    try:
        return cell.cell_contents
    except ValueError:  # empty
        return None


def buffer_of(array: Any) -> int:
    """What tells the memory of an array: views of one array have the same."""
    import numpy as np

    base = array
    while isinstance(base.base, np.ndarray):
        base = base.base
    return id(base if base.base is None else base.base)


# -- which reader --------------------------------------------------------------------------------

# Objects of these never change, or only by their own bookkeeping.
_CONSTANT: tuple[str, ...] = (
    "re",
    "datetime",
    "decimal",
    "zoneinfo",
    "pyarrow",
    "trackbook",
    "weakref",
    "typing",
)
_CONSTANT += ("_thread", "logging", "ast", "inspect", "enum", "functools", "operator", "types")
_CONSTANT += ("pathlib", "uuid", "fractions", "numpy", "sklearn", "abc", "builtins", "_struct")
_CONSTANT += ("scipy", "pandas", "torch", "_abc", "_weakref", "_contextvars", "contextvars")
# They hold half the world, or hand their state to a front end.
_NOT_WALKED: tuple[str, ...] = (
    "matplotlib",
    "IPython",
    "ipywidgets",
    "ipykernel",
    "traitlets",
    "plotly",
    "tqdm",
)
_NOT_WALKED += ("asyncio", "threading", "multiprocessing", "concurrent", "sqlite3", "socket")
_NOT_WALKED += ("subprocess", "zmq", "_io", "io", "tempfile")


def _reader(kind: type) -> _Reader:
    for test, reader in _KNOWN:
        if test(kind):
            return reader
    top = str(kind.__module__).partition(".")[0]
    if issubclass(kind, io.IOBase):
        return _file
    if top in ("builtins", "itertools") and _goes_on(kind):
        return _iterator
    if top in _NOT_WALKED:
        return _unseen
    fields = _fields(kind)
    if fields is not None:
        return fields
    return _constant if top in _CONSTANT else _unseen


def _goes_on(kind: type) -> bool:
    return hasattr(kind, "__next__") or hasattr(kind, "cr_code") or hasattr(kind, "ag_code")


def _is(module: str, name: str) -> Callable[[type], bool]:
    """Whether a type is of a class in a module that may not be imported."""

    def test(kind: type) -> bool:
        known = sys.modules.get(module)
        wanted = vars(known).get(name) if known is not None else None
        return isinstance(wanted, type) and issubclass(kind, wanted)

    return test


def _is_tensor(kind: type) -> bool:
    # A subclass may answer to everything we would ask with code of its own.
    torch = sys.modules.get("torch")
    return torch is not None and kind in (torch.Tensor, torch.nn.Parameter)


def _fields(kind: type) -> _Reader | None:
    """A reader of ``__dict__``, slots and what a plain container below it holds."""
    getters: list[Callable[[Any], Any]] = []
    own = False
    for base in kind.__mro__:
        found = type.__getattribute__(base, "__dict__")
        own = own or base.__flags__ & (1 << 9) != 0  # made by a class statement
        for name, value in found.items():
            slot = own and isinstance(value, types.MemberDescriptorType)
            whole = name == "__dict__" and isinstance(value, types.GetSetDescriptorType)
            if slot or whole:
                getters.append(value.__get__)
    below = next((read for base, read in _CONTAINERS if issubclass(kind, base)), None)
    if below is not None:
        getters.append(below)
    if not getters or (not own and below is None):
        return None

    def read(obj: Any, left: int) -> Parts:
        return Parts([_got(getter, obj) for getter in getters])

    return read


def _got(getter: Callable[[Any], Any], obj: Any) -> Any:
    try:
        found = getter(obj)
    except AttributeError:  # a slot that is empty
        return None
    # A copy of a dictionary's items, since pickle would take a subclass of dict for an object.
    return found if type(found) is not types.MappingProxyType else None


_CONTAINERS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (OrderedDict, lambda obj: list(OrderedDict.items(obj))),
    (dict, lambda obj: list(dict.items(obj))),
    (list, lambda obj: list.__getitem__(obj, slice(None))),
    (tuple, lambda obj: tuple.__getitem__(obj, slice(None))),
    (set, lambda obj: list(set.__iter__(obj))),
    (frozenset, lambda obj: list(frozenset.__iter__(obj))),
    (deque, lambda obj: list(deque.__iter__(obj))),
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
    (bytes, bytes.__bytes__),
)


def _constant(obj: Any, left: int) -> Parts:
    return Parts(id(obj))


def _unseen(obj: Any, left: int) -> Parts:
    return Parts(id(obj), opaque=True)


def _iterator(obj: Any, left: int) -> Parts:
    """What it goes through is looked at, how far it has gone is not."""
    code = next((getattr(obj, name) for name in _BODIES if hasattr(type(obj), name)), None)
    held = [part for part in gc.get_referents(obj) if not issubclass(type(part), _NO_PARTS)]
    return Parts((id(obj), held), opaque=True, code=code)


def _file(file: Any, left: int) -> Parts:
    if type(file).__module__ != "_io":
        return Parts(id(file), opaque=True, handle="")
    named = getattr(file, "name", None)
    writes = not file.closed and file.writable() and isinstance(named, str)
    return Parts(id(file), opaque=True, handle=named if writes else "")


_BODIES = ("gi_code", "cr_code", "ag_code")
_NO_PARTS = (types.FrameType, types.CodeType, types.ModuleType)


# -- arrays ----------------------------------------------------------------------------------------


def _array(array: Any, left: int) -> Parts:
    import numpy as np

    plain = np.ndarray.view(array, np.ndarray)  # nothing that a subclass overrides
    facts = (plain.shape, plain.dtype.str)
    if plain.dtype.hasobject:
        return Parts((*facts, plain.ravel().tolist()))
    size = int(plain.nbytes)
    more = getattr(array, "__dict__", None) if type(array) is not np.ndarray else None
    if size <= left:
        return Parts((*facts, _hash(plain), more), size)
    flat = plain.reshape(-1) if plain.flags.c_contiguous else None
    if flat is None:
        sample = plain[tuple(slice(None, None, max(n // 32, 1)) for n in plain.shape)]
        return Parts((*facts, _hash(sample)), 1 << 20, frozenset({buffer_of(array)}))
    part = max(_SAMPLE // plain.itemsize, 1)
    step = max((flat.size - part) // (_SAMPLES - 1), 1)
    pieces = [flat[i * step : i * step + part] for i in range(_SAMPLES)]
    digest = _hash(np.concatenate(pieces))
    return Parts((*facts, digest), _SAMPLES * _SAMPLE, frozenset({buffer_of(array)}))


def _hash(array: Any) -> bytes:
    import numpy as np

    if array.dtype.kind in "mM":
        array = array.view("i8")
    plain: Any = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return blake3.blake3(memoryview(plain)).digest()


def _number(value: Any, left: int) -> Parts:
    return Parts(value.tobytes())


def _tensor(tensor: Any, left: int) -> Parts:
    import torch

    place = tensor.data_ptr() if tensor.layout == torch.strided else id(tensor)
    with torch.no_grad():
        whole = tensor.device.type == "cpu" and tensor.layout == torch.strided
        size = tensor.numel() * tensor.element_size()
        digest = None
        # Its version counts what is done to it; what numpy does to its memory is not counted.
        if whole and size <= min(left, 1 << 20) and not tensor.is_quantized:
            flat = tensor.detach().contiguous().flatten()
            digest = blake3.blake3(memoryview(flat.view(torch.uint8).numpy())).digest()
    version = None if tensor.is_inference() else tensor._version
    held = tensor.grad if tensor.is_leaf else None
    facts = (tuple(tensor.shape), str(tensor.dtype), tensor.requires_grad, version, place)
    return Parts((*facts, digest, held), size if digest else 0)


def _frame(frame: Any, left: int) -> Parts:
    manager = object.__getattribute__(frame, "_mgr")
    blocks = [(block.values, block.mgr_locs.as_array) for block in manager.blocks]
    return Parts((blocks, list(manager.axes), vars(frame).get("_name")))


def _index(index: Any, left: int) -> Parts:
    held = vars(index)
    names = ("_data", "_range", "_codes", "_levels", "_name", "_names")
    return Parts([held.get(name) for name in names])


def _generator(generator: Any, left: int) -> Parts:
    bits = getattr(generator, "bit_generator", None) or getattr(generator, "_bit_generator", None)
    bits = generator if bits is None else bits
    spawned = getattr(getattr(bits, "seed_seq", None), "n_children_spawned", None)
    return Parts((bits.state, spawned))


def _python_random(generator: Any, left: int) -> Parts:
    return Parts(random.Random.getstate(generator))


def _torch_random(generator: Any, left: int) -> Parts:
    return Parts(generator.get_state())


def _memory(buffer: Any, left: int) -> Parts:
    data = memoryview(buffer)
    return Parts(blake3.blake3(data if data.contiguous else data.tobytes()).digest(), data.nbytes)


def _method(method: Any, left: int) -> Parts:
    return Parts((method.__func__, method.__self__))


def _builtin(function: Any, left: int) -> Parts:
    owner = function.__self__
    return Parts((function.__name__, None if isinstance(owner, types.ModuleType) else owner))


def _partial(function: Any, left: int) -> Parts:
    return Parts((function.func, function.args, function.keywords))


def _module(module: Any, left: int) -> Parts:
    return Parts((id(module), owncode.state(module) if owncode.is_own(module) else None))


def _weak(reference: Any, left: int) -> Parts:
    return Parts(weakref.ref.__call__(reference))


_KNOWN: tuple[tuple[Callable[[type], bool], _Reader], ...] = (
    (_is("numpy", "ndarray"), _array),
    (_is("numpy", "generic"), _number),
    (_is("numpy.random", "Generator"), _generator),
    (_is("numpy.random", "RandomState"), _generator),
    (_is("numpy.random", "BitGenerator"), _generator),
    (_is_tensor, _tensor),
    (_is("torch", "Generator"), _torch_random),
    (_is("pandas.core.generic", "NDFrame"), _frame),
    (_is("pandas", "Index"), _index),
    (_is("random", "Random"), _python_random),
    (_is("functools", "partial"), _partial),
    (lambda kind: kind is types.MethodType, _method),
    (lambda kind: kind is types.BuiltinFunctionType, _builtin),
    (lambda kind: issubclass(kind, (bytearray, memoryview)), _memory),
    (_is("array", "array"), _memory),
    (lambda kind: issubclass(kind, weakref.ref), _weak),
    (lambda kind: issubclass(kind, types.ModuleType), _module),
    (_is("enum", "Enum"), _constant),
)
