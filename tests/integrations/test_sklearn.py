"""scikit-learn's fits become runs, and stay what they are without us."""

# ruff: noqa: N803, N806 - X is what scikit-learn calls it

from __future__ import annotations

import multiprocessing
import pickle
import threading
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.cluster import DBSCAN, KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.feature_selection import SelectFromModel
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from tracked import runs, told

import trackbook as tb
from trackbook.errors import TrackbookWarning

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

X, y = make_classification(300, n_features=6, random_state=0)
X_train, X_test, y_train, y_test = X[:200], X[200:], y[:200], y[200:]


# -- what is logged --------------------------------------------------------------------------------


def test_a_fit_outside_any_run_makes_one_with_typed_params_and_the_training_score() -> None:
    model = RandomForestClassifier(n_estimators=7, max_depth=3, random_state=0).fit(X, y)
    (run,) = runs()
    assert (run.name, run.status) == ("RandomForestClassifier", "finished")
    assert run.params == model.get_params()
    assert {type(run.params[k]) for k in ("n_estimators", "bootstrap")} == {int, bool}
    assert run.metrics == {"training_score": model.score(X, y)}
    assert run.tags == {"estimator": "RandomForestClassifier"}


def test_the_only_fit_of_an_open_run_is_flat() -> None:
    with tb.start_run("one"):
        model = LogisticRegression(C=0.5).fit(X, y)
    (run,) = runs()
    assert (run.name, run.params["C"]) == ("one", 0.5)
    assert run.metrics == {"training_score": model.score(X, y)}


def test_with_a_second_fit_each_is_a_child_and_the_open_run_keeps_what_it_had() -> None:
    with tb.start_run("both", params={"C": "mine"}):
        tb.log_metric("own", 1.0)
        first = LogisticRegression(C=0.5).fit(X_train, y_train)
        before = first.score(X_test, y_test)
        DecisionTreeClassifier(max_depth=2).fit(X, y)
        late = accuracy_score(y_train, first.predict(X_train))  # imported before autolog()
    parent, first, second = runs()
    assert (first.name, second.name) == ("LogisticRegression", "DecisionTreeClassifier")
    assert {first.parent.id, second.parent.id} == {parent.id}
    assert (first.params["C"], parent.params["C"]) == (0.5, "mine")
    assert "max_depth" not in parent.params
    assert first.metrics.keys() == {"training_score", "test_score", "training_accuracy_score"}
    assert (first.metrics["test_score"], parent.metrics["test_score"]) == (before, before)
    assert first.metrics["training_accuracy_score"] == late
    assert parent.metrics.keys() == {"own", "training_score", "test_score"}
    assert parent.started <= first.started < first.ended <= second.started
    assert "LogisticRegression was the first fit, of several" in told(parent)


@pytest.mark.parametrize(
    ("evaluate", "metric"),
    [
        (lambda model: model.score(X_test, y_test), "test_score"),
        (lambda model: model.score(X=X_test, y=y_test), "test_score"),
        (lambda model: model.score(X_train, y_train), "training_score"),
        (lambda model: model.score(X[5:], y[5:]), "score"),
    ],
)
def test_a_score_after_the_fit_is_named_by_its_data(evaluate: Any, metric: str) -> None:
    model = LogisticRegression().fit(X_train, y_train)
    value = evaluate(model)
    tb.end_run()
    assert runs()[0].metrics[metric] == value


def test_a_score_on_validation_data_held_in_a_function() -> None:
    def evaluate(model: Any) -> float:
        X_val, y_val = X[250:], y[250:]
        return float(model.score(X_val, y_val))

    value = evaluate(LinearRegression().fit(X_train, y_train))
    assert runs()[0].metrics["val_score"] == value


def test_a_pipeline_is_one_run_with_deep_names() -> None:
    pipe = Pipeline([("scale", StandardScaler()), ("clf", SVC(C=2.0, kernel="linear"))]).fit(X, y)
    (run,) = runs()
    assert run.name == "Pipeline"
    assert (run.params["clf__C"], run.params["clf__kernel"]) == (2.0, "linear")
    assert (run.params["clf"], run.params["scale"]) == ("SVC", "StandardScaler")
    assert run.metrics["training_score"] == pipe.score(X, y)
    assert "1 inner fit folded" in told(run)


def test_a_search_logs_its_best_and_its_candidates() -> None:
    search = GridSearchCV(SVC(), {"C": [0.1, 1.0], "gamma": ["scale", 0.1]}, cv=2).fit(X, y)
    (run,) = runs()
    assert run.params["best.C"] == search.best_params_["C"]
    assert run.params["param_grid"] == {"C": [0.1, 1.0], "gamma": ["scale", 0.1]}
    assert run.params["estimator__kernel"] == "rbf"
    assert run.metrics["best_cv_score"] == search.best_score_
    assert "9 inner fits folded" in told(run)
    rows = tb_json(run, "cv_results.json")
    assert [row["params"] for row in rows] == search.cv_results_["params"]
    assert [row["mean_test_score"] for row in rows] == list(search.cv_results_["mean_test_score"])


def tb_json(run: Any, name: str) -> Any:
    from trackbook.jsonable import loads

    return loads(run.artifact(name).read_bytes())


def test_the_best_estimator_of_a_search_belongs_to_its_run() -> None:
    search = GridSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=2).fit(X_train, y_train)
    value = search.best_estimator_.score(X_test, y_test)
    assert runs()[0].metrics["test_score"] == value


def test_inner_fits_in_worker_processes_are_part_of_the_search() -> None:
    search = GridSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=2, n_jobs=2).fit(X, y)
    (run,) = runs()
    assert run.metrics["best_cv_score"] == search.best_score_


def test_inner_fits_in_threads_are_folded() -> None:
    import joblib

    members = [("a", LogisticRegression()), ("b", DecisionTreeClassifier())]
    with joblib.parallel_backend("threading", n_jobs=2):
        VotingClassifier(members, n_jobs=2).fit(X, y)
        BaggingClassifier(DecisionTreeClassifier(), n_estimators=4, n_jobs=2).fit(X, y)
    assert [run.name for run in runs()] == ["VotingClassifier", "BaggingClassifier"]
    assert "2 inner fits folded" in told(runs()[0])


def test_a_forked_process_makes_no_runs() -> None:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        fitted = pool.apply(LogisticRegression(C=0.5).fit, (X, y))
    assert fitted.C == 0.5
    assert runs() == []


def test_clusterers_are_logged_also_by_fit_predict() -> None:
    means = KMeans(3, n_init=1, random_state=0)
    means.fit_predict(X)
    DBSCAN(eps=2.0).fit(X)
    first, second = runs()
    assert (first.params["n_clusters"], first.metrics) == (3, {"inertia": means.inertia_})
    assert (second.name, second.params["eps"]) == ("DBSCAN", 2.0)


def test_transformers_alone_make_no_run_and_are_told_by_the_next_one() -> None:
    PCA(2).fit_transform(StandardScaler().fit(X).transform(X))
    assert runs() == []
    LogisticRegression().fit(X, y)
    (run,) = runs()
    assert "folded autolog PCA was fitted by itself" in told(run)
    assert "folded autolog StandardScaler was fitted by itself" in told(run)


def test_compositions_and_meta_estimators_are_runs_also_without_a_predictor() -> None:
    make_pipeline(StandardScaler(), PCA(2)).fit(X)
    ColumnTransformer([("scale", StandardScaler(), [0, 1])]).fit_transform(X)
    SelectFromModel(DecisionTreeClassifier()).fit(X, y)
    KMeans(2, n_init=1).fit_transform(X)
    names = ["Pipeline", "ColumnTransformer", "SelectFromModel", "KMeans"]
    assert [run.name for run in runs()] == names
    assert runs()[1].params["scale__with_mean"] is True


def test_another_thread_is_part_of_the_open_run() -> None:
    with tb.start_run("threads"):
        thread = threading.Thread(target=lambda: LogisticRegression().fit(X, y))
        thread.start()
        thread.join()
    (run,) = runs()
    assert (run.name, run.params["C"]) == ("threads", 1.0)


def test_fits_of_cross_validation_are_folded() -> None:
    with tb.start_run("cv"):
        cross_val_score(LogisticRegression(), X, y, cv=3)
    (run,) = runs()
    assert (run.metrics, run.params) == ({}, {})
    assert "folded autolog fits made by sklearn" in told(run)


def test_tuples_are_params_and_odd_values_are_noted() -> None:
    MLPClassifier((3, 2), max_iter=500, tol=1, random_state=np.random.RandomState(0)).fit(X, y)
    (run,) = runs()
    assert run.params["hidden_layer_sizes"] == [3, 2]
    assert "param random_state left out: a RandomState" in told(run)


def test_an_expensive_training_score_is_left_out_and_noted() -> None:
    big, labels = make_classification(4000, random_state=0)

    class Slow(ClassifierMixin, BaseEstimator):
        def fit(self, X: Any, y: Any) -> Slow:
            self.classes_ = np.unique(y)
            return self

        def predict(self, X: Any) -> Any:
            threading.Event().wait(0.0005 * len(X))
            return np.zeros(len(X))

    Slow().fit(big, labels)
    (run,) = runs()
    assert run.metrics == {}
    assert "training score left out: it would take about" in told(run)


# -- the user's code wins --------------------------------------------------------------------------


def test_a_failing_fit_raises_as_without_us_and_fails_the_run() -> None:
    with pytest.raises(ValueError, match="Input X contains NaN") as caught:
        LogisticRegression().fit(X * np.nan, y)
    assert caught.value.__context__ is None
    (run,) = runs()
    assert (run.status, run.error["type"]) == ("failed", "ValueError")
    assert run.params["C"] == 1.0
    LogisticRegression().fit(X, y)
    assert len(runs()) == 2


@pytest.mark.parametrize(
    "make",
    [
        lambda: RandomForestClassifier(5),
        lambda: DummyClassifier(strategy="uniform"),
        lambda: DummyClassifier(strategy="uniform", random_state=np.random.RandomState(3)),
        lambda: GaussianProcessClassifier(),
    ],
)
def test_predictions_and_random_states_are_as_without_us(make: Any) -> None:
    def work() -> tuple[Any, ...]:
        np.random.seed(7)
        model = make().fit(X_train, y_train)
        score = model.score(X_test, y_test)
        return score, model.predict(X_test).tolist(), np.random.rand()

    with_us = work()
    assert len(runs()) == 1
    tb.autolog(False)
    assert work() == with_us
    assert len(runs()) == 1


def test_verbose_estimators_print_as_without_us(capsys: pytest.CaptureFixture[str]) -> None:
    def printed() -> int:
        RandomForestClassifier(5, verbose=1).fit(X, y)
        return len("".join(capsys.readouterr()).splitlines())

    with_us = printed()
    tb.autolog(False)
    assert printed() == with_us


def test_clone_and_pickle_work() -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.3)).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert again.predict(X).tolist() == model.predict(X).tolist()
    assert clone(model).get_params()["logisticregression__C"] == 0.3
    assert vars(model).keys() == vars(clone(model)).keys()


class OfTheUser(ClassifierMixin, BaseEstimator):
    """Defined while autolog is off."""

    def __init__(self, depth: int = 2) -> None:
        self.depth = depth

    def fit(self, X: Any, y: Any) -> OfTheUser:
        self.inner_ = [DecisionTreeClassifier(max_depth=self.depth).fit(X, y) for _ in range(3)]
        self.classes_ = self.inner_[0].classes_
        return self

    def predict(self, X: Any) -> Any:
        return self.inner_[0].predict(X)


def test_estimators_of_the_user_are_one_run() -> None:
    OfTheUser(depth=3).fit(X, y)
    (run,) = runs()
    assert (run.name, run.params) == ("OfTheUser", {"depth": 3})
    assert "3 inner fits folded" in told(run)


def test_estimators_defined_later_are_logged_and_restored() -> None:
    class Later(OfTheUser):
        def fit(self, X: Any, y: Any) -> Later:
            super().fit(X, y)
            return self

    class Scaled(TransformerMixin, BaseEstimator):
        def fit(self, X: Any, y: Any = None) -> Scaled:
            return self

    Later().fit(X, y)
    Scaled().fit(X)
    assert [run.name for run in runs()] == ["Later"]
    tb.autolog(False)
    assert type(vars(Later)["fit"]).__name__ == "function"


def test_a_param_that_raises_is_one_warning_and_the_fit_goes_on() -> None:
    class Odd(OfTheUser):
        def get_params(self, deep: bool = True) -> dict[str, Any]:
            raise OSError("no params today")

    with pytest.warns(TrackbookWarning, match="no params today") as caught:
        Odd().fit(X, y)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Odd().fit(X, y)
    LogisticRegression().fit(X, y)
    assert [run.name for run in runs()] == ["Odd", "Odd", "LogisticRegression"]
    assert runs()[0].params == {}
    assert "params left out: get_params fails" in told(runs()[0])


# -- in a notebook ---------------------------------------------------------------------------------

SETUP = """
import trackbook as tb
tb.autolog()
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score
X, y = make_classification(300, n_features=6, random_state=0)
X_train, X_test, y_train, y_test = X[:200], X[200:], y[:200], y[200:]
"""
TRACKED = """%%track forest
n_estimators, max_depth = 9, 3
model = RandomForestClassifier(n_estimators=n_estimators, max_depth=max_depth, random_state=0)
model.fit(X_train, y_train)
acc = accuracy_score(y_test, model.predict(X_test))
"""


def test_a_tracked_cell_and_its_fit_are_one_run(ip: InteractiveShell) -> None:
    ip.run_cell(SETUP).raise_error()
    ip.run_cell(TRACKED).raise_error()
    (run,) = runs()
    assert (run.name, run.status, run.number) == ("forest", "finished", 1)
    assert run.params == {**ip.user_ns["model"].get_params(), "n_estimators": 9, "max_depth": 3}
    assert run.metrics.keys() == {"acc", "training_score", "test_accuracy_score"}
    assert run.metrics["test_accuracy_score"] == run.metrics["acc"]
    ip.run_cell("late = model.score(X_test, y_test)").raise_error()
    (run,) = runs()
    assert run.metrics["test_score"] == ip.user_ns["late"]


def test_a_fit_in_an_ordinary_cell_makes_a_run_that_ends_with_the_cell(
    ip: InteractiveShell,
) -> None:
    ip.run_cell(SETUP).raise_error()
    ip.run_cell("RandomForestClassifier(n_estimators=3).fit(X, y)").raise_error()
    ip.run_cell("x = 1").raise_error()
    (run,) = runs()
    assert (run.name, run.status) == ("RandomForestClassifier", "finished")
