"""Small trainings in plain torch, written as people write them."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, TensorDataset


def data(rows: int = 96) -> tuple[Any, Any]:
    """Inputs and classes, the same each time; the state of the generators is left alone."""
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(rows, 8, generator=generator)
    return inputs, (inputs.sum(1) > 0).long()


def mlp(**_: Any) -> Any:
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))


class Convolutional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv1d(1, 4, 3), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.1))
        self.head = nn.Linear(24, 2)

    def forward(self, inputs: Any) -> Any:
        return self.head(self.body(inputs.unsqueeze(1)).flatten(1))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(1, 6, batch_first=True)
        self.head = nn.Linear(6, 2)

    def forward(self, inputs: Any) -> Any:
        return self.head(self.rnn(inputs.unsqueeze(2))[1][-1])


def classify(model: Any, optimizer: Any, *, epochs: int = 2, workers: int = 0) -> list[float]:
    """A usual loop over a DataLoader; returns each loss."""
    losses = []
    loader = DataLoader(TensorDataset(*data()), batch_size=32, shuffle=True, num_workers=workers)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    criterion = nn.CrossEntropyLoss()
    for _ in range(epochs):
        model.train()
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), targets)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
    return losses


def adversarial(*, rounds: int = 4, critics: int = 1) -> tuple[Any, list[float], list[float]]:
    """A GAN as in torch's tutorial; returns both models and the losses."""
    net_g, net_d = nn.Linear(3, 8), nn.Sequential(nn.Linear(8, 1), nn.Sigmoid())
    opt_d = torch.optim.SGD(net_d.parameters(), lr=0.1)
    opt_g = torch.optim.Adam(net_g.parameters(), lr=0.01)
    real, losses_d, losses_g = data()[0], [], []
    for _ in range(rounds):
        for _ in range(critics):
            opt_d.zero_grad()
            fake = net_g(torch.randn(96, 3))
            good = F.binary_cross_entropy(net_d(real), torch.ones(96, 1))
            bad = F.binary_cross_entropy(net_d(fake.detach()), torch.zeros(96, 1))
            loss_d = good + bad
            loss_d.backward()
            opt_d.step()
            losses_d.append(loss_d.item())
        opt_g.zero_grad()
        loss_g = F.binary_cross_entropy(net_d(net_g(torch.randn(96, 3))), torch.ones(96, 1))
        loss_g.backward()
        opt_g.step()
        losses_g.append(loss_g.item())
    return nn.ModuleList([net_g, net_d]), losses_d, losses_g


def lbfgs(*, steps: int = 3) -> tuple[Any, list[float]]:
    """LBFGS, which calls its closure several times a step; returns the first loss of each."""
    model = nn.Linear(8, 2)
    inputs, targets = data()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=4)
    first: list[float] = []
    for _ in range(steps):
        in_step: list[float] = []

        def closure(in_step: list[float] = in_step) -> Any:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(inputs), targets)
            loss.backward()
            in_step.append(loss.item())
            return loss

        optimizer.step(closure)
        assert len(in_step) > 1
        first.append(in_step[0])
    return model, first


def accumulated(*, every: int = 3) -> tuple[Any, list[float]]:
    """A step for several batches; returns the mean loss of each step."""
    model = nn.Linear(8, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(TensorDataset(*data()), batch_size=16)
    losses, held = [], 0.0
    for i, (inputs, targets) in enumerate(loader):
        loss = F.cross_entropy(model(inputs), targets)
        (loss / every).backward()
        held += (loss / every).item()
        if (i + 1) % every == 0:
            optimizer.step()
            optimizer.zero_grad()
            losses.append(held)
            held = 0.0
    return model, losses


def mixed_precision(*, steps: int = 6, broken: int = 2) -> tuple[Any, list[float]]:
    """bfloat16 with a gradient scaler; one step is left out because its gradients are infinite."""
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    scaler = torch.amp.GradScaler("cpu")
    inputs, targets = data()
    losses = []
    for i in range(steps):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = F.cross_entropy(model(inputs), targets)
        if i == broken:
            loss = loss * torch.inf
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    return model, losses


TRAININGS = {
    "mlp": lambda: _trained(mlp()),
    "convolutional": lambda: _trained(Convolutional()),
    "recurrent": lambda: _trained(Recurrent()),
    "workers": lambda: _trained(mlp(), workers=2),
    "gan": lambda: adversarial()[0],
    "lbfgs": lambda: lbfgs()[0],
    "accumulated": lambda: accumulated()[0],
    "mixed precision": lambda: mixed_precision()[0],
}


def _trained(model: Any, workers: int = 0) -> Any:
    classify(model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), workers=workers)
    return model
