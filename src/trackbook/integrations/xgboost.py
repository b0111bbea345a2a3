"""XGBoost: ``train`` and ``cv``, and what its scikit-learn estimators train."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xgboost

from ..capture import outermost
from ..capture.patch import Patches, Steps, guarded
from . import boosters
from .boosters import Training
from .calls import call_of

NAME = "xgboost"
TESTED = ("xgboost", "2.1", "4")
_GIVEN = ("num_boost_round", "early_stopping_rounds", "nfold", "stratified", "seed")
_IMPORTANCE = ("gain", "weight", "cover")


def install(patches: Patches) -> None:
    """Wrap the two functions wherever the package holds them."""
    outermost.claim()
    train = guarded(_around_train, "XGBoost's trainings")
    for holder in (xgboost, xgboost.training, xgboost.sklearn):
        patches.wrap(holder, "train", train)
    cv = guarded(_around_cv, "XGBoost's cross-validations")
    for holder in (xgboost, xgboost.training):
        patches.wrap(holder, "cv", cv)
    boosters.noting_predictions(patches, xgboost.Booster)


class _Points(xgboost.callback.TrainingCallback):  # type: ignore[misc]
    """XGBoost's own way to look on; it stops nothing.

    Before 3.2 the callbacks are in no order, and the one that stops keeps others from the last
    round; what is missing then is seen after the training.
    """

    def __init__(self, training: Training) -> None:
        super().__init__()
        self._training = training
        self._log: Mapping[str, Mapping[str, Any]] = {}
        self._rounds = 0

    def before_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Any]) -> bool:
        """Learn where the points will be."""
        self._log = evals_log
        return False

    def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Any]) -> bool:
        """One point of every metric of every data set."""
        if evals_log:
            self._training.point(lambda: _last(evals_log), epoch)
            self._rounds += 1
        return False

    def after_training(self, model: Any) -> Any:
        """The round that another callback kept from us."""
        logs = [points for log in self._log.values() for points in log.values()]
        if logs and len(logs[0]) > self._rounds:
            self._training.point(lambda: _last(self._log), self._rounds)
        return model


def _last(evals_log: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The newest points under the names that XGBoost prints, such as ``test-logloss``."""
    logs = evals_log.items()
    return {f"{data}-{name}": points[-1] for data, log in logs for name, points in log.items()}


def _around_train(*args: Any, **kwargs: Any) -> Steps:
    call = call_of(xgboost.train, args, kwargs)
    training = call and boosters.begin(NAME, xgboost.XGBModel, _params(call.given))
    if not call or not training:
        return
    with training:
        outcome = yield call.with_callback(_Points(training))
        training.error = outcome.error
        if outcome.error is None:
            booster = outcome.result
            training.trained(outcome, _results(booster), _importance(booster))


def _around_cv(*args: Any, **kwargs: Any) -> Steps:
    call = call_of(xgboost.cv, args, kwargs)
    training = call and boosters.begin(f"{NAME}.cv", xgboost.XGBModel, _params(call.given))
    if not training:
        return
    with training:
        outcome = yield
        training.error = outcome.error
        if outcome.error is None:
            found = outcome.result
            training.curves(found if isinstance(found, dict) else found.to_dict("list"))


def _params(given: Mapping[str, Any]) -> dict[str, Any]:
    arguments = {"num_boost_round": 10, **{key: given[key] for key in _GIVEN if key in given}}
    data = given["dtrain"]
    if isinstance(data, xgboost.DMatrix):
        arguments |= {"num_row": data.num_row(), "num_col": data.num_col()}
    return boosters.own_params(given["params"], arguments)


def _results(booster: Any) -> dict[str, float]:
    found: dict[str, float] = {"iterations": booster.num_boosted_rounds()}
    best = booster.attributes()
    if "best_iteration" in best:
        found["best_iteration"] = int(best["best_iteration"])
    if "best_score" in best:
        found["best_score"] = float(best["best_score"])
    return found


def _importance(booster: Any) -> dict[str, list[Any]]:
    """The features that the trees use, the most important first; a linear model has weights."""
    scores = {}
    for kind in _IMPORTANCE:
        try:
            scores[kind] = booster.get_score(importance_type=kind)
        except xgboost.core.XGBoostError:
            continue
    if not scores:
        return {}
    first = next(iter(scores.values()))
    features = sorted(first, key=lambda name: first[name], reverse=True)
    columns = {kind: [found.get(name) for name in features] for kind, found in scores.items()}
    return {"feature": features, **columns}
