"""What is kept of a fit besides numbers: its model, its data's identity, its candidates."""

# ruff: noqa: N803 - X is what scikit-learn calls it

from __future__ import annotations

import gc
import importlib.util
import subprocess
import sys
import threading
import time
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.feature_selection import RFECV
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.metrics import accuracy_score, confusion_matrix, roc_curve
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import trackbook as tb
from trackbook.capture import afterwork, fitmodels
from trackbook.capture import session as sessions
from trackbook.errors import InvalidValue, TrackbookWarning
from trackbook.store.flusher import FLUSHER

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

X, y = make_classification(300, n_features=6, random_state=0)
X_train, X_test, y_train, y_test = X[:200], X[200:], y[:200], y[200:]


def runs() -> list[Any]:
    sessions.current.afterwork.settle()
    FLUSHER.flush()
    return list(tb.runs(sort="started"))


def told(run: Any) -> str:
    return "\n".join(f"{e['state']} {e['what']} {e.get('reason', '')}" for e in run.why)


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


# -- data ------------------------------------------------------------------------------------------


def test_training_data_are_noted_by_name_shape_type_and_hash() -> None:
    LogisticRegression().fit(X_train, y_train)
    frame = pd.DataFrame(X, columns=list("abcdef"))
    LogisticRegression().fit(X=frame, y=pd.Series(y))
    first, second = runs()
    assert [(e.name, e.shape, e.dtypes) for e in first.inputs] == [
        ("X_train", [200, 6], "float64"),
        ("y_train", [200], "int64"),
    ]
    assert not any(entry.sampled for entry in first.inputs)
    assert (second.inputs[0].name, second.inputs[0].rows) == ("frame", 300)
    assert second.inputs[0].columns["a"] == "float64"


def test_of_large_data_a_sample_is_hashed_and_that_is_said() -> None:
    big = np.random.default_rng(0).random((100_000, 20))
    LinearRegression().fit(big, big[:, 0])
    LinearRegression().fit(big, big[:, 0])
    one, other = runs()
    assert one.inputs[0].sampled is True
    assert "input big its hash is that of a sample of 16 MB" in told(one)
    assert one.inputs[0].hash == other.inputs[0].hash


def test_lists_and_wide_tables_are_no_trouble() -> None:
    LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0])
    wide = pd.DataFrame(np.zeros((10, 300))).add_prefix("c")
    LinearRegression().fit(wide, np.zeros(10))
    narrow, other = runs()
    assert narrow.inputs == []
    assert [entry.name for entry in other.inputs] == ["y"]
    assert "X has too many columns to hash it by the way" in told(other)


# -- importances, pictures, candidates -------------------------------------------------------------


def test_importances_are_a_table_that_can_be_drawn() -> None:
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model = RandomForestClassifier(5, random_state=0).fit(frame, y)
    (run,) = runs()
    table = pd.read_csv(run.artifact("feature_importance.csv"))
    assert table["feature"].tolist() == list("abcdef")
    assert table["importance"].tolist() == pytest.approx(model.feature_importances_.tolist())
    drawn = run.draw("feature_importance").to_dict()
    assert drawn["mark"]["type"] == "bar"


def test_matrices_and_curves_can_be_drawn() -> None:
    model = LogisticRegression().fit(X_train, y_train)
    confusion_matrix(y_test, model.predict(X_test))
    roc_curve(y_test, model.decision_function(X_test))
    accuracy_score(y_test, model.predict(X_test))
    (run,) = runs()
    matrix = run.draw("test_confusion_matrix.json").to_dict()
    (cells,) = matrix["datasets"].values()
    assert sum(cell["count"] for cell in cells) == 100
    assert run.draw("test_roc_curve").to_dict()["mark"]["type"] == "line"
    with pytest.raises(InvalidValue, match="cannot be drawn"):
        run.draw("model.skops")


def test_candidates_are_a_table_and_become_runs_on_demand() -> None:
    search = GridSearchCV(SVC(), {"C": [0.1, 1.0, 10.0]}, cv=2).fit(X, y)
    (run,) = runs()
    table = run.candidates()
    assert table["params.C"].tolist() == [0.1, 1.0, 10.0]
    scores = search.cv_results_["mean_test_score"].tolist()
    assert table["mean_test_score"].tolist() == scores
    (second,) = run.promote(1)
    assert (second.name, second.parent.id) == ("GridSearchCV 1", run.id)
    assert second.params == {"C": 1.0}
    assert second.metrics["mean_test_score"] == scores[1]
    assert [found.id for found in run.promote("all")][1] == second.id
    assert len(tb.get_run(run.id).children) == 3
    for wrong in (3, -1, [0, "x"]):
        with pytest.raises(InvalidValue, match="has the candidates 0 to 2, not"):
            run.promote(wrong)
    with pytest.raises(InvalidValue, match="has no candidates"):
        second.candidates()


# -- threads and parts -----------------------------------------------------------------------------


def test_two_threads_of_the_user_have_a_fit_each() -> None:
    both = threading.Barrier(2)

    class Waiting(LogisticRegression):
        def fit(self, X: Any, y: Any) -> Waiting:
            both.wait(30)
            super().fit(X, y)
            both.wait(30)
            return self

    with tb.start_run("threads"), ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda c: Waiting(C=c).fit(X, y), (0.1, 0.2)))
    children = [run for run in runs() if run.parent is not None]
    assert {run.params["C"] for run in children} == {0.1, 0.2}


def test_members_that_are_fitted_in_threads_are_inner_fits() -> None:
    BaggingClassifier(LogisticRegression(), n_estimators=6, n_jobs=2).fit(X, y)
    import joblib

    with joblib.parallel_config(backend="threading", n_jobs=2):
        BaggingClassifier(LogisticRegression(), n_estimators=6, n_jobs=2).fit(X, y)
    first, second = runs()
    assert (first.name, second.name) == ("BaggingClassifier", "BaggingClassifier")
    assert "6 inner fits folded" in told(second)


def test_the_inner_fits_of_worker_processes_are_counted_too() -> None:
    GridSearchCV(SVC(), {"C": [0.1, 1.0, 10.0]}, cv=5, n_jobs=2).fit(X, y)
    assert "16 inner fits folded into GridSearchCV" in told(runs()[0])


def test_partial_fits_of_one_model_are_one_run() -> None:
    model = SGDClassifier(random_state=0)
    for start in range(0, 200, 50):
        model.partial_fit(X[start : start + 50], y[start : start + 50], classes=[0, 1])
    value = model.score(X_test, y_test)
    (run,) = runs()
    assert run.metrics == {"test_score": value}


def test_a_huge_param_is_left_out_and_its_repr_never_asked_for() -> None:
    class Mute:
        def __repr__(self) -> str:
            raise AssertionError("nobody asks")

    class Big(DecisionTreeClassifier):
        def __init__(self, text: Any = "", thing: Any = None) -> None:
            super().__init__()
            self.text, self.thing = text, thing

    Big(text="x" * 10_000_000, thing=Mute()).fit(X, y)
    (run,) = runs()
    assert run.params == {}
    assert "param text left out: a str" in told(run)
    assert "param thing left out: a Mute" in told(run)


def test_fits_made_by_an_installed_package_are_folded(tmp_path: Path) -> None:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "somelib.py").write_text(
        "from sklearn.linear_model import LogisticRegression\n"
        "def explain(X, y):\n    return [LogisticRegression().fit(X, y) for _ in range(3)]\n"
    )
    spec = importlib.util.spec_from_file_location("somelib", folder / "somelib.py")
    assert spec is not None and spec.loader is not None
    library = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(library)
    with tb.start_run("mine"):
        library.explain(X, y)
    (run,) = runs()
    assert run.params == {}
    assert "folded autolog fits made by somelib" in told(run)


def test_an_odd_class_is_one_warning_and_the_others_are_tracked_on() -> None:
    class Odd(DecisionTreeClassifier):
        def fit(self, X: Any, y: Any) -> Odd:
            super().fit(X, y)
            self.cv_results_ = {"params": 3}
            return self

        def __getstate__(self) -> Any:
            raise OSError("not today")

    with pytest.warns(TrackbookWarning) as caught:
        Odd().fit(X, y)
        Odd().fit(X, y)
    assert sorted(str(w.message).partition(":")[0] for w in caught) == [
        "Trackbook stopped tracking models of class Odd",
        "Trackbook stopped tracking the results of Odd",
    ]
    RFECV(DecisionTreeClassifier(), cv=2).fit(X, y)
    first, _, last = runs()
    assert first.metrics == {"training_score": 1.0}
    assert last.metrics.keys() == {"training_score"}
    assert "model.skops" in last.artifacts
