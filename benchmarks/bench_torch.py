"""What autolog costs a plain training loop in torch, a step, against the same loop without it.

Two processes, one with autolog and one without, train the same model on one thread and take turns,
a block of steps each. Times are CPU time of the whole process, ours in the background included; the
table has the median over the blocks. ``--blocks N`` and ``--steps N`` set how many and how long.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

WIDTHS = (64, 224)
CHILD = """
import json, sys, time
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

kind, width = sys.argv[1], int(sys.argv[2])
if kind != "plain":
    import trackbook as tb
    tb.autolog()
torch.set_num_threads(1)
torch.manual_seed(0)
sizes = [64, width, width, width, 10]
layers = [torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])]
model = torch.nn.Sequential(*[part for layer in layers for part in (layer, torch.nn.ReLU())][:-1])
optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
criterion = torch.nn.CrossEntropyLoss()
inputs, targets = torch.randn(64, 64), torch.randint(0, 10, (64,))

def block(steps):
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(steps):
        optimizer.zero_grad()
        loss = criterion(model(inputs), targets)
        loss.backward()
        optimizer.step()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu": cpu / steps, "wall": wall / steps}

for line in sys.stdin:
    print(json.dumps(block(int(line))), flush=True)
"""


class Training:
    """A process that trains when it is told to."""

    def __init__(self, kind: str, width: int, store: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", CHILD, kind, str(width)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TRACKBOOK_STORE": str(store)},
        )

    def block(self, steps: int) -> dict[str, float]:
        """Seconds a step, of CPU and by the clock, over so many steps."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{steps}\n")
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))

    def end(self) -> None:
        """Let it end as a script does."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def measured(width: int, blocks: int, steps: int) -> dict[str, dict[str, float]]:
    """The median seconds a step with and without autolog."""
    with tempfile.TemporaryDirectory() as folder:
        trainings = {
            kind: Training(kind, width, Path(folder) / ".trackbook")
            for kind in ("plain", "autolog")
        }
        found: dict[str, list[dict[str, float]]] = {kind: [] for kind in trainings}
        for training in trainings.values():
            training.block(3 * steps)
        for i in range(blocks):
            order = list(trainings)[:: 1 if i % 2 else -1]
            for kind in order:
                found[kind].append(trainings[kind].block(steps))
        for training in trainings.values():
            training.end()
    return {
        kind: {what: statistics.median(block[what] for block in each) for what in ("cpu", "wall")}
        for kind, each in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=40)
    parser.add_argument("--steps", type=int, default=300)
    given = parser.parse_args()
    print("| a step (Adam, batch 64, 1 thread), CPU time | without | with autolog | over | share |")
    print("|---|---:|---:|---:|---:|")
    for width in WIDTHS:
        found = measured(width, given.blocks, given.steps)
        plain, ours = (found[kind]["cpu"] * 1e6 for kind in ("plain", "autolog"))
        over = ours - plain
        name = f"4 layers, {width} wide"
        print(f"| {name} | {plain:.0f} us | {ours:.0f} us | {over:.1f} us | {over / plain:.1%} |")


if __name__ == "__main__":
    main()
