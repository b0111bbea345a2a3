"""Scalars of TensorBoard's writers are in the open run too; the writers' files stay as they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tensorboardX
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils import tensorboard
from tracked import runs

import trackbook as tb

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

WRITERS = [tensorboard.SummaryWriter, tensorboardX.SummaryWriter]
both = pytest.mark.parametrize("make", WRITERS)


def train(make: Any, folder: Path) -> list[float]:
    """A line fitted to points, which really is learned."""
    torch.manual_seed(0)
    x = torch.linspace(-1, 1, 32).unsqueeze(1)
    model = torch.nn.Linear(1, 1)
    losses = []
    with make(str(folder)) as writer:
        for step in range(0, 20, 2):
            loss = ((model(x) - 3 * x) ** 2).mean()
            model.zero_grad()
            loss.backward()
            with torch.no_grad():
                for weight in model.parameters():
                    weight -= 0.2 * weight.grad
            writer.add_scalar("loss/train", loss, step)
            losses.append(loss.item())
        weight, bias = model.weight.item(), model.bias.item()
        writer.add_scalars("weights", {"w": np.array([weight]), "b": bias}, step)
        writer.add_hparams({"lr": 0.2, "kind": "line"}, {"hparam/loss": losses[-1]})
    return losses


def written(folder: Path) -> list[tuple[int, float]]:
    """What TensorBoard itself reads."""
    events = EventAccumulator(str(folder)).Reload()
    return [(point.step, point.value) for point in events.Scalars("loss/train")]


@both
def test_scalars_of_a_training_are_metrics_with_their_steps(make: Any, tmp_path: Path) -> None:
    with tb.start_run("line"):
        losses = train(make, tmp_path / "logs")
    (run,) = runs()
    curve = run.history("loss/train")
    assert list(curve["value"]) == losses
    assert list(curve["step"]) == list(range(0, 20, 2))
    assert losses[-1] < losses[0] / 2
    assert {"weights/w", "weights/b"} < run.metrics.keys()
    assert (run.metrics["hparam/loss"], run.summary["hparam/loss"]["count"]) == (losses[-1], 1)
    assert {key: run.params[key] for key in ("lr", "kind")} == {"lr": 0.2, "kind": "line"}


@both
def test_the_files_are_as_without_us_and_no_run_is_begun(make: Any, tmp_path: Path) -> None:
    with tb.start_run("with"):
        train(make, tmp_path / "with")
    tb.autolog(False)
    train(make, tmp_path / "without")
    assert written(tmp_path / "with") == written(tmp_path / "without")
    tb.autolog(only=["tensorboard", "tensorboardX"])
    train(make, tmp_path / "outside")
    assert [run.name for run in runs()] == ["with"]


@both
def test_what_the_writer_refuses_is_refused_and_not_logged(make: Any, tmp_path: Path) -> None:
    with tb.start_run("odd"), make(str(tmp_path)) as writer:
        with pytest.raises((TypeError, ValueError, NotImplementedError, AssertionError)):
            writer.add_scalar("odd", object(), 0)
        with pytest.raises(TypeError):
            writer.add_scalar("odd")
        with pytest.raises(TypeError):
            writer.add_hparams([("a", 1)], {})
        writer.add_scalar("nan", float("nan"))
        writer.add_scalar("nan", 1.0)
    (run,) = runs()
    assert run.metrics == {"nan": 1.0}
    assert list(run.history("nan")["step"]) == [0, 1]


def test_off_restores_the_very_methods() -> None:
    names = ("add_scalar", "add_scalars", "add_hparams")
    tb.autolog(False)
    before = [vars(kind)[name] for kind in WRITERS for name in names]
    tb.autolog()
    assert not any(vars(kind)[name] in before for kind in WRITERS for name in names)
    tb.autolog(False)
    after = [vars(kind)[name] for kind in WRITERS for name in names]
    assert all(one is other for one, other in zip(before, after, strict=True))


def test_a_tracked_cell_run_again_is_the_next_attempt(ip: InteractiveShell, tmp_path: Path) -> None:
    ip.user_ns.update(train=train, make=tensorboardX.SummaryWriter, folder=tmp_path, tb=tb)
    ip.run_cell("tb.autolog()").raise_error()
    for _ in range(2):
        ip.run_cell("%%track line\nlosses = train(make, folder)").raise_error()
    assert [(run.number, run.summary["loss/train"]["count"]) for run in runs()] == [
        (1, 10),
        (2, 10),
    ]


def test_tensorboardx_needs_no_tensorboard(tmp_path: Path) -> None:
    script = f"""
import sys, trackbook as tb
tb.set_store({str(tmp_path / "store")!r})
tb.autolog()
import tensorboardX
with tb.start_run("x") as run, tensorboardX.SummaryWriter({str(tmp_path / "logs")!r}) as writer:
    writer.add_scalar("a", 2.0, 7)
print(run.metrics, "tensorboard" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "{'a': 2.0} False", done.stderr
