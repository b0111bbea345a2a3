"""What XGBoost and LightGBM have in common: one training, its points, its best and its features.

Their scikit-learn estimators call the native ``train``. The run of such a fit is begun by
scikit-learn's hook; its points go into that run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..capture import fitmodels, fits, outermost, predictions
from ..capture import session as sessions
from ..capture.patch import Guard, Outcome, Patches, Steps, guarded
from ..errors import InvalidValue
from . import callers

_MOST_FEATURES = 10_000
# Where one of these trains, the training is one of many.
_MANY = {"sklearn", "joblib"}


class Training:
    """One training, and the fit whose values it has; a context manager that ends what it began."""

    def __init__(self, fit: fits.Fit, what: str, *, own: bool) -> None:
        self.fit = fit
        self.own = own
        """Whether nobody else, such as scikit-learn's hook, logs params and data of this fit."""
        self.error: BaseException | None = None
        self._guard = Guard(what)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self.own:
            outermost.leave()
            self.fit.finish(self.error)

    def data(self, data: Any, name: str) -> None:
        """Note what data goes in, where it is data in memory and not told by others."""
        if self.own and data is not None and not isinstance(data, (str, Path)):
            with contextlib.suppress(InvalidValue):  # a list of parts, say
                self.fit.log_input(data, name)

    def params(self, params: Mapping[str, Any]) -> None:
        """Params known only later."""
        if self.own:
            self.fit.log_params(params)

    def point(self, read: Callable[[], Mapping[str, float]], iteration: int) -> None:
        """One point of each metric that ``read`` gives; a fault in it is none of the user's."""
        self._guard.run(lambda: self.fit.log_metrics(dict(read()), iteration))

    def curves(self, results: Mapping[str, Sequence[float]]) -> None:
        """The whole course of several metrics."""
        for iteration, values in enumerate(zip(*results.values(), strict=False)):
            self.fit.log_metrics(dict(zip(results, values, strict=True)), iteration)

    def trained(
        self,
        outcome: Outcome,
        found: Mapping[str, float],
        importance: Mapping[str, Sequence[Any]],
    ) -> None:
        """What the training came to; ``importance`` has a column ``feature`` and others."""
        self.fit.log_metrics(found)
        if self.own:
            fits.remember(outcome.result, self.fit)
            fitmodels.offer(self.fit, outcome.result, outcome.seconds)
        features = importance.get("feature", ())
        if len(features) > _MOST_FEATURES:
            self.fit.note(f"feature importance left out: {len(features)} features", "skipped")
        elif features:
            table = _Importance(self.fit, dict(importance))
            sessions.current.afterwork.put(table)


class _Importance:
    """The job of writing the table, which no training waits for."""

    def __init__(self, fit: fits.Fit, columns: dict[str, Sequence[Any]]) -> None:
        self._fit = fit
        self._columns = columns
        self._guard = Guard("feature importance")
        self.size = sum(100 * len(column) for column in columns.values())

    def run(self) -> None:
        self._guard.run(self._fit.log_table, self._columns, "feature_importance.csv")

    def let_go(self) -> None:
        self._fit.note("feature importance let go, as many trainings came at once", "skipped")

    def leads(self) -> bool:
        return False


def begin(name: str, estimators: type, params: Mapping[str, Any]) -> Training | None:
    """The training that begins; None for one of many inside another fit, or while tracking is off.

    ``estimators`` is the framework's scikit-learn class.
    """
    running = outermost.running()
    if running is not None:
        last = getattr(running.model, "_final_estimator", running.model)
        if running.fit is not None and isinstance(last, estimators) and outermost.is_here():
            return Training(running.fit, name, own=False)
        running.inner += not _estimator_above(estimators)
        return None
    estimator = _estimator_above(estimators)
    if callers.is_below(_MANY):
        return None
    started = outermost.enter(params if estimator is None else estimator)
    if started is None:
        return None
    fit = started.fit = fits.begin(name if estimator is None else type(estimator).__name__)
    if fit is None:
        outermost.leave()
        return None
    fit.log_params(params, chosen=True)
    return Training(fit, name, own=True)


def _estimator_above(kind: type) -> Any:
    """The estimator that called, None where the user did."""
    frame = next(callers.frames(), None)
    found = frame.f_locals.get("self") if frame is not None else None
    return found if isinstance(found, kind) else None


def noting_predictions(patches: Patches, booster: type) -> None:
    """Metrics of what a native booster predicts go to the run of its training."""

    def around_predict(model: Any, *_: Any, **__: Any) -> Steps:
        if fits.fit_of(model) is None:
            return  # the inner model of an estimator, whose predictions they are
        outcome = yield
        if outcome.error is None:
            predictions.made(model, outcome.result)

    what = f"predictions of {booster.__module__.partition('.')[0]}"
    patches.wrap(booster, "predict", guarded(around_predict, what))


def own_params(params: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The params as the user wrote them, and those of the arguments that are given."""
    pairs = params.items() if isinstance(params, Mapping) else params or ()
    given: dict[str, Any] = {}
    for key, value in pairs:  # XGBoost takes pairs too, several with the name eval_metric
        told = getattr(value, "__name__", value) if callable(value) else value
        if key == "eval_metric" and key in given:
            before = given[key] if isinstance(given[key], list) else [given[key]]
            told = [*before, told]
        given[str(key)] = told
    return {**given, **{key: value for key, value in arguments.items() if value is not None}}
