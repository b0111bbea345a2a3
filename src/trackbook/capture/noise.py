"""Numbers that say nothing about an experiment: clocks, lengths, ids, random numbers."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterable, Mapping
from typing import Any

from .cellfacts import Binding
from .literals import dotted, is_literal
from .plainvalues import module_of

_CLOCK_MODULES = ("time", "timeit")
_RANDOM_MODULES = ("random", "secrets", "uuid")
_CLOCKS = {"perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns", "process_time"}
_CLOCKS |= {"time_ns", "default_timer", "thread_time"}
_RANDOM = {"rand", "randn", "randint", "randrange", "randperm", "getrandbits"}
_GENERATORS = {"random", "_generator", "mtrand"}
_MAKERS = {"default_rng", "RandomState", "Random", "SystemRandom"}
_SIZES = {"len", "id", "hash"}
_WRAPPERS = {"int", "float", "round", "abs", "min", "max"}
_BUILTIN_METHOD = (types.BuiltinMethodType, types.MethodType)


class Noise:
    """Tells whether an expression is noise; learns the names of the cell in program order."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._clocks: set[str] = set()
        self._noise: set[str] = set()
        self._literals: set[str] = set()

    def learn(self, bindings: Iterable[Binding]) -> None:
        """Take in all bindings of one name."""
        assigned = [b for b in bindings if b.how != "other"]
        values = [b.value for b in assigned if not is_literal(b.value)]
        name = assigned[0].name if assigned else ""
        if not name:
            return
        if not values:
            self._literals.add(name)
        elif all(self._is_clock(value) for value in values):
            self._clocks.add(name)
        elif all(self.is_noise(value) for value in values):
            self._noise.add(name)

    def is_noise(self, node: ast.expr | None) -> bool:
        """Whether the value comes from clocks, lengths, ids or random numbers and nothing else."""
        if node is None or self._is_clock(node):
            return node is not None
        if isinstance(node, ast.Name):
            return node.id in self._noise
        if isinstance(node, ast.UnaryOp):
            return self.is_noise(node.operand)
        if isinstance(node, ast.BinOp):
            return self._only_noise([node.left, node.right])
        if isinstance(node, ast.Call):
            if dotted(node.func) in _WRAPPERS:
                return self._only_noise(node.args)
            return self._kind(_called(node)) in ("random", "size")
        if isinstance(node, ast.Subscript):
            node = node.value
        return isinstance(node, ast.Attribute) and node.attr == "shape"

    def _only_noise(self, parts: list[ast.expr]) -> bool:
        noisy = [self.is_noise(part) for part in parts]
        quiet = [self._is_quiet(part) for part in parts]
        return any(noisy) and all(n or q for n, q in zip(noisy, quiet, strict=True))

    def _is_quiet(self, node: ast.expr) -> bool:
        return is_literal(node) or (isinstance(node, ast.Name) and node.id in self._literals)

    def _is_clock(self, node: ast.expr | None) -> bool:
        """A clock's value, or a time since one, whatever unit it is turned into."""
        if isinstance(node, ast.Name):
            return node.id in self._clocks
        if isinstance(node, ast.Call):
            if dotted(node.func) in _WRAPPERS:
                return any(self._is_clock(a) for a in node.args)
            return self._kind(dotted(node.func)) == "clock"
        if not isinstance(node, ast.BinOp):
            return False
        if isinstance(node.op, (ast.Add, ast.Sub)):
            return self._is_clock(node.left) or self._is_clock(node.right)
        sides = (node.left, node.right)
        return any(self._is_clock(a) for a in sides) and all(
            self._is_clock(a) or self._is_quiet(a) for a in sides
        )

    def _kind(self, function: str) -> str:
        """``clock``, ``random``, ``size`` or nothing, by the name of a called function."""
        root, _, rest = function.partition(".")
        value = self._namespace.get(root)
        path = f"{self._home(value) or root}.{rest}".strip(".").split(".")
        last = path[-1]
        if function in _SIZES:
            return "size"
        if path[0] in _CLOCK_MODULES or last in _CLOCKS:
            return "clock"
        if path[0] in _RANDOM_MODULES or "random" in path or last in _RANDOM:
            return "random"
        return ""

    def _home(self, value: Any) -> str:
        """The module that a module, function or random generator comes from, with its own name."""
        kind = type(value)
        if issubclass(kind, types.ModuleType):
            return str(vars(value).get("__name__", ""))
        if issubclass(kind, _BUILTIN_METHOD) and not isinstance(value.__self__, types.ModuleType):
            return module_of(type(value.__self__))
        if issubclass(kind, (types.BuiltinFunctionType, types.FunctionType)):
            return str(value.__module__)
        return module_of(kind) if module_of(kind).split(".")[-1] in _GENERATORS else ""


def _called(node: ast.Call) -> str:
    """The dotted name of what is called; for a method of a generator made in place, its maker."""
    function = node.func
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Call):
        maker = dotted(function.value.func)
        return maker if maker.rpartition(".")[2] in _MAKERS else ""
    return dotted(function)
