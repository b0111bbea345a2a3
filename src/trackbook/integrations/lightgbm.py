"""LightGBM: ``train`` and ``cv``, and what its scikit-learn estimators train."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lightgbm

from ..capture import outermost
from ..capture.patch import Patches, Steps, guarded
from . import boosters
from .boosters import Training
from .calls import call_of

NAME = "lightgbm"
TESTED = ("lightgbm", "4.5", "5")
_GIVEN = ("num_boost_round", "nfold", "stratified", "shuffle", "metrics", "seed")
_IMPORTANCE = ("gain", "split")


def install(patches: Patches) -> None:
    """Wrap the two functions wherever the package holds them."""
    outermost.claim()
    train = guarded(_around_train, "LightGBM's trainings")
    for holder in (lightgbm, lightgbm.engine, lightgbm.sklearn):
        patches.wrap(holder, "train", train)
    cv = guarded(_around_cv, "LightGBM's cross-validations")
    for holder in (lightgbm, lightgbm.engine):
        patches.wrap(holder, "cv", cv)
    boosters.noting_predictions(patches, lightgbm.Booster)


class _Points:
    """A callback as ``lightgbm.record_evaluation`` is; it changes nothing."""

    def __init__(self, training: Training) -> None:
        self.order = 25  # after those that record, before early stopping ends the round
        self.before_iteration = False
        self._training = training

    def __call__(self, env: Any) -> None:
        results = env.evaluation_result_list
        if results:
            read = {f"{result[0]}-{result[1]}": result[2] for result in results}
            self._training.point(lambda: read, env.iteration)


def _around_train(*args: Any, **kwargs: Any) -> Steps:
    call = call_of(lightgbm.train, args, kwargs)
    training = call and boosters.begin(NAME, lightgbm.LGBMModel, _params(call.given))
    if not call or not training:
        return
    with training:
        data = call.given["train_set"]
        training.data(getattr(data, "data", None), "train_set")
        outcome = yield call.with_callback(_Points(training))
        training.error = outcome.error
        if outcome.error is None:
            training.params(_shape(data))
            booster = outcome.result
            training.trained(outcome, _results(booster), _importance(booster))


def _around_cv(*args: Any, **kwargs: Any) -> Steps:
    call = call_of(lightgbm.cv, args, kwargs)
    training = call and boosters.begin(f"{NAME}.cv", lightgbm.LGBMModel, _params(call.given))
    if not call or not training:
        return
    with training:
        data = call.given["train_set"]
        training.data(getattr(data, "data", None), "train_set")
        outcome = yield
        training.error = outcome.error
        if outcome.error is None:
            training.params(_shape(data))
            found = outcome.result.items()
            training.curves({key: values for key, values in found if isinstance(values, list)})


def _params(given: Mapping[str, Any]) -> dict[str, Any]:
    arguments = {"num_boost_round": 100, **{key: given[key] for key in _GIVEN if key in given}}
    return boosters.own_params(given["params"], arguments)


def _shape(data: Any) -> dict[str, int]:
    """Rows and columns of a data set that has been trained on, which is when it knows them."""
    try:
        return {"num_data": data.num_data(), "num_feature": data.num_feature()}
    except lightgbm.basic.LightGBMError:
        return {}


def _results(booster: Any) -> dict[str, float]:
    found: dict[str, float] = {"iterations": booster.current_iteration()}
    if booster.best_iteration > 0:
        found["best_iteration"] = booster.best_iteration
        scores = booster.best_score.items()
        best = {f"{data}-{name}": score for data, log in scores for name, score in log.items()}
        found |= {f"best_{name}": score for name, score in best.items()}
    return found


def _importance(booster: Any) -> dict[str, list[Any]]:
    """All features, the most important first."""
    names = booster.feature_name()
    scores = {kind: booster.feature_importance(importance_type=kind) for kind in _IMPORTANCE}
    order = scores["gain"].argsort(kind="stable")[::-1]
    columns = {kind: found[order].tolist() for kind, found in scores.items()}
    return {"feature": [names[i] for i in order], **columns}
