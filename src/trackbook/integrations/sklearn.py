"""scikit-learn: fits, predictions and scores of predictors, clusterers, pipelines and searches.

The outermost fit counts. Fits inside it, those that scikit-learn itself makes (cross validation)
and those of transformers alone are no runs of their own, and are told in ``%track why``.
"""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable, Iterator
from types import GeneratorType
from typing import Any

from sklearn import base
from sklearn.utils.metaestimators import _BaseComposition

from ..capture import fitmodels, fits, outermost, predictions
from ..capture import session as sessions
from ..capture.patch import UNSEEN, Guard, Outcome, Patches, Steps, Wrapper, guarded
from . import callers, callsite
from . import sklearn_values as values

TESTED = ("sklearn", "1.5", "1.10")
_FITS = ("fit", "fit_predict", "fit_transform", "partial_fit")
_PREDICTS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples")
_STAGES = ("staged_predict", "staged_predict_proba", "staged_decision_function")
# What begins a run, besides meta-estimators: a method of it tells, of the first two if it is no
# transformer.
_PREDICTOR = ("predict", "fit_predict")
_predicting = Guard("sklearn predictions")


def install(patches: Patches) -> None:
    """Wrap the estimators that exist and those that will be defined."""
    outermost.claim()
    makers: dict[str, Callable[[Wrapper], Wrapper]] = {}
    for name in _FITS:
        hook = functools.partial(_around_fit, name)
        makers[name] = guarded(hook, "sklearn fits")
    makers["score"] = guarded(_around_score, "sklearn scores")
    makers |= dict.fromkeys((*_PREDICTS, *_STAGES), _noting_predictions)

    seen: weakref.WeakSet[type] = weakref.WeakSet()

    def wrap(estimator: type) -> None:
        # Some methods stand in mixins that are no estimators themselves.
        for owner in estimator.__mro__:
            if owner not in seen:
                seen.add(owner)
                for name in makers.keys() & vars(owner).keys():
                    patches.wrap(owner, name, makers[name])

    def around_definition(owner: type, **_: Any) -> Steps:
        outcome = yield
        if outcome.error is None:
            wrap(owner)

    for estimator in _below(base.BaseEstimator, set()):
        wrap(estimator)
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


def _begins_run(kind: type) -> bool:
    if issubclass(kind, (base.MetaEstimatorMixin, _BaseComposition)):
        return True
    # Asked of the class: a property of the user's may raise.
    if any(callable(getattr(kind, name, None)) for name in _PREDICTOR):
        return True
    return hasattr(kind, "score_samples") and not hasattr(kind, "transform")


# -- fits ------------------------------------------------------------------------------------------


def _around_fit(method: str, estimator: Any, *args: Any, **kwargs: Any) -> Steps:
    if not sessions.current.is_on():
        return
    name, library = type(estimator).__name__, callers.library()
    if not _begins_run(type(estimator)):
        if not library and outermost.running() is None and outermost.is_here():
            fits.note_earlier(f"{name} was fitted by itself")
        return
    if method == "partial_fit" and fits.fit_of(estimator) is not None:
        return  # more of a fit that has its run
    running = outermost.enter(estimator)
    if running is None:
        return
    try:
        if library:
            _fold(library)
            yield
            return
        params, left_out = values.params_of(estimator)
        fit = running.fit = fits.begin(name)
        if fit is None:
            return
        fit.log_params(params)
        fit.set_tags({"estimator": name})
        for note in left_out:
            fit.note(note)
        data = _data(args, kwargs)
        values.guard_of(estimator, "the data").run(_log_inputs, fit, data)
        outcome = yield
        inner = max(running.inner, values.inner_fits(estimator))
        if inner:
            fit.note(f"{inner} inner fit{'s' * (inner > 1)} folded into {name}", "folded")
        _after_fit(fit, estimator, outcome, data, method)
    finally:
        outermost.leave()


def _data(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    return [*args[:2], *(kwargs[key] for key in ("X", "y")[len(args) :] if key in kwargs)]


def _log_inputs(fit: fits.Fit, data: list[Any]) -> None:
    frame = next(callers.frames(), None)
    for value, name in zip(data, ("X", "y"), strict=False):
        found = callsite.names_of([value], frame) if frame is not None else []
        own = [name for name in found if name[:1] != "_"]
        if value is not None and values.is_quick(value):
            fit.log_input(value, own[0] if own else name)
        elif value is not None:
            fit.note(
                f"{name} has too many columns to hash it by the way: log_input does", "skipped"
            )


def _after_fit(
    fit: fits.Fit, estimator: Any, outcome: Outcome, data: list[Any], method: str
) -> None:
    try:
        if outcome.error is None:
            _log_fitted(fit, estimator, outcome, data, method)
    finally:
        fit.finish(outcome.error)


def _log_fitted(
    fit: fits.Fit, estimator: Any, outcome: Outcome, data: list[Any], method: str
) -> None:
    for part in values.parts_of(estimator):
        fits.remember(part, fit)
    if method == "fit_predict":
        predictions.made(estimator, outcome.result)
    if "labels_" in vars(estimator):
        predictions.made(estimator, estimator.labels_)
    values.guard_of(estimator, "the results").run(_log_results, fit, estimator)
    if method != "partial_fit":
        scoring = values.guard_of(estimator, "the training score")
        scoring.run(_log_training_score, fit, estimator, data, outcome.seconds)
    also = _log_importances if values.has_importances(estimator) else None
    fitmodels.offer(fit, estimator, outcome.seconds, also)


def _log_results(fit: fits.Fit, estimator: Any) -> None:
    found = values.fitted_values(estimator)
    fit.log_params(found.params)
    fit.log_metrics(found.metrics)
    if found.candidates:
        fit.log_dict(found.candidates, "cv_results.json")


def _log_training_score(fit: fits.Fit, estimator: Any, data: list[Any], seconds: float) -> None:
    score, why_not = values.training_score(estimator, data, seconds)
    if score is not None:
        fit.log_metrics({"training_score": score})
    if why_not:
        fit.note(f"training score left out: {why_not}", "skipped")


def _log_importances(fit: fits.Fit, estimator: Any) -> None:
    table = values.importances(estimator)
    if table:
        fit.log_table(table, "feature_importance.csv")


def _fold(library: str) -> None:
    run = sessions.current.active()
    if run is not None:
        run.note_capture("autolog", "folded", f"fits made by {library}")


# -- scores and predictions ------------------------------------------------------------------------


def _around_score(estimator: Any, *args: Any, **kwargs: Any) -> Steps:
    fit = fits.fit_of(estimator)
    if fit is None or outermost.running() is not None or not outermost.is_here():
        return
    frame = next(callers.frames(), None)
    if frame is None or callers.library() or not sessions.current.is_on():
        return
    call = callsite.call_of(frame)
    written = [callsite.argument(call, place, name) for place, name in ((1, "y"), (0, "X"))]
    names = [name for node in written for name in callsite.names_in(node)]
    split = values.split_of(names) or values.split_of(
        callsite.names_of((*args, *kwargs.values()), frame)
    )
    outcome = yield
    if outcome.error is None and isinstance(outcome.result, (int, float)):
        fit.log_metrics({f"{split}score": outcome.result})
        fitmodels.scored(fit)


def _noting_predictions(call: Wrapper) -> Wrapper:
    """Cheaper than ``guarded``: a forest calls this once a tree."""

    @functools.wraps(call)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        with UNSEEN:
            result = call(*args, **kwargs)
        if not callers.is_library(sys._getframe(1)):
            _predicting.run(_note_prediction, args, kwargs, result)
        return result

    return wrapper


def _note_prediction(args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
    if isinstance(result, GeneratorType):  # the predictions come later, one a row of the data
        result = args[1] if len(args) > 1 else kwargs.get("X")
    on = args and sessions.current.is_on() and outermost.is_here()
    if on and outermost.running() is None:
        predictions.made(args[0], result)
