"""Lightning's ``Trainer``, in ``lightning`` and in ``pytorch_lightning``, by a callback."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import formats
from ..capture import fitmodels, fits, outermost
from ..capture import session as sessions
from ..capture.patch import Guard, Patches, Steps, guarded
from ..capture.plainvalues import number
from . import callers, torch_describe, trainers
from .quiet import quiet

_LIGHTNINGS = ("lightning.", "pytorch_lightning.")
_PARAMS = ("max_epochs", "max_steps", "accumulate_grad_batches", "gradient_clip_val", "precision")
_UNSET = (None, -1)


def watch(patches: Patches, package: str) -> None:
    """Wrap the trainer of one of the two packages."""
    outermost.claim()
    trainer = sys.modules[f"{package}.trainer.trainer"].Trainer
    callback = sys.modules[f"{package}.callbacks"].Callback
    kind = type("Trackbook", (_Watcher, callback), {"__module__": __name__})

    def around_fit(trainer: Any, *args: Any, **kwargs: Any) -> Steps:
        model = args[0] if args else kwargs.get("model")
        if trainer.global_rank != 0 or callers.caller().startswith(_LIGHTNINGS):
            return  # a part of a training, or Lightning's search for a learning rate
        model = torch_describe.inner(model)
        training = trainers.begin(model, type(model).__name__)
        if training is None:
            return
        with training:
            fits.remember(model, training.fit)
            _log_hyper_parameters(training.fit, model)
            watcher = kind(training.fit)
            trainer.callbacks.append(watcher)
            try:
                outcome = yield
            finally:
                _take_out(trainer, watcher)
            training.error = watcher.exception or outcome.error
            if not watcher.saw and outcome.error is None:
                told = "it ran in other processes: its metrics and its optimizer were not seen"
                training.fit.note(told, "skipped")
            if outcome.error is None:
                _after(training.fit, trainer, model, outcome.seconds)

    patches.wrap(trainer, "fit", guarded(around_fit, "Lightning's trainings"))
    for name in ("validate", "test"):
        patches.wrap(trainer, name, guarded(_around_evaluation, "Lightning's evaluations"))


def _take_out(trainer: Any, watcher: Any) -> None:
    # Not by equality, which is the user's; Lightning may have made another list meanwhile.
    trainer.callbacks = [other for other in trainer.callbacks if other is not watcher]


def _around_evaluation(trainer: Any, model: Any = None, *args: Any, **kwargs: Any) -> Steps:
    """What ``test`` and ``validate`` find about a model goes to the run of its training,
    otherwise to the open one."""
    here = sessions.current.is_on() and outermost.is_here()
    if not here or outermost.running() is not None:
        return
    model = trainer.lightning_module if model is None else model
    run = fits.run_of(torch_describe.inner(model)) or sessions.current.active()
    if run is None:
        return
    with quiet():
        outcome = yield
    for found in outcome.result or ():
        run.log_metrics(_numbers(found), max(trainer.global_step - 1, 0))


class _Watcher:
    """The callback; a copy of it in another process does nothing."""

    def __init__(self, fit: fits.Fit) -> None:
        self.exception: BaseException | None = None
        self.saw = False
        self._fit: fits.Fit | None = fit
        self._guard = Guard("Lightning's training")
        self._points = _Points(fit)

    def __reduce__(self) -> tuple[Any, ...]:
        bases = [kind for kind in type(self).__mro__ if kind.__module__.startswith(_LIGHTNINGS)]
        return bases[0], ()

    def _see(self, step: Any, *args: Any) -> None:
        if outermost.is_here():
            self._guard.run(step, *args)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        self.saw = True
        self._see(_describe, self._fit, trainer, pl_module)
        self._see(self._points.begin, trainer)

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        self._see(self._points.epoch, trainer)

    def on_train_batch_start(self, trainer: Any, pl_module: Any, *batch: Any) -> None:
        self._see(self._points.batch_starts, trainer)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *batch: Any) -> None:
        self._see(self._points.batch, trainer)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        self._see(self._points.epoch_ends, trainer)

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        self._see(self._points.validation_starts, trainer)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        self._see(self._points.validation, trainer)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self._see(self._points.epoch, trainer)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        # After Ctrl-C Lightning exits by another one.
        self.exception = exception


class _Points:
    """Which of the logged metrics are new, and at which step.

    ``logged_metrics`` holds everything that was ever logged. A metric of steps is never one of
    epochs: Lightning names them apart.
    """

    def __init__(self, fit: fits.Fit) -> None:
        self._fit = fit
        self._of_steps: set[str] = set()
        self._of_epochs: dict[str, Any] = {}
        self._before: dict[str, Any] = {}
        self._last = -1
        self._rates: dict[str, float] = {}
        self._pending: tuple[int, int] | None = None

    def begin(self, trainer: Any) -> None:
        """From this step on; a resumed training has some behind it."""
        self._last = _step(trainer)

    def batch_starts(self, trainer: Any) -> None:
        """Note the learning rate of the batch: at its end there may be the next one."""
        if trainer.lr_scheduler_configs and len(trainer.optimizers) == 1:
            self._rates = torch_describe.lrs(trainer.optimizers[0])

    def batch(self, trainer: Any) -> None:
        step, every = _step(trainer), trainer.log_every_n_steps
        due = every and ((step + 1) % every == 0 or trainer.should_stop or trainer.fast_dev_run)
        first = trainer.fit_loop.batch_idx == 0
        if step == self._last or not (due or first):
            return  # batches are accumulated, or Lightning itself would log nothing
        logged = trainer.logged_metrics
        found = {key: value for key, value in logged.items() if key not in self._of_epochs}
        self._of_steps.update(found)
        if due:
            self._last = step
            self._log({**found, **self._rates}, step, trainer.current_epoch)

    def validation_starts(self, trainer: Any) -> None:
        self._before = dict(trainer.logged_metrics)

    def validation(self, trainer: Any) -> None:
        if not trainer.sanity_checking:
            found = _changed(trainer.logged_metrics, self._before)
            self._of_epochs.update(found)
            self._log(found, max(_step(trainer), 0), trainer.current_epoch)

    def epoch_ends(self, trainer: Any) -> None:
        self._pending = _step(trainer), trainer.current_epoch

    def epoch(self, trainer: Any) -> None:
        """Log the epoch that is over: only now is everything there that it logged at its end."""
        if self._pending is None:
            return
        (step, epoch), self._pending = self._pending, None
        found = _changed(trainer.logged_metrics, self._of_epochs)
        found = {key: value for key, value in found.items() if key not in self._of_steps}
        self._of_epochs.update(found)
        self._log(found, step, epoch)

    def _log(self, found: Mapping[str, Any], step: int, epoch: int) -> None:
        if points := _numbers(found):
            self._fit.log_metrics({**points, "epoch": epoch}, step)


def _step(trainer: Any) -> int:
    """The step of Lightning's own loggers: batches that stepped, from 0; -1 before."""
    if trainer.lightning_module.automatic_optimization:
        return int(trainer.global_step) - 1
    return int(trainer.fit_loop.total_batch_idx)


def _changed(now: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in now.items() if before.get(key) is not value}


def _numbers(found: Mapping[str, Any]) -> dict[str, float]:
    values = {key: number(value) for key, value in found.items()}
    return {key: value for key, value in values.items() if value is not None}


def _log_hyper_parameters(fit: fits.Fit, holder: Any) -> None:
    fit.log_params(dict(getattr(holder, "hparams", None) or {}), chosen=True)


def _describe(fit: fits.Fit, trainer: Any, module: Any) -> None:
    _log_hyper_parameters(fit, trainer.datamodule)
    given = {name: getattr(trainer, name, None) for name in _PARAMS}
    loader = getattr(trainer, "train_dataloader", None)
    found = {
        "model": type(module).__name__,
        **torch_describe.counts(module.parameters()),
        **{name: value for name, value in given.items() if value not in _UNSET},
        "batch_size": getattr(loader, "batch_size", None),
    }
    optimizers = trainer.optimizers
    for place, optimizer in enumerate(optimizers):
        start = f"{place}." if len(optimizers) > 1 else ""
        own, _ = torch_describe.hyper_parameters(optimizer)
        found |= {f"{start}{name}": value for name, value in own.items()}
    held = fit.run.params
    # What the user has among the hyper-parameters, such as ``lr``, is his.
    fit.log_params({key: v for key, v in found.items() if key not in held and v is not None})
    fit.log_text(torch_describe.summary(module), "model_summary.txt")
    if trainer.world_size > 1:
        fit.note(f"{trainer.world_size} processes train; the metrics are those of the first")


def _after(fit: fits.Fit, trainer: Any, model: Any, seconds: float) -> None:
    best = getattr(trainer.checkpoint_callback, "best_model_path", "")
    score = number(getattr(trainer.checkpoint_callback, "best_model_score", None))
    if score is not None:
        fit.log_metrics({"best_model_score": score})
    if not best or not Path(best).is_file():
        fitmodels.offer(fit, model, seconds)
        return
    size = Path(best).stat().st_size
    fit.set_tags({"best_checkpoint": best})
    if fitmodels.wanted() and size <= fitmodels.CAP:
        fit.log_artifact(best, f"checkpoints/{Path(best).name}")
        fit.note(f"{best}, {formats.size(size)}", "captured", "checkpoint")
    else:
        fit.note(f"{best}, {formats.size(size)}, stays where it is", "skipped", "checkpoint")
