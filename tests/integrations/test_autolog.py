"""Autolog goes on when a framework is imported, and off to the very functions that were there."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

import trackbook as tb
from trackbook.errors import InvalidValue

X, y = make_classification(50, n_features=6, random_state=0)


def test_off_restores_the_very_objects() -> None:
    tb.autolog(False)
    owners = [ClassifierMixin, BaseEstimator, LogisticRegression, GridSearchCV, Pipeline, KMeans]
    owners += [RandomForestClassifier.__mro__[1].__mro__[1], *GridSearchCV.__mro__]
    before = [dict(vars(owner)) for owner in owners]
    tb.autolog()
    assert dict(vars(LogisticRegression)) != before[2]
    tb.autolog(False)
    for owner, attributes in zip(owners, before, strict=True):
        now = {k: v for k, v in vars(owner).items() if not k.startswith("_abc")}
        assert now.keys() == {k for k in attributes if not k.startswith("_abc")}
        assert all(now[key] is attributes[key] for key in now)


def test_nothing_is_logged_while_off_or_excluded() -> None:
    for switch in ({"enable": False}, {"exclude": "sklearn"}, {"exclude": ["sklearn"]}):
        tb.autolog(**switch)  # type: ignore[arg-type]
        LogisticRegression().fit(X, y)
    assert len(tb.runs()) == 0
    tb.autolog(only="sklearn")
    tb.autolog(only=["sklearn"])
    LogisticRegression().fit(X, y)
    assert len(tb.runs()) == 1


def test_tracking_off_makes_no_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKBOOK_DISABLED", "1")
    LogisticRegression().fit(X, y)
    tb.autolog()
    LogisticRegression().fit(X, y)
    monkeypatch.delenv("TRACKBOOK_DISABLED")
    assert len(tb.runs()) == 0


def test_an_unknown_framework_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"does not know sklaern; it knows .*sklearn"):
        tb.autolog(only="sklaern")


def test_it_waits_for_the_import_and_leaves_no_trace_in_the_module(tmp_path: Path) -> None:
    script = f"""
import sys, trackbook as tb
tb.set_store({str(tmp_path / "late")!r})
tb.autolog()
assert not [m for m in sys.modules if m.startswith("sklearn")]
import inspect, sklearn.base
from sklearn.linear_model import LinearRegression
assert type(sklearn.base.__loader__).__name__ == "SourceFileLoader", sklearn.base.__loader__
assert sklearn.base.__spec__.loader is sklearn.base.__loader__
assert "class BaseEstimator" in inspect.getsource(sklearn.base)
assert "sklearn.naive_bayes" not in sys.modules
LinearRegression().fit([[1], [2]], [1, 2])
from sklearn.naive_bayes import GaussianNB
GaussianNB().fit([[1], [2]], [1, 2])
finders = [f for f in sys.meta_path if "trackbook" in type(f).__module__]
assert not any("sklearn.base" in f._calls for f in finders), finders
print([run.name for run in tb.runs(sort="started")])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "['LinearRegression', 'GaussianNB']", done.stderr


# -- other packages --------------------------------------------------------------------------------

FORESTRY = """
__version__ = "VERSION"

class Model:
    def __init__(self, trees=3):
        self.trees = trees
    def get_params(self):
        return {"trees": self.trees}
    def train(self, data):
        if not data:
            raise ValueError("no data")
        self.score_ = sum(data) / len(data)
        return self
"""
USE = """
import sys, trackbook as tb
tb.set_store(sys.argv[1])
tb.autolog(only="forestry")
import forestry
original = vars(forestry.Model)["train"]
model = forestry.Model(trees=5).train([1.0, 2.0])
try:
    forestry.Model().train([])
except ValueError as problem:
    print(problem)
tb.autolog(False)
forestry.Model().train([1.0])
print([(r.name, r.status, r.params, r.metrics) for r in tb.runs(sort="started")])
print(type(vars(forestry.Model)["train"]).__name__)
"""


def example(folder: Path, version: str = "2.1") -> subprocess.CompletedProcess[str]:
    """The worked example of ``docs/extending.md``, installed as a package is."""
    text = (Path(__file__).parents[2] / "docs" / "extending.md").read_text("utf-8")
    block = text.split("`trackbook_forestry.py`:\n")[1].split("\nWhat goes wrong")[0]
    (folder / "trackbook_forestry.py").write_text(textwrap.dedent(block), "utf-8")
    (folder / "forestry.py").write_text(FORESTRY.replace("VERSION", version), "utf-8")
    info = folder / "trackbook_forestry-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: trackbook-forestry\nVersion: 1.0\n"
    )
    points = text.split('    [project.entry-points."trackbook.integrations"]\n')[1].splitlines()[0]
    (info / "entry_points.txt").write_text(
        f"[trackbook.integrations]\n{points.strip().replace(chr(34), '')}\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
    }
    command = [sys.executable, "-c", USE, str(folder / "store")]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder)


def test_the_worked_example_of_the_documentation_works(tmp_path: Path) -> None:
    done = example(tmp_path)
    assert done.stdout.splitlines() == [
        "no data",
        "[('Model', 'finished', {'trees': 5}, {'score': 1.5}), "
        "('Model', 'failed', {'trees': 3}, {})]",
        "function",
    ], done.stderr
    assert "Warning" not in done.stderr


def test_a_version_that_was_not_tested_is_one_warning_and_works(tmp_path: Path) -> None:
    done = example(tmp_path, version="3.0.1")
    assert "('Model', 'finished', {'trees': 5}, {'score': 1.5})" in done.stdout
    told = "autolog is tested with forestry from 2.0 to before 3; this is 3.0.1"
    assert done.stderr.count(told) == 1


def test_an_installation_with_parts_missing_is_one_warning_and_the_user_goes_on(
    tmp_path: Path,
) -> None:
    example(tmp_path)
    (tmp_path / "forestry.py").write_text(FORESTRY.replace("class Model", "class Tree"), "utf-8")
    script = (
        "import trackbook as tb; tb.autolog(only='forestry'); import forestry; print(forestry.Tree)"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
    }
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.stdout == "<class 'forestry.Tree'>\n"
    assert done.stderr.count("Trackbook stopped tracking forestry") == 1
