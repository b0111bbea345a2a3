"""The arguments of a call that a hook sees."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ..capture.patch import Arguments


class Call:
    """The arguments of a call by name, however the user passed them."""

    def __init__(self, bound: inspect.BoundArguments) -> None:
        self._bound = bound
        self.given: dict[str, Any] = bound.arguments

    def with_callback(self, callback: Any) -> Arguments:
        """The same call with one more callback, the first."""
        self.given["callbacks"] = [callback, *(self.given.get("callbacks") or ())]
        return Arguments(self._bound.args, self._bound.kwargs)


def call_of(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call | None:
    """The call of a function; None where the arguments do not fit, which it will say itself."""
    try:
        return Call(inspect.signature(function).bind(*args, **kwargs))
    except TypeError:
        return None
