"""Where the values of a plain torch loop go: cells, open runs, scripts, several trainings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import plain_torch as trainings
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from tracked import runs

import trackbook as tb
from trackbook.integrations.quiet import quiet

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def values(run: Any, key: str = "loss") -> list[float]:
    return list(run.history(key)["value"])


def train(model: Any = None, steps: int = 4, optimizer: Any = None) -> Any:
    model = nn.Linear(8, 2) if model is None else model
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.1)
    inputs, targets = trainings.data()
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
    return optimizer


# -- open runs -------------------------------------------------------------------------------------


def test_the_first_training_of_an_open_run_is_flat_and_with_a_second_each_is_a_child() -> None:
    with tb.start_run("one"):
        train()
    with tb.start_run("two"):
        train(steps=3)
        train(nn.Sequential(nn.Linear(8, 2)), steps=5)
        tb.log_metric("accuracy", 0.5)
    one, two, first, second = runs()
    assert (len(values(one)), one.params["model"], len(one.children)) == (4, "Linear", 0)
    assert two.metrics["accuracy"] == 0.5
    assert [(r.name, r.parent.id, r.status) for r in (first, second)] == [
        ("Linear", two.id, "finished"),
        ("Sequential", two.id, "finished"),
    ]
    assert (len(values(first)), len(values(second))) == (3, 5)


def test_the_same_optimizer_in_another_run_is_logged_there() -> None:
    model = nn.Linear(8, 2)
    with tb.start_run("a"):
        optimizer = train(model, 3)
    with tb.start_run("b"):
        train(model, 2, optimizer)
    assert [(run.name, len(values(run))) for run in runs()] == [("a", 3), ("b", 2)]


def test_trainings_that_take_turns_are_a_run_each() -> None:
    models = [nn.Linear(8, 2) for _ in range(3)]
    for model in models:  # each is further along than a discriminator would be
        train(model, 120)
    optimizers = [torch.optim.SGD(model.parameters(), lr=0.1) for model in models]
    for _ in range(3):
        for model, optimizer in zip(models, optimizers, strict=True):
            train(model, 110, optimizer)
    found = runs()
    assert [len(values(run)) for run in found] == [120] * 3 + [330] * 3


def test_what_another_integration_claims_is_not_seen() -> None:
    with quiet():
        train()
    assert runs() == []
    train(steps=2)
    assert [len(values(run)) for run in runs()] == [2]


# -- in a notebook ---------------------------------------------------------------------------------

SETUP = """
import torch, trackbook as tb
from torch.nn import functional as F
tb.autolog()
torch.manual_seed(0)
X = torch.randn(40, 8); y = (X.sum(1) > 0).long()
X_test, y_test = X[:10], y[:10]
model = torch.nn.Linear(8, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""
EPOCH = """
for _ in range(5):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(X), y)
    loss.backward()
    optimizer.step()
"""


def execute(ip: InteractiveShell, source: str, cell: str) -> None:
    ip.run_cell(source, cell_id=cell).raise_error()


def test_a_loop_in_a_cell_is_a_run_that_ends_with_it(ip: InteractiveShell) -> None:
    execute(ip, SETUP, "setup")
    execute(ip, EPOCH, "train")
    (run,) = runs()
    assert (run.name, run.status, len(values(run))) == ("Linear", "finished", 5)
    assert run.params["model"] == "Linear"


def test_another_cell_goes_on_with_it_and_the_same_cell_begins_anew(ip: InteractiveShell) -> None:
    execute(ip, SETUP, "setup")
    execute(ip, EPOCH, "train")
    execute(ip, EPOCH, "more")
    execute(ip, EPOCH, "train")
    first, second = runs()
    assert (len(values(first)), len(values(second))) == (10, 5)
    assert list(first.history("loss")["step"]) == list(range(10))
    assert (first.number, second.number) == (1, 2)


def test_a_test_loss_in_a_later_cell_goes_to_the_run_of_the_model(ip: InteractiveShell) -> None:
    execute(ip, SETUP, "setup")
    execute(ip, EPOCH, "train")
    execute(
        ip,
        "_ = model.eval()\nwith torch.no_grad(): late = F.cross_entropy(model(X_test), y_test)",
        "test",
    )
    (run,) = runs()
    assert values(run, "test_loss") == [ip.user_ns["late"].item()]


def test_a_tracked_cell_and_its_loop_are_one_run(ip: InteractiveShell) -> None:
    execute(ip, SETUP, "setup")
    execute(ip, "%%track net\nrounds = 5" + EPOCH + "final = loss.item()", "train")
    (run,) = runs()
    assert (run.name, run.params["rounds"], run.params["lr"]) == ("net", 5, 0.1)
    assert len(values(run)) == 5
    assert run.metrics["final"] == run.metrics["loss"]


def test_an_interrupted_loop_keeps_its_points(ip: InteractiveShell) -> None:
    execute(ip, SETUP, "setup")
    ip.run_cell(EPOCH + "    if loss < 10: raise KeyboardInterrupt", cell_id="train")
    (run,) = runs()
    assert (run.status, len(values(run))) == ("interrupted", 1)


# -- in a script -----------------------------------------------------------------------------------


def script(tmp_path: Path, source: str) -> tuple[list[Any], str]:
    file = tmp_path / "train.py"
    file.write_text(SETUP.replace("tb.autolog()", f"tb.set_store({str(tmp_path / 's')!r})\n"
                                  "tb.autolog()") + source)  # fmt: skip
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, cwd=tmp_path)
    return list(tb.open_store(tmp_path / "s").runs(sort="started")), done.stderr


def test_a_script_is_one_run_with_what_it_logs_besides(tmp_path: Path) -> None:
    (run,), errors = script(tmp_path, EPOCH + "    tb.log_metric('accuracy', 0.5)\n")
    assert errors == ""
    assert (run.name, run.status) == ("Linear", "finished")
    assert (len(values(run)), len(values(run, "accuracy"))) == (5, 5)
    assert {e["what"] for e in run.why} >= {"torch", "model"}


def test_two_models_in_a_script_are_two_runs(tmp_path: Path) -> None:
    again = "model = torch.nn.Sequential(torch.nn.Linear(8, 2))\n"
    again += "optimizer = torch.optim.Adam(model.parameters())\n"
    found, _ = script(tmp_path, EPOCH + again + EPOCH)
    assert [(run.name, run.status, len(values(run))) for run in found] == [
        ("Linear", "finished", 5),
        ("Sequential", "finished", 5),
    ]


def test_a_script_that_fails_fails_its_run(tmp_path: Path) -> None:
    (run,), errors = script(tmp_path, EPOCH + "raise RuntimeError('out of memory')\n")
    assert "RuntimeError: out of memory" in errors
    assert (run.status, run.error["type"], len(values(run))) == ("failed", "RuntimeError", 5)
