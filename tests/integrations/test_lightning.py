"""Lightning's trainings become runs, with what Lightning's own loggers write, at their steps."""

# ruff: noqa: N812 - L is what Lightning's users call it

from __future__ import annotations

import csv
import logging
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

warnings.filterwarnings("ignore", module="pytorch_lightning")
import pytorch_lightning as L  # noqa: E402
from pytorch_lightning.callbacks import ModelCheckpoint  # noqa: E402
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger  # noqa: E402
from tracked import runs  # noqa: E402

import trackbook as tb  # noqa: E402

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

for name in ("pytorch_lightning", "lightning.pytorch"):
    logging.getLogger(name).setLevel(logging.ERROR)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
torch.set_num_threads(1)  # the tensors are tiny


class Line(L.LightningModule):
    """A line through points, with a metric of each kind."""

    def __init__(self, lr: float = 0.1, fails_at: int = -1) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(1, 1)

    def loss(self, batch: Any) -> Any:
        x, y = batch
        return torch.nn.functional.mse_loss(self.layer(x), y)

    def training_step(self, batch: Any, index: int) -> Any:
        if self.global_step == self.hparams.fails_at:
            raise LookupError("not today")
        loss = self.loss(batch)
        self.log("loss", loss, on_step=True, on_epoch=True)
        self.log("only_step", loss * 2, on_step=True, on_epoch=False)
        return loss

    def on_train_epoch_end(self) -> None:
        self.log("late", float(self.current_epoch))

    def validation_step(self, batch: Any, index: int) -> None:
        self.log("val_loss", self.loss(batch))

    def test_step(self, batch: Any, index: int) -> None:
        self.log("test_loss", self.loss(batch))

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=self.hparams.lr, momentum=0.5)
        return [optimizer], [torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)]


def data() -> Any:
    x = torch.linspace(-1, 1, 40).unsqueeze(1)
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, 3 * x), batch_size=8)


def trainer(folder: Path, **more: Any) -> Any:
    quiet = {"enable_progress_bar": False, "enable_model_summary": False}
    given = {"max_epochs": 3, "log_every_n_steps": 2, "logger": False, "accelerator": "cpu"}
    return L.Trainer(default_root_dir=folder, **{**quiet, **given, **more})


def train(folder: Path, model: Any = None, **more: Any) -> tuple[Any, Any]:
    torch.manual_seed(0)
    model = Line() if model is None else model
    made = trainer(folder, **more)
    made.fit(model, data(), data())
    return made, model


def logged(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What Lightning's own logger wrote: steps and values."""
    (path,) = folder.rglob("metrics.csv")
    with path.open() as file:
        rows = list(csv.DictReader(file))
    keys = [key for key in rows[0] if key not in ("step", "epoch")]
    return {k: [(int(r["step"]), float(r[k])) for r in rows if r[k]] for k in keys}


def points(run: Any, key: str) -> list[tuple[int, float]]:
    curve = run.history(key)
    return list(zip(curve["step"], curve["value"], strict=True))


def test_a_training_is_a_run_with_what_lightnings_logger_writes(tmp_path: Path) -> None:
    made, model = train(tmp_path, logger=CSVLogger(tmp_path))
    (run,) = runs()
    assert (run.name, run.status) == ("Line", "finished")
    wanted = logged(tmp_path)
    assert wanted.keys() == {"loss_step", "loss_epoch", "only_step", "late", "val_loss"}
    for key, given in wanted.items():
        assert points(run, key) == [(s, pytest.approx(v, rel=1e-6)) for s, v in given], key
    chosen = {"lr": 0.1, "fails_at": -1}
    found = {"optimizer": "SGD", "momentum": 0.5, "batch_size": 8, "n_parameters": 2}
    assert run.params.items() >= {**chosen, **found, "max_epochs": 3, "model": "Line"}.items()
    rates = [(1, 0.1), (3, 0.1), (5, 0.05), (7, 0.05), (9, 0.05), (11, 0.025), (13, 0.025)]
    assert points(run, "lr") == rates  # that of the step, not the one after it
    assert run.history("epoch")["value"].max() == 2
    best = made.checkpoint_callback.best_model_path
    assert run.tags["best_checkpoint"] == best
    assert run.artifact(f"checkpoints/{Path(best).name}").read_bytes() == Path(best).read_bytes()
    assert "layer" in run.artifact("model_summary.txt").read_text()
    (tested,) = made.test(model, data(), verbose=False)
    assert runs()[0].metrics["test_loss"] == pytest.approx(tested["test_loss"])
    assert len(runs()) == 1


def test_weights_metrics_and_callbacks_are_as_without_us(tmp_path: Path) -> None:
    def work(folder: Path) -> tuple[Any, ...]:
        made, model = train(folder, logger=CSVLogger(folder))
        saved = torch.load(made.checkpoint_callback.best_model_path, weights_only=False)
        kinds = [type(callback).__name__ for callback in made.callbacks]
        weights = [p.tolist() for p in model.parameters()]
        return weights, logged(folder), kinds, saved["callbacks"].keys() > set()

    with_us = work(tmp_path / "with")
    assert len(runs()) == 1
    tb.autolog(False)
    assert work(tmp_path / "without") == with_us
    assert len(runs()) == 1


def test_its_tensorboard_logger_doubles_nothing_but_what_the_user_adds_is_kept(
    tmp_path: Path,
) -> None:
    class Own(Line):
        def on_train_epoch_start(self) -> None:
            self.logger.experiment.add_scalar("own", self.current_epoch, self.current_epoch)

    train(tmp_path, Own(), logger=TensorBoardLogger(tmp_path))
    (run,) = runs()
    assert points(run, "own") == [(0, 0.0), (1, 1.0), (2, 2.0)]
    assert run.summary["val_loss"]["count"] == 3


def test_without_checkpoints_the_model_itself_is_kept_and_the_best_score_with_one(
    tmp_path: Path,
) -> None:
    made, _ = train(tmp_path, callbacks=[ModelCheckpoint(tmp_path, monitor="val_loss")])
    train(tmp_path, enable_checkpointing=False)
    first, second = runs()
    best = float(made.checkpoint_callback.best_model_score)
    assert first.metrics["best_model_score"] == pytest.approx(best)
    assert [name for name in second.artifacts if name.startswith("model.")]
    tb.autolog(models=False)
    train(tmp_path)
    assert not [name for name in runs()[-1].artifacts if name.startswith("checkpoints")]
    assert "best_checkpoint" in runs()[-1].tags


def test_accumulated_batches_have_the_steps_of_lightning(tmp_path: Path) -> None:
    train(tmp_path, logger=CSVLogger(tmp_path), accumulate_grad_batches=2, log_every_n_steps=1)
    (run,) = runs()
    for key, given in logged(tmp_path).items():
        assert points(run, key) == [(s, pytest.approx(v, rel=1e-6)) for s, v in given], key


def test_a_resumed_training_goes_on_where_it_stopped(tmp_path: Path) -> None:
    made, _ = train(tmp_path)
    again = trainer(tmp_path / "again", max_epochs=5, logger=CSVLogger(tmp_path / "again"))
    path = made.checkpoint_callback.best_model_path
    again.fit(Line(), data(), data(), ckpt_path=path)
    run = runs()[1]
    for key, given in logged(tmp_path / "again").items():
        assert points(run, key) == [(s, pytest.approx(v, rel=1e-6)) for s, v in given], key


def test_a_gan_with_manual_optimization(tmp_path: Path) -> None:
    class Two(Line):
        automatic_optimization = False

        def training_step(self, batch: Any, index: int) -> None:
            for optimizer in self.optimizers():
                loss = self.loss(batch)
                optimizer.zero_grad()
                self.manual_backward(loss)
                optimizer.step()
            self.log("loss", loss)

        def on_train_epoch_end(self) -> None:
            pass

        def configure_optimizers(self) -> Any:
            return [torch.optim.Adam(self.parameters()), torch.optim.SGD(self.parameters(), 0.1)]

    train(tmp_path, Two(), logger=CSVLogger(tmp_path))
    (run,) = runs()
    assert (run.params["0.optimizer"], run.params["1.optimizer"]) == ("Adam", "SGD")
    for key, given in logged(tmp_path).items():
        assert points(run, key) == [(s, pytest.approx(v, rel=1e-6)) for s, v in given], key


def test_a_failing_training_raises_as_without_us_and_fails_the_run(tmp_path: Path) -> None:
    made = trainer(tmp_path)
    kinds = [type(callback) for callback in made.callbacks]
    with pytest.raises(LookupError, match="not today") as caught:
        made.fit(Line(fails_at=4), data(), data())
    assert caught.value.__context__ is None
    assert [type(callback) for callback in made.callbacks] == kinds
    (run,) = runs()
    assert (run.status, run.error["type"]) == ("failed", "LookupError")
    assert run.summary["loss_step"]["count"] == 2
    with pytest.raises(TypeError):
        made.fit()
    train(tmp_path)
    assert runs()[-1].status == "finished"


def test_an_interrupted_training_is_interrupted(tmp_path: Path) -> None:
    class Stopped(Line):
        def on_train_epoch_end(self) -> None:
            raise KeyboardInterrupt

    with pytest.raises(SystemExit):  # which is what Lightning makes of it
        train(tmp_path, Stopped())
    assert runs()[0].status == "interrupted"


def test_what_goes_to_other_processes_is_no_callback_of_ours(tmp_path: Path) -> None:
    class Pickled(Line):
        def on_train_start(self) -> None:
            ours = [c for c in self.trainer.callbacks if type(c).__name__ == "Trackbook"]
            kinds.extend(type(pickle.loads(pickle.dumps(callback))) for callback in ours)

    kinds: list[type] = []
    train(tmp_path, Pickled())
    assert kinds == [L.Callback]


def test_a_data_module_has_hyper_parameters_too(tmp_path: Path) -> None:
    class Points(L.LightningDataModule):
        def __init__(self, count: int) -> None:
            super().__init__()
            self.save_hyperparameters()

        def train_dataloader(self) -> Any:
            return data()

    made = trainer(tmp_path, max_epochs=1)
    made.fit(Line(), datamodule=Points(count=40))
    assert runs()[0].params["count"] == 40


def test_off_restores_the_very_methods() -> None:
    names = ("fit", "validate", "test")
    tb.autolog(False)
    before = [vars(L.Trainer)[name] for name in names]
    tb.autolog()
    assert not any(vars(L.Trainer)[name] in before for name in names)
    tb.autolog(False)
    assert all(vars(L.Trainer)[n] is b for n, b in zip(names, before, strict=True))


def test_a_tracked_cell_run_again_is_the_next_attempt(ip: InteractiveShell, tmp_path: Path) -> None:
    ip.user_ns.update(train=train, folder=tmp_path, tb=tb)
    ip.run_cell("tb.autolog()").raise_error()
    for _ in range(2):
        ip.run_cell("%%track line\nmade, model = train(folder)").raise_error()
    assert [(run.number, run.summary["val_loss"]["count"]) for run in runs()] == [(1, 3), (2, 3)]


def test_autolog_before_the_import_and_in_a_script(tmp_path: Path) -> None:
    script = f"""
import sys, trackbook as tb
tb.set_store({str(tmp_path / "store")!r})
tb.autolog()
assert "torch" not in sys.modules
sys.path.insert(0, {str(Path(__file__).parent)!r})
import pathlib, test_lightning
test_lightning.train(pathlib.Path({str(tmp_path)!r}))
print([(run.name, run.status, run.summary["val_loss"]["count"]) for run in tb.runs()])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[('Line', 'finished', 3)]", done.stderr
