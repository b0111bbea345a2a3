"""A plain loop in torch becomes a run, with the numbers that the loop has."""

from __future__ import annotations

import warnings
from typing import Any

import plain_torch as trainings
import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, IterableDataset, TensorDataset
from tracked import runs

import trackbook as tb


def run() -> Any:
    (found,) = runs()
    return found


def values(key: str, of: Any = None) -> list[float]:
    return list((of or run()).history(key)["value"])


def told(found: Any) -> str:
    return "\n".join(f"{e['what']} {e['state']} {e.get('reason', '')}" for e in found.why)


def test_a_loop_is_a_run_with_params_and_each_loss() -> None:
    model = trainings.mlp()
    losses = trainings.classify(model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9))
    found = run()
    assert found.name == "Sequential"
    expected = {
        "optimizer": "SGD",
        "lr": 0.1,
        "momentum": 0.9,
        "batch_size": 32,
        "model": "Sequential",
        "n_parameters": 178,
        "loss_function": "CrossEntropyLoss",
        "scheduler": "ExponentialLR",
    }
    assert {key: found.params[key] for key in expected} == expected
    assert "n_trainable_parameters" not in found.params
    assert values("loss") == losses
    assert list(found.history("loss")["step"]) == list(range(6))
    assert values("lr") == [0.1, 0.05]
    assert list(found.history("lr")["step"]) == [0, 3]
    assert values("epoch") == [0, 1]
    assert "6 steps of" in told(ended(found))
    summary = found.artifact("model_summary.txt").read_text()
    assert "weight 16x8, bias 16" in summary
    assert summary.endswith("n_parameters: 178\n")


def ended(found: Any) -> Any:
    tb.end_run()
    return tb.get_run(found.id)


def test_validation_under_no_grad_is_a_weighted_mean_a_pass() -> None:
    inputs, targets = trainings.data(100)
    train_loader = DataLoader(TensorDataset(inputs[:64], targets[:64]), batch_size=32)
    val_loader = DataLoader(TensorDataset(inputs[64:], targets[64:]), batch_size=16)
    model = trainings.mlp()
    optimizer = torch.optim.Adam(model.parameters())
    means = []
    for _ in range(3):
        model.train()
        for xb, yb in train_loader:
            optimizer.zero_grad()
            F.cross_entropy(model(xb), yb).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            batches = [(F.cross_entropy(model(xb), yb).item(), len(xb)) for xb, yb in val_loader]
        means.append(sum(loss * size for loss, size in batches) / 36)
    assert values("val_loss") == pytest.approx(means, abs=1e-12)
    assert list(run().history("val_loss")["step"]) == [1, 3, 5]
    assert len(values("loss")) == 6
    assert run().params["loss_function"] == "cross_entropy"


def train_step(model: Any, optimizer: Any, inputs: Any, targets: Any) -> None:
    optimizer.zero_grad()
    loss = F.cross_entropy(model(inputs), targets)
    loss.backward()
    optimizer.step()


def evaluate(model: Any, loader: Any, reduction: str = "mean") -> float:
    total = 0.0
    model.eval()
    with torch.no_grad():
        for inputs, targets in loader:
            loss = F.cross_entropy(model(inputs), targets, reduction=reduction)
            total += loss.item() * (len(inputs) if reduction == "mean" else 1)
    model.train()
    return total / len(loader.dataset)


def test_losses_without_gradients_are_named_by_their_data() -> None:
    inputs, targets = trainings.data(100)
    train_loader = DataLoader(TensorDataset(inputs[:50], targets[:50]), batch_size=25)
    test_loader = DataLoader(TensorDataset(inputs[50:], targets[50:]), batch_size=25)
    model = nn.Linear(8, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    expected: dict[str, list[float]] = {"test_loss": [], "training_loss": [], "val_loss": []}
    for _ in range(2):
        for xb, yb in train_loader:
            train_step(model, optimizer, xb, yb)
        expected["training_loss"].append(evaluate(model, train_loader))
        expected["test_loss"].append(evaluate(model, test_loader, "sum"))
        X_val, y_val = inputs[:30], targets[:30]  # noqa: N806
        with torch.no_grad():
            expected["val_loss"].append(F.cross_entropy(model(X_val), y_val).item())
    for key, points in expected.items():
        assert values(key) == pytest.approx(points, rel=1e-6), key
    assert len(values("loss")) == 4


def test_a_second_metric_of_each_training_step_is_no_validation() -> None:
    model = nn.Linear(8, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for inputs, targets in DataLoader(TensorDataset(*trainings.data()), batch_size=16):
        train_step(model, optimizer, inputs, targets)
        with torch.no_grad():
            F.nll_loss(model(inputs), targets)
    found = run()
    assert found.metrics.keys() == {"loss", "lr", "epoch"}
    assert "which data they are of" in told(found)


def test_accumulated_gradients_are_one_loss_a_step() -> None:
    _, losses = trainings.accumulated()
    assert values("loss") == pytest.approx(losses, abs=1e-12)
    assert len(losses) == 2


def test_a_scaled_loss_is_logged_as_it_was_before_scaling() -> None:
    _, losses = trainings.mixed_precision()
    assert values("loss") == losses
    assert losses[2] == float("inf")


def test_a_closure_is_one_point_a_step() -> None:
    _, losses = trainings.lbfgs()
    assert values("loss") == losses
    assert run().params["optimizer"] == "LBFGS"


@pytest.mark.parametrize("critics", [1, 3])
def test_two_optimizers_are_named_after_the_users_variables(critics: int) -> None:
    _, losses_d, losses_g = trainings.adversarial(critics=critics)
    found = run()
    assert values("loss_d") == losses_d
    assert values("loss_g") == losses_g
    assert (found.params["opt_d.optimizer"], found.params["opt_g.optimizer"]) == ("SGD", "Adam")
    assert (found.params["net_g.n_parameters"], found.params["net_d.model"]) == (32, "Sequential")
    assert values("opt_g.lr") == [0.01]
    assert "lr" not in found.params
    assert "loss" not in found.metrics


def test_several_losses_of_a_step_have_their_names() -> None:
    model = nn.Linear(8, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    inputs, targets = trainings.data()
    expected: list[tuple[float, float]] = []
    for _ in range(3):
        optimizer.zero_grad()
        main_loss = F.cross_entropy(model(inputs), targets)
        penalty = 0.1 * model.weight.square().sum()
        main_loss.backward()
        penalty.backward()
        optimizer.step()
        expected.append((main_loss.item(), penalty.item()))
    assert values("main_loss") == [main for main, _ in expected]
    assert values("penalty") == [other for _, other in expected]
    assert "loss" not in run().metrics


def test_two_optimizers_of_one_loss_share_it() -> None:
    encoder, decoder = nn.Linear(8, 4), nn.Linear(4, 2)
    first = torch.optim.SGD(encoder.parameters(), lr=0.1)
    second = torch.optim.Adam(decoder.parameters(), lr=0.2)
    inputs, targets = trainings.data()
    for _ in range(3):
        loss = F.cross_entropy(decoder(encoder(inputs)), targets)
        loss.backward()
        first.step()
        second.step()
    found = run()
    assert len(values("loss")) == 3
    assert (found.params["first.lr"], found.params["second.lr"]) == (0.1, 0.2)
    assert found.params["decoder.n_parameters"] == 10


def test_groups_that_differ_are_told_apart_and_frozen_parameters_counted() -> None:
    model = nn.Sequential(nn.Linear(8, 4), nn.Linear(4, 2))
    model[0].bias.requires_grad_(False)
    groups = [{"params": model[0].weight, "lr": 0.5}, {"params": model[1].parameters()}]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9)
    train_step(model, optimizer, *trainings.data())
    found = run()
    assert (found.params["lr.0"], found.params["lr.1"]) == (0.5, 0.1)
    assert found.params["momentum"] == 0.9
    assert found.metrics["lr.0"] == 0.5


def test_a_model_that_its_optimizer_does_not_name_is_found_when_it_is_called() -> None:
    model = trainings.Convolutional()
    model.head.bias.requires_grad_(False)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    for _ in range(3):
        train_step(model, optimizer, *trainings.data())
    found = run()
    assert found.params["model"] == "Convolutional"
    assert found.params["n_parameters"] - found.params["n_trainable_parameters"] == 2
    assert not torch.nn.modules.module._global_forward_hooks


def test_gradients_that_are_thrown_away_have_no_loss() -> None:
    model = nn.Linear(8, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    inputs, targets = trainings.data()
    losses = []
    for i in range(4):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs), targets)
        loss.backward()
        if i % 2:
            continue
        optimizer.step()
        losses.append(loss.item())
    assert values("loss") == losses


def test_the_gradient_norm_is_logged_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKBOOK_GRADIENT_NORM", "1")
    tb.autolog(False)
    tb.autolog()
    model = nn.Linear(8, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    expected = []
    for _ in range(3):
        optimizer.zero_grad()
        F.cross_entropy(model(trainings.data()[0]), trainings.data()[1]).backward()
        expected.append(float(nn.utils.clip_grad_norm_(model.parameters(), 1e9)))
        optimizer.step()
    assert values("gradient_norm") == expected


def test_an_endless_loader_is_one_pass() -> None:
    class Endless(IterableDataset[Any]):
        def __iter__(self) -> Any:
            inputs, targets = trainings.data(1)
            while True:
                yield inputs[0], targets[0]

    model = nn.Linear(8, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step, batch in enumerate(DataLoader(Endless(), batch_size=4)):
        train_step(model, optimizer, *batch)
        if step == 5:
            break
    assert values("epoch") == [0]
    assert len(values("loss")) == 6
    assert run().params["batch_size"] == 4


def test_what_the_code_logs_by_itself_is_not_logged_twice() -> None:
    model = nn.Linear(8, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with tb.start_run("by hand", params={"lr": "mine"}) as active:
        for _ in range(4):
            loss = F.cross_entropy(model(trainings.data()[0]), trainings.data()[1])
            loss.backward()
            optimizer.step()
            active.log_metric("loss", loss * 2)
    found = run()
    assert len(values("loss")) == 4
    assert values("loss")[-1] == pytest.approx(loss.item() * 2)
    assert found.params["lr"] == "mine"
    assert "the code logs it by itself" in told(found)


def test_numbers_that_arrive_late_keep_their_order() -> None:
    from trackbook.integrations.torch_values import BATCH, Late, Readback, add

    readback, late = Readback(), [Late(torch.tensor(float(i))) for i in range(BATCH + 3)]
    for number in late:
        readback.expect(number)
    readback.poll()
    assert [number.value for number in late] == [float(i) for i in range(BATCH)] + [None] * 3
    readback.finish()
    assert late[-1].value == BATCH + 2
    assert add(Late(torch.tensor(1.5)), 2.0) == 3.5


def test_a_loss_with_its_graph_is_logged_without_torchs_warning() -> None:
    loss = (torch.ones(1, requires_grad=True) * 2).sum()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with tb.start_run("r") as run:
            run.log_metric("loss", loss)
            run.log_metrics({"again": loss})
    assert tb.get_run("r").metrics == {"loss": 2.0, "again": 2.0}
    assert loss.requires_grad
