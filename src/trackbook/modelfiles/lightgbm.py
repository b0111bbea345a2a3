"""LightGBM's models in its own text format; an estimator comes back as the booster in it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ..errors import InvalidValue, StoreError
from .loading import Wanted

NAME = "lightgbm"
SUFFIX = ".txt"


def takes(model: Any) -> bool:
    """Boosters and LightGBM's estimators."""
    found = sys.modules.get("lightgbm")
    if found is None:
        return False
    kinds = tuple(getattr(found, name) for name in ("Booster", "LGBMModel") if hasattr(found, name))
    return isinstance(model, kinds)


def write(model: Any, path: Path) -> None:
    """The trees up to the best iteration, as prediction uses them."""
    import lightgbm

    booster = model
    if not isinstance(model, lightgbm.Booster):
        try:
            booster = model.booster_
        except (ValueError, AttributeError):  # NotFittedError is both
            raise InvalidValue(f"the {type(model).__name__} is not fitted yet") from None
    path.write_text(booster.model_to_string(), encoding="utf-8")


def read(path: Path, wanted: Wanted) -> Any:
    """A ``lightgbm.Booster``."""
    try:
        import lightgbm
    except ImportError:
        raise StoreError(f"loading {wanted.name!r} needs lightgbm: pip install lightgbm") from None
    wanted.ask_for_native("LightGBM")
    try:
        return lightgbm.Booster(model_str=path.read_text(encoding="utf-8"))
    except (lightgbm.basic.LightGBMError, OSError, ValueError, TypeError) as problem:
        raise wanted.unreadable(problem) from problem
