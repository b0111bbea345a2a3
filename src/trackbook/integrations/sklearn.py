"""scikit-learn: ``fit`` and ``score`` of predictors, clusterers, pipelines and searches.

The outermost fit counts. Fits inside it, those that scikit-learn itself makes (cross validation)
and those of transformers alone are no runs of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from ..capture import fits, outermost
from ..capture import session as sessions
from ..capture.patch import Outcome, Patches, Steps, guarded
from . import sklearn_values as values

_ours = ("trackbook.", "contextlib", "functools")


def install(patches: Patches) -> None:
    """Wrap the estimators that exist and those that will be defined."""
    from sklearn import base

    outermost.claim()
    fit, score = guarded(_around_fit, "sklearn fits"), guarded(_around_score, "sklearn scores")
    makers = {"fit": fit, "fit_predict": fit, "score": score}

    def wrap(owner: type) -> None:
        for name in makers.keys() & vars(owner).keys():
            patches.wrap(owner, name, makers[name])

    def around_definition(owner: type, **_: Any) -> Steps:
        outcome = yield
        if outcome.error is None:
            wrap(owner)

    mixins = (base.ClassifierMixin, base.RegressorMixin, base.ClusterMixin, base.OutlierMixin)
    for owner in (*mixins, *_below(base.BaseEstimator, set())):
        wrap(owner)
    # Every estimator is a subclass, so that this sees those of modules not imported yet.
    definition = guarded(around_definition, "sklearn estimators")
    patches.wrap(base.BaseEstimator, "__init_subclass__", definition)


def _below(owner: type, seen: set[type]) -> Iterator[type]:
    below: list[type] = owner.__subclasses__()
    for kind in below:
        if kind not in seen:
            seen.add(kind)
            yield kind
            yield from _below(kind, seen)


def _around_fit(estimator: Any, *args: Any, **kwargs: Any) -> Steps:
    if not sessions.current.is_on() or not _predicts(estimator):
        return
    caller = _caller()
    running = outermost.enter(estimator)
    if running is None:
        return
    try:
        if caller.partition(".")[0] == "sklearn":
            _fold(caller)
            return
        params, left_out = values.params_of(estimator)
        name = type(estimator).__name__
        fit = running.fit = fits.begin(name)
        if fit is None:
            return
        fit.log_params(params)
        fit.set_tags({"estimator": name})
        for note in left_out:
            fit.note(note)
        outcome = yield
        if running.inner:
            inside = f"{running.inner} inner fit{'s' * (running.inner > 1)}"
            fit.note(f"{inside} folded into {name}")
        _after_fit(fit, estimator, outcome, args, kwargs)
    finally:
        outermost.leave()


def _after_fit(
    fit: fits.Fit, estimator: Any, outcome: Outcome, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    try:
        if outcome.error is not None:
            return
        fits.remember(estimator, fit.run)
        found = values.fitted_values(estimator)
        fit.log_params(found.params)
        fit.log_metrics(found.metrics)
        if found.candidates:
            fit.log_dict(found.candidates, "cv_results.json")
            fits.remember(getattr(estimator, "best_estimator_", None), fit.run)
        data = [*args, *(kwargs[key] for key in ("X", "y")[len(args) :] if key in kwargs)]
        score, why_not = values.training_score(estimator, data, outcome.seconds)
        if score is not None:
            fit.log_metrics({"training_score": score})
        if why_not:
            fit.note(f"training score left out: {why_not}")
    finally:
        fit.finish(outcome.error)


def _around_score(estimator: Any, *args: Any, **kwargs: Any) -> Steps:
    run = fits.run_of(estimator)
    if run is None or outermost.running() is not None or not outermost.is_here():
        return
    if _caller().partition(".")[0] == "sklearn" or not sessions.current.is_on():
        return
    names = values.names_of((*args, *kwargs.values()), _frame())
    outcome = yield
    if outcome.error is None and isinstance(outcome.result, (int, float)):
        run.log_metric(values.score_name(names), outcome.result)


def _predicts(estimator: Any) -> bool:
    return callable(getattr(estimator, "predict", None)) or hasattr(estimator, "fit_predict")


def _fold(caller: str) -> None:
    run = sessions.current.active()
    if run is not None:
        run.note_capture("autolog", "folded", f"fits made by {caller}")


def _frame() -> Any:
    """The frame of the code that called the wrapped method."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_ours):
        frame = frame.f_back
    return frame


def _caller() -> str:
    return str(_frame().f_globals.get("__name__", ""))
