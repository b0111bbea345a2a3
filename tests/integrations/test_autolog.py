"""Autolog goes on when a framework is imported, and off to the very functions that were there."""

from __future__ import annotations

import subprocess
import sys
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
