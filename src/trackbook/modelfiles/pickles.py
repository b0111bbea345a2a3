"""Any object as a pickle, when somebody asked for it: loading one runs what is in it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from ..errors import InvalidValue, StoreError
from .loading import Wanted

NAME = "pickle"
SUFFIX = ".pkl"


def takes(model: Any) -> bool:
    """Never by itself."""
    return False


def write(model: Any, path: Path) -> None:
    """With cloudpickle where it is installed, so that a notebook's own classes come along."""
    try:
        from cloudpickle import dump
    except ImportError:
        from pickle import dump
    try:
        with path.open("wb") as file:
            dump(model, file)
    except (pickle.PicklingError, TypeError, AttributeError, ValueError, RecursionError) as problem:
        raise InvalidValue(f"a {type(model).__name__} cannot be pickled: {problem}") from None


def read(path: Path, wanted: Wanted) -> Any:
    """The object, if the caller trusts it."""
    if wanted.trust is not True:
        raise StoreError(
            f"the model {wanted.name!r} is a pickle, and loading a pickle runs whatever code is in "
            f"it: load_model({wanted.name!r}, trust=True) if you trust "
            "who logged it and everybody who could write to this store"
        )
    try:
        with path.open("rb") as file:
            return pickle.load(file)
    except (pickle.UnpicklingError, EOFError, ImportError, AttributeError) as problem:
        raise wanted.unreadable(problem) from problem
