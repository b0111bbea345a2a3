"""What an estimator tells about itself: params, search results, a training score in a budget."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..capture.plainvalues import MISSING, plain

_SHARE_OF_FIT = 0.1
_LEAST_S = 0.05
_SAMPLE = 200
_MOST_CANDIDATES = 10_000
_NO_SCORE = (ValueError, TypeError, AttributeError, NotImplementedError, ArithmeticError)
_ROLES = {
    r"(^|_|x|y)test": "test_score",
    r"(^|_|x|y)val(id|idation)?(?![a-z])": "val_score",
    r"(^|_|x|y)train": "training_score",
}


def params_of(estimator: Any) -> tuple[dict[str, Any], list[str]]:
    """The params under scikit-learn's own (deep) names, and notes about what is left out.

    An estimator inside another is its class name.
    """
    params, left_out = {}, []
    for name, value in estimator.get_params(deep=True).items():
        copy = plain(value)
        if copy is not MISSING:
            params[name] = copy
        elif hasattr(type(value), "get_params"):
            params[name] = type(value).__name__
        elif name not in ("steps", "transformers", "estimators", "transformer_list"):
            left_out.append(f"param {name} left out: a {type(value).__name__}")
    return params, left_out


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
    if "cv_results_" not in held:
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
    params = estimator.get_params(deep=True)
    if any(v for k, v in params.items() if k.rpartition("__")[2] == "verbose"):
        return None, "the estimator is verbose and would print again"
    budget = max(_LEAST_S, _SHARE_OF_FIT * fit_seconds)
    with _undisturbed(params.values()):
        try:
            expected = _expected_seconds(estimator, data[0], budget)
            if expected > budget:
                return None, f"it would take about {expected:.2g} s"
            return float(estimator.score(data[0], data[1])), ""
        except _NO_SCORE as problem:
            return None, f"{type(problem).__name__}"


def _expected_seconds(estimator: Any, data: Any, budget: float) -> float:
    """About how long a prediction for all rows takes, from one for a row and one for a few."""
    from sklearn.utils import _safe_indexing

    rows = data.shape[0] if hasattr(data, "shape") else len(data)
    if rows <= _SAMPLE:
        return 0.0
    one = _seconds(estimator, _safe_indexing(data, [0]))
    if one > budget:
        return one
    some = _seconds(estimator, _safe_indexing(data, list(range(_SAMPLE))))
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


def names_of(arguments: Iterable[Any], frame: Any) -> list[str]:
    """The names of the caller's variables that hold these objects."""
    wanted = {id(argument) for argument in arguments if argument is not None}
    places = (frame.f_locals, frame.f_globals)
    return [name for place in places for name, value in list(place.items()) if id(value) in wanted]


def score_name(names: list[str]) -> str:
    """``test_score``, ``val_score`` or ``training_score`` where the data's names say so."""
    for pattern, metric in _ROLES.items():
        if any(re.search(pattern, name.lower()) for name in names):
            return metric
    return "score"
