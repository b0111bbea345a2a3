"""Of a fit: its data's identity, what can be drawn, candidates, and fits in threads and parts."""

# ruff: noqa: N803 - X is what scikit-learn calls it

from __future__ import annotations

import importlib.util
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.feature_selection import RFECV
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.metrics import accuracy_score, confusion_matrix, roc_curve
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from tracked import runs, told

import trackbook as tb
from trackbook.errors import InvalidValue, TrackbookWarning

if TYPE_CHECKING:
    pass

X, y = make_classification(300, n_features=6, random_state=0)
X_train, X_test, y_train, y_test = X[:200], X[200:], y[:200], y[200:]


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
