"""What an estimator tells about itself: params, search results, a training score in a budget."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..capture.patch import Guard
from ..capture.plainvalues import MISSING, plain

_SHARE_OF_FIT = 0.1
# A tenth of a tiny fit would be no time at all.
_LEAST_S = 0.025
_SAMPLE = 200
_MOST_CANDIDATES = 10_000
_MOST_FEATURES = 10_000
# A table costs so much a column to be hashed, whatever it holds.
_MOST_COLUMNS = 50
_NO_SCORE = (ValueError, TypeError, AttributeError, NotImplementedError, ArithmeticError)
# Lists of estimators, which have params of their own.
_PARTS = ("steps", "transformers", "estimators", "transformer_list")
_SPLITS = {
    r"(^|_|x|y)test": "test_",
    r"(^|_|x|y)val(id|idation)?(?![a-z])": "val_",
    r"(^|_|x|y)train": "training_",
}
# Their integrations tell more.
_OTHERS = ("xgboost.", "lightgbm.")
_guards: dict[tuple[type, str], Guard] = {}


def guard_of(estimator: Any, what: str) -> Guard:
    """The guard of what one class tells: an odd class does not end the tracking of others."""
    kind = type(estimator)
    return _guards.setdefault((kind, what), Guard(f"{what} of {kind.__name__}"))


def params_of(estimator: Any) -> tuple[dict[str, Any], list[str]]:
    """The params under scikit-learn's own (deep) names, and notes about what is left out.

    An estimator inside another is its class name.
    """
    params: dict[str, Any] = {}
    left_out: list[str] = []
    told = _deep_params(estimator)
    if told is None:
        return {}, ["params left out: get_params fails"]
    for name, value in told.items():
        copy = plain(value)
        if copy is not MISSING:
            params[name] = copy
        elif hasattr(type(value), "get_params"):
            params[name] = type(value).__name__
        elif name.rpartition("__")[2] not in _PARTS:
            left_out.append(f"param {name} left out: a {type(value).__name__}")
    return params, left_out


def _deep_params(estimator: Any) -> dict[str, Any] | None:
    """``get_params``; where a class's own fails that is one warning."""
    guard = guard_of(estimator, "the params")
    found: dict[str, Any] | None = guard.run(lambda: dict(estimator.get_params(deep=True)))
    return found


def parts_of(estimator: Any) -> list[Any]:
    """The estimator, and what of it people score by itself: a search's best, a pipeline's last."""
    found = [estimator]
    best = vars(estimator).get("best_estimator_")
    if best is not None:
        found.append(best)
    for whole in tuple(found):
        steps = vars(whole).get("steps")
        if isinstance(steps, list) and steps:
            found.append(steps[-1][-1])
    return found


def inner_fits(estimator: Any) -> int:
    """How many fits a search made: those in worker processes are not seen."""
    held = vars(estimator)
    if "params" not in held.get("cv_results_", ()) or "n_splits_" not in held:
        return 0
    candidates = len(held["cv_results_"]["params"])
    return int(candidates * held["n_splits_"] + ("best_estimator_" in held))


def is_quick(data: Any) -> bool:
    """Whether the identity of training data takes no more than some milliseconds."""
    columns = getattr(data, "columns", None)
    return columns is None or len(columns) <= _MOST_COLUMNS


@dataclass
class Fitted:
    """What a fit found out."""

    params: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    candidates: list[dict[str, Any]] = field(default_factory=list)


def fitted_values(estimator: Any) -> Fitted:
    """The best of a search with all its candidates; the inertia of a clusterer."""
    held = vars(estimator)
    found = Fitted()
    if "inertia_" in held:
        found.metrics["inertia"] = float(held["inertia_"])
    if "params" not in held.get("cv_results_", ()):
        return found
    found.candidates = candidates(held["cv_results_"])
    best = held.get("best_params_")
    if isinstance(best, Mapping):
        found.params = {f"best.{k}": _shown(v) for k, v in best.items()}
    if isinstance(held.get("best_score_"), float):
        found.metrics["best_cv_score"] = float(held["best_score_"])
    return found


def candidates(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of ``cv_results_``: one a candidate, with its params, scores, times and rank."""
    columns = {key: column for key, column in results.items() if not key.startswith("split")}
    count = min(len(columns["params"]), _MOST_CANDIDATES)
    rows = []
    for i in range(count):
        row = {key: _shown(column[i]) for key, column in columns.items() if key != "params"}
        # The masked "param_" columns say nothing that "params" does not say.
        row = {key: value for key, value in row.items() if not key.startswith("param_")}
        rows.append({"params": {k: _shown(v) for k, v in columns["params"][i].items()}, **row})
    return rows


def _shown(value: Any) -> Any:
    copy = plain(value)
    return copy if copy is not MISSING else type(value).__name__


# -- scores ----------------------------------------------------------------------------------------


def training_score(estimator: Any, data: list[Any], fit_seconds: float) -> tuple[float | None, str]:
    """The score on the data of the fit, or why there is none."""
    if len(data) < 2 or data[1] is None or not hasattr(estimator, "score"):
        return None, ""
    params = _deep_params(estimator) or {}
    if any(
        v
        for k, v in params.items()
        if k.rpartition("__")[2] == "verbose" and isinstance(v, (int, float))
    ):
        return None, "the estimator is verbose and would print again"
    budget = max(_LEAST_S, _SHARE_OF_FIT * fit_seconds)
    with _undisturbed(params.values()):
        try:
            expected = _expected_seconds(estimator, data[0], budget)
            if expected > budget:
                share = f"{_SHARE_OF_FIT:.0%} of the fit"
                return None, f"it would take about {expected:.2g} s, more than {share}"
            return float(estimator.score(data[0], data[1])), ""
        except _NO_SCORE as problem:
            return None, f"{type(problem).__name__}"


def _expected_seconds(estimator: Any, data: Any, budget: float) -> float:
    """About how long a prediction for all rows takes, from one for a few and one for a row."""
    from sklearn.utils import _safe_indexing

    rows = data.shape[0] if hasattr(data, "shape") else len(data)
    few = _safe_indexing(data, list(range(_SAMPLE)) if rows > _SAMPLE else [0])
    some = _seconds(estimator, few)
    if budget < some < 10 * budget:
        some = min(some, _seconds(estimator, few))  # the first call may have imported something
    if rows <= _SAMPLE or some > budget or some / _SAMPLE * rows <= budget:
        return some
    one = _seconds(estimator, _safe_indexing(data, [0]))
    return some + max(some - one, 0.0) / _SAMPLE * rows


def _seconds(estimator: Any, data: Any) -> float:
    started = time.perf_counter()
    estimator.predict(data)
    return time.perf_counter() - started


@contextmanager
def _undisturbed(params: Iterable[Any]) -> Iterator[None]:
    """Random states are afterwards as they were; warnings of ours reach nobody."""
    import numpy as np

    # numpy's own global state, which some predictions draw from.
    shared = np.random.get_state()
    states = [(p, p.get_state()) for p in params if isinstance(p, np.random.RandomState)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        np.random.set_state(shared)
        for source, state in states:
            source.set_state(state)


def split_of(names: Iterable[str]) -> str:
    """``test_``, ``val_`` or ``training_`` where the data's names say so, else nothing."""
    names = [name.lower() for name in names]
    for pattern, split in _SPLITS.items():
        if any(re.search(pattern, name) for name in names):
            return split
    return ""


# -- importances -----------------------------------------------------------------------------------


def has_importances(estimator: Any) -> bool:
    """Whether it, its best or its last step tells the importance of features (not boosters')."""
    return any(
        hasattr(type(part), "feature_importances_") or "feature_importances_" in vars(part)
        for part in parts_of(estimator)
        if not type(part).__module__.startswith(_OTHERS)
    )


def importances(estimator: Any) -> dict[str, list[Any]]:
    """Columns ``feature`` and ``importance``; empty where there are none, or too many."""
    for part in reversed(parts_of(estimator)):
        try:
            found = [float(value) for value in part.feature_importances_]
        except (AttributeError, TypeError, *_NO_SCORE):
            continue
        if 0 < len(found) <= _MOST_FEATURES:
            names = getattr(part, "feature_names_in_", None)
            names = [f"x{i}" for i in range(len(found))] if names is None else names
            return {"feature": [str(name) for name in names], "importance": found}
    return {}
