"""XGBoost's models in its own binary JSON, ``.ubj``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ..errors import InvalidValue, StoreError
from .loading import Wanted

NAME = "xgboost"
SUFFIX = ".ubj"
# Classes that may be made by name: a store is data from anywhere.
_LOADERS = (
    *("XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor"),
    *("XGBModel", "Booster"),
)


def takes(model: Any) -> bool:
    """Boosters and XGBoost's estimators."""
    return bool(loader(model))


def loader(model: Any) -> str:
    """The class of XGBoost that loads a model; "" for one that is none of its models."""
    if "xgboost" not in sys.modules:
        return ""
    own = [kind.__name__ for kind in type(model).__mro__ if kind.__module__.startswith("xgboost.")]
    return next((name for name in own if name in _LOADERS), "")


def write(model: Any, path: Path) -> None:
    """Everything that prediction needs."""
    import xgboost

    target = path.with_suffix(SUFFIX)  # which is what tells XGBoost the format
    try:
        model.save_model(target)
    except xgboost.core.XGBoostError as problem:
        raise OSError(str(problem).partition("\n")[0]) from problem
    except ValueError:  # scikit-learn's NotFittedError is one
        raise InvalidValue(f"the {type(model).__name__} is not fitted yet") from None
    except TypeError as problem:  # XGBoost before 3.1 with a newer scikit-learn
        raise InvalidValue(f"XGBoost cannot save the {type(model).__name__}: {problem}") from None
    target.replace(path)


def read(path: Path, wanted: Wanted) -> Any:
    """A booster, or the estimator that was kept."""
    try:
        import xgboost
    except ImportError:
        raise StoreError(f"loading {wanted.name!r} needs xgboost: pip install xgboost") from None
    wanted.ask_for_native("XGBoost")
    name = wanted.line.get("loader")
    model = getattr(xgboost, name if name in _LOADERS else "Booster")()
    try:
        data = path.read_bytes()
        if data[:1] != b"{":  # of nothing at all it would end the process
            raise wanted.unreadable("it is no model of XGBoost")
        model.load_model(bytearray(data))
    except (xgboost.core.XGBoostError, OSError, ValueError, TypeError, KeyError) as problem:
        raise wanted.unreadable(str(problem).partition("\n")[0]) from problem
    return model
