"""What autolog costs a fit of scikit-learn, against no tracking and mlflow's, in one run.

mlflow is ``mlflow.autolog(log_models=False)`` on SQLite, in the environment of ``peers/``. Each
kind has a process of its own a repetition and they take turns; times are wall clock, the median of
many fits, and the goals are ours. ``--store FOLDER`` is where the stores are made: on a disk a run
of its own waits for the disk once.
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

sys.path.insert(0, str(Path(__file__).parent / "peers"))
import venvs

SKLEARN = "scikit-learn==1.9.1"
REPETITIONS = 3
CHILD = """
import contextlib, json, sys, time, warnings
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB

warnings.simplefilter("ignore")
kind, store, fits = sys.argv[1], sys.argv[2], int(sys.argv[3])
rng = np.random.default_rng(0)
X, y = rng.random((100, 4)), rng.integers(0, 2, 100)
big = rng.random((600, 20)), rng.integers(0, 2, 600)
run = contextlib.nullcontext
if kind == "trackbook":
    import trackbook
    trackbook.set_store(store)
    trackbook.autolog()
    run = trackbook.start_run
elif kind == "mlflow":
    import logging, mlflow
    mlflow.set_tracking_uri("sqlite:///" + store + ".db")
    mlflow.autolog(log_models=False, silent=True)
    logging.disable(logging.CRITICAL)
    run = mlflow.start_run


def tiny():
    GaussianNB().fit(X, y)


def some():
    RandomForestClassifier(25, random_state=0).fit(*big)


def timed(fit, around, count):
    times = []
    for i in range(count + 2):
        with around():
            began = time.perf_counter()
            fit()
            took = time.perf_counter() - began
        if i > 1:
            times.append(took)
        time.sleep(0.002)
    return times


found = {
    "a tiny fit in an open run": timed(tiny, run, fits),
    "a tiny fit that makes its own": timed(tiny, contextlib.nullcontext, fits),
    "a 50 ms fit that makes its own": timed(some, contextlib.nullcontext, max(fits // 4, 3)),
}
print(json.dumps(found))
"""


def measure(python: Path, kind: str, fits: int, folder: str | None) -> dict[str, list[float]]:
    """The seconds of each fit, by what was fitted."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        done = subprocess.run(
            [str(python), "-c", CHILD, kind, str(Path(place) / "store"), str(fits)],
            cwd=place,
            env={**os.environ, "GIT_PYTHON_REFRESH": "quiet"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return dict(json.loads(done.stdout.splitlines()[-1]))


def kinds(with_mlflow: bool) -> dict[str, tuple[Path, int]]:
    """The interpreter and the number of fits of each kind."""
    found = {"nothing": (Path(sys.executable), 60), "trackbook": (Path(sys.executable), 60)}
    if with_mlflow:
        try:
            python = venvs.python_of("mlflow")
            pip = [str(python), "-m", "pip", "install", "--quiet", SKLEARN]
            subprocess.run(pip, check=True, capture_output=True)
            found["mlflow"] = (python, 8)
        except (venvs.NotInstalled, subprocess.CalledProcessError) as why:
            print(f"mlflow is not measured: {why}", file=sys.stderr)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", help="the folder for the stores (default: the temporary one)")
    parser.add_argument("--no-mlflow", action="store_true", help="Trackbook alone")
    given = parser.parse_args()
    chosen = kinds(not given.no_mlflow)
    times: dict[str, dict[str, list[float]]] = {kind: {} for kind in chosen}
    ratios: dict[str, list[float]] = {}
    for _ in range(REPETITIONS):
        medians: dict[str, dict[str, float]] = {}
        for kind, (python, fits) in chosen.items():
            found = measure(python, kind, fits, given.store)
            medians[kind] = {what: statistics.median(each) for what, each in found.items()}
            for what, each in found.items():
                times[kind].setdefault(what, []).extend(each)
        for what, plain in medians["nothing"].items():
            if "mlflow" in medians:
                ours = medians["trackbook"][what] - plain
                ratio = (medians["mlflow"][what] - plain) / max(ours, 1e-6)
                ratios.setdefault(what, []).append(ratio)
    report(times, ratios)


def report(times: dict[str, dict[str, list[float]]], ratios: dict[str, list[float]]) -> None:
    """The table."""
    goals = {"a tiny fit in an open run": "< 2 ms", "a tiny fit that makes its own": "< 5 ms"}
    print("| fit | without tracking | Trackbook adds | goal | mlflow adds | ratio (goal 20) |")
    print("|---|--:|--:|--:|--:|--:|")
    for what in times["nothing"]:
        median = {kind: 1e3 * statistics.median(found[what]) for kind, found in times.items()}
        plain = median["nothing"]
        theirs = f"{median['mlflow'] - plain:.0f} ms" if "mlflow" in median else "not measured"
        ratio = f"{statistics.median(ratios[what]):.0f}" if what in ratios else ""
        ours = f"{median['trackbook'] - plain:.2f} ms"
        print(f"| {what} | {plain:.2f} ms | {ours} | {goals.get(what, '')} | {theirs} | {ratio} |")


if __name__ == "__main__":
    main()
