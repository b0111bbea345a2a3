"""What is kept of a fit besides numbers: its model, its data's identity, its candidates."""

# ruff: noqa: N803 - X is what scikit-learn calls it

from __future__ import annotations

import gc
import subprocess
import sys
import time
import warnings
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from tracked import runs, told

import trackbook as tb
from trackbook.capture import afterwork, fitmodels
from trackbook.capture import session as sessions
from trackbook.errors import InvalidValue

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

X, y = make_classification(300, n_features=6, random_state=0)
X_train, X_test, y_train, y_test = X[:200], X[200:], y[:200], y[200:]


class Heavy(ClassifierMixin, BaseEstimator):
    """A model of so many MB."""

    def __init__(self, megabytes: float = 1.0, quality: float = 0.5) -> None:
        self.megabytes = megabytes
        self.quality = quality

    def fit(self, X: Any, y: Any) -> Heavy:
        self.weights_ = np.zeros(int(self.megabytes * 125_000))
        self.classes_ = np.unique(y)
        time.sleep(2.0)  # a fit that is long beside the copying
        return self

    def predict(self, X: Any) -> Any:
        right = np.arange(len(X)) < self.quality * len(X)
        return np.where(right, self.truth_[: len(X)], 1 - self.truth_[: len(X)])


# -- models ----------------------------------------------------------------------------------------


def test_a_model_is_kept_soon_after_its_fit_in_a_format_that_runs_no_code() -> None:
    model = LogisticRegression(C=0.5).fit(X_train, y_train)
    (run,) = runs()
    assert run.artifacts["model.skops"].format == "skops"
    assert run.load_model().predict(X_test).tolist() == model.predict(X_test).tolist()
    assert "captured model LogisticRegression" in told(run)


def test_the_model_is_kept_as_it_was_fitted_and_not_kept_alive() -> None:
    model = LogisticRegression().fit(X_train, y_train)
    before = model.coef_.copy()
    model.coef_ *= 0
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
    assert (runs()[0].load_model().coef_ == before).all()


def test_a_pause_is_enough_for_a_model_to_reach_the_disk() -> None:
    LogisticRegression().fit(X, y)
    store = sessions.current.store()
    run_id = next(iter(store.path.glob("runs/*/*"))).name  # type: ignore[union-attr]
    until = time.monotonic() + 60
    while not store.records(run_id, "artifacts") and time.monotonic() < until:
        time.sleep(0.05)
    assert [line["name"] for line in store.records(run_id, "artifacts")] == ["model.skops"]


def test_the_end_of_a_cell_waits_for_no_model(ip: InteractiveShell) -> None:
    setup = "import trackbook as tb\ntb.autolog()\nfrom sklearn.linear_model import Ridge"
    ip.run_cell(setup).raise_error()
    for _ in range(2):
        ip.run_cell("%%track one\nmodel = Ridge().fit([[1.0], [2.0]], [1.0, 2.0])").raise_error()
    store = sessions.current.store()
    ids = [folder.name for folder in store.path.glob("runs/*/*")]  # type: ignore[union-attr]
    assert [store.records(run_id, "artifacts") for run_id in ids] == [[], []]
    assert all("model.skops" in run.artifacts for run in runs())


@pytest.mark.parametrize(("models", "kept"), [(False, 0), ("all", 1), ("auto", 1), ("best", 1)])
def test_models_says_what_is_kept(models: Any, kept: int) -> None:
    tb.autolog(models=models)
    LogisticRegression().fit(X, y)
    assert len(runs()[0].artifacts) == kept


def test_an_unknown_word_for_models_is_refused_and_changes_nothing() -> None:
    for word in ("some", 0, None):
        with pytest.raises(InvalidValue, match="models is 'auto', 'all', 'best' or False"):
            tb.autolog(False, models=word)  # type: ignore[arg-type]
    LogisticRegression().fit(X, y)
    assert len(runs()) == 1


def test_only_the_best_so_far_is_kept_as_its_metrics_come(ip: InteractiveShell) -> None:
    setup = """
import trackbook as tb
tb.autolog(models="best")
from sklearn.datasets import make_classification
from sklearn.metrics import accuracy_score
from sklearn.tree import DecisionTreeClassifier
X_test, y_test = make_classification(300, n_features=6, random_state=0)
"""
    ip.run_cell(setup).raise_error()
    cell = "model = DecisionTreeClassifier(max_depth=DEPTH, random_state=0).fit(X_test, y_test)\n"
    cell += "accuracy_score(y_test, model.predict(X_test))"
    for depth in (2, 1, 6):
        ip.user_ns["DEPTH"] = depth
        ip.run_cell(cell, cell_id="fit").raise_error()
        sessions.current.afterwork.settle()
    first, worse, best = runs()
    assert [bool(run.artifacts.get("model.skops")) for run in (first, worse, best)] == [1, 0, 1]
    assert "not the best so far" in told(worse)


def test_a_model_over_the_cap_is_kept_only_while_it_is_the_best(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fitmodels, "CAP", 1_000_000)
    for quality in (0.9, 0.2):
        model = Heavy(megabytes=3.0, quality=quality)
        model.truth_ = y
        model.fit(X, y)
        runs()
    good, bad = runs()
    assert good.metrics["training_score"] == pytest.approx(0.9, abs=0.01)
    assert "model.skops" in good.artifacts
    assert bad.artifacts == {}
    assert "3.0 MB in memory: over 50 MB and not the best so far" in told(bad)


def test_a_thousand_tiny_fits_keep_the_newest_and_the_best_not_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(afterwork, "QUIET_S", 60.0)
    depths = [1, 6, *[2] * 60]
    for depth in depths:
        DecisionTreeClassifier(max_depth=depth, random_state=0).fit(X, y)
    found = runs()
    kept = [bool(run.artifacts.get("model.skops")) for run in found]
    assert 40 <= sum(kept) <= 51
    assert kept[1] and kept[-1] and not kept[0]
    assert "let go, as many fits came at once" in told(found[0])


def test_a_model_that_cannot_be_copied_or_has_no_format_is_noted_and_that_is_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Local(LogisticRegression):
        pass

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Local().fit(X, y)
    (run,) = runs()
    assert (run.artifacts, run.params["C"]) == ({}, 1.0)
    assert "skipped model Local cannot be copied" in told(run)


def test_without_skops_the_model_is_noted_and_nothing_else(tmp_path: Path) -> None:
    script = f"""
import sys
sys.modules["skops"] = None
import importlib.util as util
find = util.find_spec
util.find_spec = lambda name, *rest: None if name == "skops" else find(name, *rest)
import trackbook as tb
tb.set_store({str(tmp_path / "store")!r})
tb.autolog()
from sklearn.linear_model import LogisticRegression
LogisticRegression().fit([[1.0], [2.0]], [0, 1])
run = tb.get_run("latest")
print(run.artifacts, run.params["C"], [e.reason for e in run.why if e.what == "model"])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.startswith('{} 1.0 ["LogisticRegression: a sklearn'), done.stderr
    assert "without skops (pip install 'trackbook[models]')" in done.stdout
    assert done.stderr == ""


def test_keeping_models_imports_neither_torch_nor_more_of_scikit_learn(
    tmp_path: Path,
) -> None:
    script = f"""
import sys
import trackbook as tb
tb.set_store({str(tmp_path / "store")!r})
tb.autolog()
from sklearn.linear_model import LogisticRegression
LogisticRegression().fit([[1.0], [2.0]], [0, 1])
assert "model.skops" in tb.get_run("latest").artifacts
print(sorted({{"torch", "skops", "sklearn.naive_bayes", "matplotlib"}} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr + done.stdout
