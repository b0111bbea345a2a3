"""Trainings of transformers' Trainer become runs with what it logs; the model is made here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from tracked import runs
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

import trackbook as tb
from trackbook.jsonable import loads

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
torch.set_num_threads(1)  # the tensors are tiny
CONFIG = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "vocab_size": 12}
CONFIG |= {"intermediate_size": 8, "max_position_embeddings": 8}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def rows(count: int) -> list[dict[str, Any]]:
    made = torch.Generator().manual_seed(1)
    words = torch.randint(1, 12, (count, 5), generator=made)
    return [{"input_ids": line, "labels": int(line[0] > 5)} for line in words]


class Stops(TrainerCallback):
    """A callback of the user's that may fail."""

    def __init__(self, at: int, error: type[BaseException]) -> None:
        self.at, self.error = at, error

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self.at:
            raise self.error("not today")


def trainer(folder: Path, *callbacks: Any, **more: Any) -> Any:
    torch.manual_seed(0)
    given = {"num_train_epochs": 2, "per_device_train_batch_size": 4, "logging_steps": 2}
    given |= {"eval_strategy": "epoch", "save_strategy": "epoch", "learning_rate": 0.01}
    given |= {"load_best_model_at_end": True, "hub_token": "hf_" + "a1B2" * 8}
    given |= {"use_cpu": True, "disable_tqdm": True, "report_to": "none"}
    args = TrainingArguments(output_dir=str(folder), **{**given, **more})
    model = BertForSequenceClassification(BertConfig(**CONFIG))
    data = {"train_dataset": rows(24), "eval_dataset": rows(8)}
    return Trainer(model=model, args=args, callbacks=list(callbacks), **data)


def points(run: Any, key: str) -> list[tuple[int, float]]:
    curve = run.history(key)
    return list(zip(curve["step"], curve["value"], strict=True))


def history(made: Any, key: str) -> list[tuple[int, float]]:
    """What the trainer itself has logged."""
    return [(log["step"], log[key]) for log in made.state.log_history if key in log]


def test_a_training_is_a_run_with_what_the_trainer_logs(tmp_path: Path) -> None:
    made = trainer(tmp_path)
    made.train()
    (run,) = runs()
    assert (run.name, run.status) == ("BertForSequenceClassification", "finished")
    for key in ("loss", "grad_norm", "learning_rate", "eval_loss", "epoch", "train_loss"):
        assert points(run, key) == history(made, key) != [], key
    assert not [key for key in run.metrics if key.endswith(("_runtime", "_per_second"))]
    chosen = {"learning_rate": 0.01, "num_train_epochs": 2, "logging_steps": 2}
    assert run.params.items() >= {**chosen, "per_device_train_batch_size": 4}.items()
    assert run.params["n_parameters"] == sum(p.numel() for p in made.model.parameters())
    listed = list(run.params)
    assert listed.index("logging_steps") < listed.index("n_parameters") < listed.index("adam_beta1")
    assert "hf_a1B2" not in str(run.params)
    assert run.metrics["best_metric"] == made.state.best_metric
    assert run.tags["best_checkpoint"] == made.state.best_model_checkpoint
    assert loads(run.artifact("model_config.json").read_bytes())["hidden_size"] == 8
    assert [name for name in run.artifacts if name.startswith("model.")]
    found = made.evaluate(rows(6), metric_key_prefix="late")
    made.predict(rows(6))
    (run,) = runs()
    assert run.metrics["late_loss"] == found["late_loss"]
    assert "test_loss" in run.metrics


def test_only_what_was_chosen_counts_as_chosen(tmp_path: Path) -> None:
    trainer(tmp_path).train()
    defaults = set(runs()[0]._document["autologged"])
    given = {"learning_rate", "num_train_epochs", "logging_steps", "eval_strategy", "use_cpu"}
    assert not given & defaults
    assert {"adam_beta1", "weight_decay", "optim", "accelerator_config", "report_to"} <= defaults


def test_weights_history_and_callbacks_are_as_without_us(tmp_path: Path) -> None:
    def work(folder: Path) -> tuple[Any, ...]:
        made = trainer(folder)
        before = [type(callback) for callback in made.callback_handler.callbacks]
        made.train()
        after = [type(callback) for callback in made.callback_handler.callbacks]
        assert before == after
        keys = ("loss", "grad_norm", "learning_rate", "eval_loss")
        weights = [p.tolist() for p in made.model.parameters()]
        return weights, [history(made, key) for key in keys], after, torch.rand(1).item()

    with_us = work(tmp_path / "with")
    assert len(runs()) == 1
    tb.autolog(False)
    assert work(tmp_path / "without") == with_us
    assert len(runs()) == 1


def test_its_tensorboard_reports_double_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "logs"))
    trainer(tmp_path, report_to=["tensorboard"]).train()
    (run,) = runs()
    assert not [key for key in run.metrics if key.startswith(("train/", "eval/"))]
    assert list(tmp_path.rglob("events.out.tfevents*"))


@pytest.mark.parametrize(
    ("error", "status"), [(LookupError, "failed"), (KeyboardInterrupt, "interrupted")]
)
def test_a_failing_training_raises_as_without_us(
    error: type[BaseException], status: str, tmp_path: Path
) -> None:
    made = trainer(tmp_path, Stops(5, error))
    before = list(made.callback_handler.callbacks)
    with pytest.raises(error, match="not today") as caught:
        made.train()
    assert caught.value.__context__ is None
    assert made.callback_handler.callbacks == before
    (run,) = runs()
    assert (run.status, run.error["type"]) == (status, error.__name__)
    assert run.summary["loss"]["count"] == 2
    with pytest.raises(TypeError):
        made.train(no_such_argument=1)


def test_a_search_with_optuna_is_one_run(tmp_path: Path) -> None:
    def make(trial: Any = None) -> Any:
        return BertForSequenceClassification(BertConfig(**CONFIG))

    made = trainer(tmp_path, load_best_model_at_end=False, save_strategy="no", num_train_epochs=1)
    made.model_init = make
    made.hyperparameter_search(
        lambda trial: {"learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-2)},
        backend="optuna",
        n_trials=2,
    )
    (run,) = runs()
    assert (run.name, run.summary["value"]["count"]) == ("optuna", 2)
    assert "loss" not in run.metrics
    assert "params.learning_rate" in run.candidates()


def test_an_evaluation_alone_is_in_the_open_run_and_makes_none(tmp_path: Path) -> None:
    made = trainer(tmp_path)
    made.evaluate()
    with tb.start_run("judged"):
        found = made.evaluate()
    (run,) = runs()
    assert (run.name, run.metrics["eval_loss"]) == ("judged", found["eval_loss"])


def test_off_restores_the_very_methods() -> None:
    names = ("train", "evaluate", "predict")
    tb.autolog(False)
    before = [vars(Trainer)[name] for name in names]
    tb.autolog()
    assert not any(vars(Trainer)[name] in before for name in names)
    tb.autolog(False)
    assert all(vars(Trainer)[n] is b for n, b in zip(names, before, strict=True))


def test_a_tracked_cell_run_again_is_the_next_attempt(ip: InteractiveShell, tmp_path: Path) -> None:
    ip.user_ns.update(trainer=trainer, folder=tmp_path, tb=tb)
    ip.run_cell("tb.autolog()").raise_error()
    for _ in range(2):
        ip.run_cell("%%track bert\nmade = trainer(folder)\nmade.train();").raise_error()
    assert [(run.number, run.summary["eval_loss"]["count"]) for run in runs()] == [(1, 2), (2, 2)]


def test_importing_the_package_brings_in_no_trainer(tmp_path: Path) -> None:
    script = f"""
import sys, trackbook as tb
tb.set_store({str(tmp_path / "store")!r})
tb.autolog()
import transformers
assert "transformers.trainer" not in sys.modules
from transformers import Trainer
print(type(vars(Trainer)["train"]).__module__)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "trackbook.capture.patch", done.stderr
