"""Which code is the user's own: the notebook's, and modules that nobody installed."""

from __future__ import annotations

import sys
import sysconfig
from functools import lru_cache
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

NOTEBOOK = "__main__"
_INSTALLED = {"site-packages", "dist-packages"}
_OURS = str(Path(__file__).parent.parent)
_CODE = (ModuleType, FunctionType, BuiltinFunctionType, type)


def module_of(name: object) -> ModuleType | None:
    """The user's own module of a name, not the notebook; None for any other."""
    found = sys.modules.get(name) if isinstance(name, str) and name != NOTEBOOK else None
    return found if found is not None and is_own(found) else None


def is_own(module: ModuleType) -> bool:
    """Whether a module is the user's own."""
    if not issubclass(type(module), ModuleType):
        return False
    file = ModuleType.__getattribute__(module, "__dict__").get("__file__")
    return isinstance(file, str) and _is_own_file(file)


def state(module: ModuleType) -> list[tuple[str, Any]]:
    """What a module holds besides code."""
    held = ModuleType.__getattribute__(module, "__dict__")
    return [
        (name, value)
        for name, value in list(held.items())
        if name[:2] != "__" and not issubclass(type(value), _CODE)
    ]


@lru_cache(maxsize=4096)
def _is_own_file(file: str) -> bool:
    path = Path(file)
    if path.suffix != ".py" or not _INSTALLED.isdisjoint(path.parts) or file.startswith(_OURS):
        return False
    standard = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}
    return not any(place and path.is_relative_to(place) for place in standard)
