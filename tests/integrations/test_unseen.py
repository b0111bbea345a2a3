"""What a framework raises has no frame of ours in its traceback."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn import metrics
from sklearn.linear_model import Ridge
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

import trackbook as tb


class Broken(Dataset[Any]):
    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Any:
        raise KeyError(index)


def step_with_a_failing_closure() -> None:
    def closure() -> float:
        raise ValueError("not today")

    torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1).step(closure)


def wrong_scheduler_step() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    torch.optim.lr_scheduler.StepLR(optimizer, 1).step(1, 2, 3)  # type: ignore[call-arg]


CALLS: dict[str, Callable[[], object]] = {
    "fit": lambda: Ridge().fit([[1]], [0, 1]),
    "score": lambda: Ridge().score([[1]], [0]),
    "predict": lambda: Ridge().predict([[1]]),
    "metric": lambda: metrics.accuracy_score([1], [1, 2]),
    "loss function": lambda: functional.cross_entropy(torch.ones(2, 2), torch.ones(3)),
    "backward": lambda: torch.ones(2).sum().backward(),
    "loader": lambda: next(iter(DataLoader(Broken()))),
    "closure": step_with_a_failing_closure,
    "train": lambda: torch.nn.Linear(1, 1).train(1, 2),  # type: ignore[call-arg]
    "scheduler": wrong_scheduler_step,
}


@pytest.fixture(autouse=True)
def followed() -> Iterator[None]:
    tb.autolog()
    yield
    tb.autolog(False)


@pytest.mark.parametrize("name", CALLS)
def test_a_traceback_has_no_frame_of_ours(name: str) -> None:
    with pytest.raises(Exception) as caught:
        CALLS[name]()
    frames = traceback.extract_tb(caught.value.__traceback__)
    ours = str(Path(tb.__file__).parent)
    assert [f.filename for f in frames if f.filename.startswith(ours)] == []
    assert len(frames) > 1
