"""Transformers' ``Trainer``, by a callback: what it logs, its arguments, its best checkpoint."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any

from transformers import trainer as trainers_of
from transformers import trainer_callback

from ..capture import fitmodels, fits, outermost
from ..capture import session as sessions
from ..capture.live import ActiveRun
from ..capture.patch import Guard, Patches, Steps, guarded
from ..capture.plainvalues import number
from . import torch_describe, trainers
from .quiet import quiet

TESTED = ("transformers", "4.46", "6")
# How fast it went is in the run's duration.
_SPEED = ("_runtime", "_per_second")


def install(patches: Patches) -> None:
    """Wrap the trainer."""
    outermost.claim()
    train = guarded(_around_train, "transformers' trainings")
    patches.wrap(trainers_of.Trainer, "train", train)
    for name in ("evaluate", "predict"):
        found = guarded(_around_evaluation, "transformers' evaluations")
        patches.wrap(trainers_of.Trainer, name, found)


def _around_train(trainer: Any, *args: Any, **kwargs: Any) -> Steps:
    if not trainer.is_world_process_zero():
        return
    training = trainers.begin(trainer, type(torch_describe.inner(trainer.model)).__name__)
    if training is None:
        return
    with training:
        fit = training.fit
        fits.remember(trainer, fit)
        watcher = _Watcher(fit)
        trainer.add_callback(watcher)
        try:
            outcome = yield
        finally:
            trainer.remove_callback(watcher)
        training.error = outcome.error
        if outcome.error is None:
            _after(fit, trainer, outcome.seconds)


def _around_evaluation(trainer: Any, *args: Any, **kwargs: Any) -> Steps:
    """What is evaluated after a training goes to its run, otherwise to the open one."""
    run = _run_of(trainer)
    if run is None:
        return
    with quiet():
        outcome = yield
    if outcome.error is None:
        found = getattr(outcome.result, "metrics", outcome.result)
        run.log_metrics(_numbers(found), trainer.state.global_step)


def _run_of(trainer: Any) -> ActiveRun | None:
    here = sessions.current.is_on() and outermost.is_here()
    if not here or outermost.running() is not None:
        return None
    return fits.run_of(trainer) or sessions.current.active()


class _Watcher(trainer_callback.TrainerCallback):  # type: ignore[misc]
    """The callback; it changes nothing of the control."""

    def __init__(self, fit: fits.Fit) -> None:
        self._fit = fit
        self._guard = Guard("transformers' training")

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        self._guard.run(_describe, self._fit, args, more.get("model"))

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **more: Any) -> None:
        self._guard.run(lambda: self._fit.log_metrics(_numbers(logs), state.global_step))


def _numbers(logs: Any) -> dict[str, float]:
    values = {str(key): number(value) for key, value in (logs or {}).items()}
    return {k: v for k, v in values.items() if v is not None and not k.endswith(_SPEED)}


def _describe(fit: fits.Fit, args: Any, model: Any) -> None:
    model = torch_describe.inner(model)
    given = args.to_dict()  # without tokens
    chosen = {key: value for key, value in given.items() if _is_chosen(args, key, value)}
    fit.log_params(chosen, chosen=True)
    fit.log_params({"model": type(model).__name__, **torch_describe.counts(model.parameters())})
    fit.log_params({key: value for key, value in given.items() if key not in chosen})
    config: Any = getattr(model, "config", None)
    if callable(getattr(config, "to_dict", None)):
        fit.log_dict(config.to_dict(), "model_config.json")


def _is_chosen(args: Any, key: str, value: Any) -> bool:
    """Whether an argument differs from its default, other than by what is made of the default."""
    field = {field.name: field for field in dataclasses.fields(args)}.get(key)
    if field is None or key == "output_dir":
        return False
    default: Any = field.default
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    if isinstance(default, enum.Enum):
        default = default.value
    made = isinstance(value, Mapping | list) and not isinstance(default, type(value))
    return not made and value != default


def _after(fit: fits.Fit, trainer: Any, seconds: float) -> None:
    state = trainer.state
    if state.best_model_checkpoint:
        fit.set_tags({"best_checkpoint": state.best_model_checkpoint})
    if (best := number(state.best_metric)) is not None:
        fit.log_metrics({"best_metric": best})
    fitmodels.offer(fit, torch_describe.inner(trainer.model), seconds)
