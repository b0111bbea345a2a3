"""Learning that a module has been imported, without importing it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Call = tuple[Callable[..., None], *tuple[Any, ...]]


class Arrivals(MetaPathFinder):
    """Calls back once for each expected module, right after its import."""

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}

    def expect(self, calls: Mapping[str, Call]) -> None:
        """Wait for these modules and no others; with none the import system is left alone."""
        self._calls = dict(calls)
        if self._calls and self not in sys.meta_path:
            sys.meta_path.insert(0, self)
        elif not self._calls and self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that the other finders give, with a loader that calls back."""
        if fullname not in self._calls:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Announcing(spec.loader, self)
                return spec
        return None

    def arrived(self, name: str) -> None:
        """The module has been imported."""
        call = self._calls.pop(name, None)
        if not self._calls:
            self.expect({})
        if call is not None:
            call[0](*call[1:])


class _Announcing(Loader):
    """The loader of one module, which it is again before the module's code runs."""

    def __init__(self, loader: Loader, arrivals: Arrivals) -> None:
        self._loader = loader
        self._arrivals = arrivals

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._arrivals.arrived(module.__name__)
