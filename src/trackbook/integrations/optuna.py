"""Optuna: a study is one run, its trials are a table in it.

What is fitted in a trial is a part of the trial. ``run.promote`` makes runs of trials on demand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import optuna

from ..capture import fits, outermost
from ..capture.patch import Guard, Patches, Steps, guarded
from . import trainers
from .calls import call_of
from .quiet import quiet

TESTED = ("optuna", "3.6", "6")
_MOST_TRIALS = 10_000
# A study that its kernel does not survive has lost no more than the trials of so long.
_KEEP_S = 60.0
_UNNAMED = "no-name-"
_GIVEN = ("n_trials", "timeout", "n_jobs")


def install(patches: Patches) -> None:
    """Wrap ``Study.optimize``."""
    outermost.claim()
    patches.wrap(optuna.Study, "optimize", guarded(_around_optimize, "Optuna's studies"))


def _around_optimize(study: Any, *args: Any, **kwargs: Any) -> Steps:
    call = call_of(optuna.Study.optimize, (study, *args), kwargs)
    named = not study.study_name.startswith(_UNNAMED)
    training = call and trainers.begin(study, study.study_name if named else "optuna")
    if not call or not training:
        return
    with training:
        training.fit.log_params(_params(study, call.given), chosen=True)
        trials = _Trials(study, training.fit)
        call.given["func"] = _in_trial(call.given["func"], training.running)
        outcome = yield call.with_callback(trials)
        training.error = outcome.error
        trials.end()


def _in_trial(objective: Any, running: outermost.Running) -> Callable[[Any], Any]:
    def in_trial(trial: Any) -> Any:
        __tracebackhide__ = True
        with outermost.work_for(running), quiet():
            return objective(trial)

    return in_trial


def _params(study: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    directions = [direction.name.lower() for direction in study.directions]
    return {
        **{key: given[key] for key in _GIVEN if given.get(key) is not None},
        "direction": directions[0] if len(directions) == 1 else directions,
        "sampler": type(study.sampler).__name__,
        "pruner": type(study.pruner).__name__,
    }


class _Trials:
    """The callback that Optuna calls after every trial, from any of its threads."""

    def __init__(self, study: Any, fit: fits.Fit) -> None:
        self._study = study
        self._fit = fit
        self._guard = Guard("Optuna's trials")
        self._kept = time.monotonic()

    def __call__(self, study: Any, trial: Any) -> None:
        self._guard.run(self._finished, trial)

    def end(self) -> None:
        """The study pauses: its table and its best."""
        self._keep()
        if best := _best(self._study):
            self._fit.log_params({f"best.{key}": value for key, value in best.params.items()})
            self._fit.log_params({"best_trial": best.number})

    def _finished(self, trial: Any) -> None:
        if trial.state is optuna.trial.TrialState.COMPLETE:
            points = _values(self._study, trial)
            if best := _best(self._study):
                points["best_value"] = best.value
            self._fit.log_metrics(points, trial.number)
        if time.monotonic() - self._kept > _KEEP_S:
            self._keep()

    def _keep(self) -> None:
        self._kept = time.monotonic()
        trials = self._study.get_trials(deepcopy=False)
        rows = [_row(self._study, trial) for trial in trials[:_MOST_TRIALS]]
        if rows:
            self._fit.log_dict(rows, "trials.json")
        if len(trials) > len(rows):
            self._fit.note(f"{len(trials) - len(rows)} trials left out of the table", "skipped")


def _best(study: Any) -> Any:
    """The best trial so far; None before the first, and where there are several objectives."""
    try:
        return study.best_trial
    except (ValueError, RuntimeError):
        return None


def _values(study: Any, trial: Any) -> dict[str, float]:
    """The values of a trial under Optuna's names."""
    values = trial.values or []
    names = study.metric_names or [f"values_{i}" for i in range(len(values))]
    return dict(zip(["value"] if len(values) == 1 else names, values, strict=False))


def _row(study: Any, trial: Any) -> dict[str, Any]:
    row = {"params": trial.params, **_values(study, trial), "number": trial.number}
    row["state"] = trial.state.name.lower()
    if trial.duration is not None:
        row["seconds"] = trial.duration.total_seconds()
    if trial.intermediate_values:
        row["last_step"] = trial.last_step
        row["last_intermediate_value"] = trial.intermediate_values[trial.last_step]
    return row
