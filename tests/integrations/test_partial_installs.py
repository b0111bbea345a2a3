"""A framework without a part that it can or cannot do without: as it is without us."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TRAIN_XGB = """
d = {name}.DMatrix([[0.0], [1.0]] * 5, [0, 1] * 5)
{name}.train({{"eta": 0.1}}, d, 2)
"""
TRAIN_LGB = """
import numpy
d = {name}.Dataset(numpy.arange(40.0).reshape(40, 1), numpy.arange(40.0))
{name}.train({{"verbosity": -1}}, d, 2)
"""


def outcome(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error::trackbook.errors.TrackbookWarning", "-c", script],
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() or done.stderr


@pytest.mark.parametrize(
    ("missing", "name", "train", "runs"),
    [
        ("sklearn", "xgboost", TRAIN_XGB, 1),
        ("sklearn", "lightgbm", TRAIN_LGB, 1),
        ("torch", "pytorch_lightning", "", 0),
        ("torch", "transformers.trainer", "", 0),
        ("tensorboard", "torch.utils.tensorboard.writer", "", 0),
        ("google.protobuf", "tensorboardX", "", 0),
        ("sqlalchemy", "optuna", "optuna.create_study().optimize(lambda trial: 1.0, 2)", 1),
    ],
)
def test_what_is_missing_is_missing_as_without_us(
    missing: str, name: str, train: str, runs: int, tmp_path: Path
) -> None:
    script = f"""
import sys
sys.modules[{missing!r}] = None
import trackbook as tb
tb.set_store({str(tmp_path / "store")!r})
if TRACKED:
    tb.autolog()
try:
    import {name}
except ImportError as problem:
    print(type(problem).__name__, problem)
{train.format(name=name)}
print("runs", len(tb.runs()) if TRACKED else {runs})
"""
    tracked = outcome(f"TRACKED = True\n{script}")
    assert tracked == outcome(f"TRACKED = False\n{script}")
    assert tracked.endswith(f"runs {runs}")
