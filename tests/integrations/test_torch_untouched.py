"""The user's torch is as without us: weights, generators, memory, compilers, scripts, pickles."""

from __future__ import annotations

import copy
import gc
import inspect
import io
import pickle
import subprocess
import sys
import warnings
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import plain_torch as trainings
import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.nn.modules import module as modules
from torch.optim import optimizer as optimizers

import trackbook as tb
from trackbook.errors import TrackbookWarning
from trackbook.integrations import torch_losses
from trackbook.store.flusher import FLUSHER


@pytest.mark.parametrize("name", sorted(trainings.TRAININGS))
def test_weights_and_generators_are_bit_identical(name: str) -> None:
    def work() -> tuple[bytes, bytes]:
        torch.manual_seed(3)
        model = trainings.TRAININGS[name]()
        state = b"".join(tensor.numpy().tobytes() for tensor in model.state_dict().values())
        return state, torch.get_rng_state().numpy().tobytes()

    with_us = work()
    tb.end_run()
    assert len(tb.runs()) == 1
    tb.autolog(False)
    assert work() == with_us
    assert len(tb.runs()) == 1


def hooked() -> list[tuple[Any, str]]:
    schedulers = [torch.optim.lr_scheduler.LRScheduler, torch.optim.lr_scheduler.ReduceLROnPlateau]
    return [
        (torch.autograd, "backward"),
        (optimizers.Optimizer, "__init__"),
        (optimizers.Optimizer, "zero_grad"),
        (torch.utils.data.DataLoader, "__iter__"),
        (torch.amp.grad_scaler.GradScaler, "scale"),
        (torch.amp.grad_scaler.GradScaler, "step"),
        (nn.Module, "train"),
        *((kind, "step") for kind in schedulers),
        *((F, name) for name in torch_losses.FUNCTIONS),
    ]


def test_off_restores_the_very_objects_and_takes_the_hooks_out() -> None:
    on = [vars(owner)[name] for owner, name in hooked()]
    assert optimizers._global_optimizer_post_hooks
    tb.autolog(False)
    off = [vars(owner)[name] for owner, name in hooked()]
    assert not any(a is b for a, b in zip(on, off, strict=True))
    assert not any("trackbook" in found.__code__.co_filename for found in off)
    for hooks in (
        optimizers._global_optimizer_pre_hooks,
        optimizers._global_optimizer_post_hooks,
        modules._global_forward_hooks,
    ):
        assert not hooks
    tb.autolog()
    tb.autolog(False)
    assert all(vars(o)[name] is was for (o, name), was in zip(hooked(), off, strict=True))


def test_nothing_is_kept_alive() -> None:
    def train() -> list[weakref.ref[Any]]:
        model = trainings.mlp()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        gone = []
        inputs, targets = trainings.data()
        for _ in range(3):
            output = model(inputs)
            loss = F.cross_entropy(output, targets)
            loss.backward()
            optimizer.step()
            gone += [weakref.ref(loss), weakref.ref(output)]
            del loss, output
            # At once, by counting references alone: nothing waits for a collector.
            assert [ref() for ref in gone] == [None] * len(gone)
        return [weakref.ref(model), weakref.ref(optimizer), weakref.ref(model[0].weight)]

    gc.disable()
    try:
        left = train()
        tb.end_run()
        assert [ref() for ref in left] == [None] * 3
    finally:
        gc.enable()


def test_the_variables_of_the_users_functions_are_not_read() -> None:
    def train() -> dict[str, Any]:
        kept = locals()  # one dict for the whole call, which a look at the frame would fill
        model = nn.Linear(8, 2)
        optimizer = torch.optim.SGD([*model.parameters()], lr=0.1)
        for _ in range(3):
            loss = F.cross_entropy(model(trainings.data()[0]), trainings.data()[1])
            loss.backward()
            optimizer.step()
        return kept

    assert train() == {}


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError("no room")])
def test_exceptions_of_the_loop_pass_and_the_next_training_is_right(error: BaseException) -> None:
    model = nn.Linear(8, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    inputs, targets = trainings.data()

    class Failing(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, tensor: Any) -> Any:
            return tensor.clone()

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            raise error

    losses = []
    for i in range(4):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs), targets)
        try:
            (Failing.apply(loss) if i == 1 else loss).backward()
        except type(error) as problem:
            assert problem is error
            continue
        optimizer.step()
        losses.append(loss.item())
    FLUSHER.flush()
    (run,) = tb.runs()
    assert list(run.history("loss")["value"]) == losses


def test_a_step_that_fails_leaves_no_trace_in_the_next() -> None:
    model = nn.Linear(8, 2)
    optimizer, other = (torch.optim.SGD(model.parameters(), lr=0.1) for _ in range(2))

    def closure() -> Any:
        raise RuntimeError("in the closure")

    with pytest.raises(RuntimeError, match="in the closure"):
        optimizer.step(closure)
    for used in (other, optimizer, other):
        F.cross_entropy(model(trainings.data()[0]), trainings.data()[1]).backward()
        used.step()
    (run,) = tb.runs()
    assert sum(run.summary[key]["count"] for key in run.summary if "loss" in key) == 3


def test_models_and_optimizers_are_copied_pickled_and_saved_as_before() -> None:
    model = trainings.Convolutional()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    trainings.classify(model, optimizer)
    model.eval()
    inputs = trainings.data()[0]
    file = io.BytesIO()
    torch.save(model, file)
    assert b"trackbook" not in file.getvalue()
    file.seek(0)
    for other in (copy.deepcopy(model), torch.load(file, weights_only=False)):
        assert torch.equal(other(inputs), model(inputs))
    assert b"trackbook" not in pickle.dumps(optimizer)
    assert copy.deepcopy(optimizer).state_dict()["param_groups"][0]["lr"] == 0.025
    assert not vars(model).keys() - vars(trainings.Convolutional()).keys()


class WithLoss(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(8, 2)
        self.loss = nn.CrossEntropyLoss()

    def forward(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        output = self.body(inputs)
        return self.loss(output, targets) + F.mse_loss(output, torch.zeros_like(output))


def test_scripts_traces_and_graphs_are_as_without_us() -> None:
    model, batch = WithLoss(), trainings.data()
    expected = model(*batch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        for made in (torch.jit.script(model), torch.jit.trace(model, batch)):
            assert torch.equal(made(*batch), expected)
    graph = torch.fx.symbolic_trace(model)
    assert torch.equal(graph(*batch), expected)
    targets = {node.target for node in graph.graph.nodes if node.op == "call_function"}
    assert not any("trackbook" in getattr(target, "__module__", "") for target in targets)
    tb.autolog(False)
    assert F.mse_loss in targets
    assert torch.equal(
        torch.vmap(lambda row: F.mse_loss(row, row * 0))(batch[0]).mean(),
        (batch[0].square().mean(1).mean()),
    )


def test_a_tensor_that_takes_over_gets_the_original_function() -> None:
    original = inspect.unwrap(F.mse_loss)

    class Recording(torch.Tensor):
        seen: ClassVar[list[Any]] = []

        @classmethod
        def __torch_function__(
            cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            cls.seen.append(func)
            return super().__torch_function__(func, types, args, kwargs or {})

    tensor = torch.ones(3).as_subclass(Recording)
    F.mse_loss(tensor, torch.zeros(3))
    assert original in Recording.seen


@pytest.fixture
def compiler() -> Iterator[None]:
    from torch._dynamo.utils import counters

    torch.compiler.reset()
    yield
    torch.compiler.reset()
    counters.clear()


@pytest.mark.usefixtures("compiler")
def test_compiled_models_are_logged_and_compiled_once() -> None:
    from torch._dynamo.testing import CompileCounter

    counter = CompileCounter()
    model = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2))
    compiled = torch.compile(model, backend=counter, fullgraph=True)
    optimizer = torch.optim.SGD(compiled.parameters(), lr=0.1)
    inputs, targets = trainings.data()
    losses = []
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrackbookWarning)
        for _ in range(4):
            compiled.train()
            optimizer.zero_grad()
            loss = F.cross_entropy(compiled(inputs), targets)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert counter.frame_count == 1
    (run,) = tb.runs()
    assert list(run.history("loss")["value"]) == losses
    assert run.params["model"] == "Sequential"
    assert any("compiled" in entry.get("reason", "") for entry in run.why)


@pytest.mark.usefixtures("compiler")
def test_compiled_steps_run_and_are_not_seen() -> None:
    model = nn.Linear(8, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    inputs, targets = trainings.data()

    @torch.compile(backend="eager")
    def step() -> Any:
        model.train()
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss

    @torch.compile(backend="eager", fullgraph=True)
    def loss_of() -> Any:
        return F.cross_entropy(model(inputs), targets)

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        found = [step().item() for _ in range(3)]
        loss_of()
    assert not any("rackbook" in str(each.message) for each in heard)
    assert not any("does not know how to trace" in str(each.message) for each in heard)
    assert found[2] < found[0]


def test_distributed_training_logs_in_one_process(tmp_path: Path) -> None:
    script = """
import os, sys, torch, trackbook as tb
tb.set_store(sys.argv[1]); tb.autolog()
from torch.nn.parallel import DistributedDataParallel
rank = int(sys.argv[2])
torch.distributed.init_process_group(
    "gloo", init_method="file://" + sys.argv[3], rank=rank, world_size=2)
torch.manual_seed(0)
model = DistributedDataParallel(torch.nn.Linear(4, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    loss = model(torch.ones(5, 4) * (rank + 1)).square().mean()
    loss.backward()
    optimizer.step()
torch.distributed.destroy_process_group()
"""
    store, meeting = tmp_path / "shared", tmp_path / "meeting"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(store), str(rank), str(meeting)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for process in started:
        assert process.wait(120) == 0, process.stderr.read() if process.stderr else ""
    (run,) = tb.open_store(store / ".trackbook" if not (store / "runs").exists() else store).runs()
    assert (run.status, run.params["model"]) == ("finished", "Linear")
    assert run.summary["loss"]["count"] == 3
