"""Metrics computed after a fit go to the model that they judge, under an honest name."""

# ruff: noqa: N806 - X is what scikit-learn calls it

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.cluster import KMeans
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.tree import DecisionTreeClassifier
from tracked import runs, told

import trackbook as tb
from trackbook.jsonable import loads

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

X, y = make_classification(300, n_features=6, random_state=0)
X_train, X_test, y_train, y_test = X[:200], X[200:], y[:200], y[200:]


def fitted(**params: Any) -> Any:
    return LogisticRegression(**params).fit(X_train, y_train)


FRAME = pd.DataFrame({"y_test": y_test})


@pytest.mark.parametrize(
    ("judge", "key"),
    [
        (lambda m: metrics.accuracy_score(y_test, m.predict(X_test)), "test_accuracy_score"),
        (lambda m: accuracy_score(y_test, m.predict(X_test)), "test_accuracy_score"),
        (lambda m: accuracy_score(FRAME["y_test"], m.predict(X_test)), "test_accuracy_score"),
        (lambda m: accuracy_score(y_pred=m.predict(X_test), y_true=y_test), "test_accuracy_score"),
        (lambda m: accuracy_score(y_train, m.predict(X_train)), "training_accuracy_score"),
        (lambda m: accuracy_score(y[5:], m.predict(X[5:])), "accuracy_score"),
        (lambda m: metrics.f1_score(y_test, m.predict(X_test), average="macro"), "test_f1_score"),
        (
            lambda m: metrics.roc_auc_score(y_test, m.predict_proba(X_test)[:, 1]),
            "test_roc_auc_score",
        ),
        (lambda m: metrics.log_loss(y_test, m.predict_proba(X_test)), "test_log_loss"),
        (lambda m: metrics.hinge_loss(y_test, m.decision_function(X_test)), "test_hinge_loss"),
    ],
)
def test_a_metric_is_named_by_the_split_its_truth_comes_from(judge: Any, key: str) -> None:
    value = judge(fitted())
    (run,) = runs()
    assert run.metrics.keys() == {"training_score", key}
    assert run.metrics[key] == value
    assert "guessed" not in told(run)


def test_a_truth_inside_a_function_has_the_name_it_has_outside() -> None:
    def judge(truth: Any, model: Any) -> float:
        return float(accuracy_score(truth, model.predict(X_test)))

    judge(y_test, fitted())
    assert "test_accuracy_score" in runs()[0].metrics


def test_each_model_gets_its_own_also_when_both_predict_first() -> None:
    one, other = fitted(), DecisionTreeClassifier(max_depth=1).fit(X_train, y_train)
    of_one, of_other = one.predict(X_test), other.predict(X_test)
    values = [accuracy_score(y_test, found) for found in (of_one, of_other)]
    assert [run.metrics["test_accuracy_score"] for run in runs()] == values


def test_changed_predictions_are_told_by_their_number_of_rows() -> None:
    one = fitted()
    other = DecisionTreeClassifier(max_depth=1).fit(X_train, y_train)
    one.predict(X_test)
    other.predict(X_train)
    value = accuracy_score(y_test, one.predict_proba(X_test)[:, 1] > 0.3)
    first, second = runs()
    assert first.metrics["test_accuracy_score"] == value
    assert "test_accuracy_score" not in second.metrics


@pytest.mark.parametrize("stages", ["staged_predict", "staged_predict_proba"])
def test_predictions_in_stages_are_their_models_and_not_of_whoever_predicted_before(
    stages: str,
) -> None:
    fitted().predict(X_test)
    boosting = GradientBoostingClassifier(n_estimators=3).fit(X_train, y_train)
    judge = metrics.log_loss if stages.endswith("proba") else accuracy_score
    values = [judge(y_test, predicted) for predicted in getattr(boosting, stages)(X_test)]
    first, second = runs()
    assert first.metrics.keys() == {"training_score"}
    (key,) = second.metrics.keys() - {"training_score"}
    assert list(second.history(key)["value"]) == values


def test_predictions_of_nobody_are_guessed_to_be_of_the_last_fit_and_that_is_said() -> None:
    fitted()
    DecisionTreeClassifier().fit(X_train, y_train)
    accuracy_score(y_test, np.zeros(100))
    first, second = runs()
    assert "test_accuracy_score" not in first.metrics
    assert "test_accuracy_score" in second.metrics
    assert "test_accuracy_score: guessed to be of the last fit" in told(second)


def test_a_model_that_was_fitted_without_us_has_no_run_to_log_to() -> None:
    tb.autolog(False)
    unseen = fitted()
    tb.autolog()
    fitted()
    accuracy_score(y_test, unseen.predict(X_test))
    assert runs()[0].metrics.keys() == {"training_score"}


def test_swapped_arguments_are_noticed_and_the_truth_still_names_the_split() -> None:
    model = fitted()
    y_pred = model.predict(X_test)
    value = metrics.precision_score(y_pred, y_test)
    (run,) = runs()
    assert run.metrics["test_precision_score"] == value
    assert "test_precision_score: the predictions were given first" in told(run)


def test_other_options_make_another_name() -> None:
    found = fitted().predict(X_test)
    for average in ("macro", "micro", "macro"):
        metrics.f1_score(y_test, found, average=average)
    metrics.fbeta_score(y_test, found, beta=2)
    metrics.fbeta_score(y_test, found, beta=0.5)
    keys = set(runs()[0].metrics)
    assert {"test_f1_score", "test_f1_score_micro"} <= keys
    assert {"test_fbeta_score", "test_fbeta_score_beta=0.5"} <= keys
    assert len(runs()[0].history("test_f1_score")) == 2


def test_what_scikit_learn_computes_inside_is_not_logged() -> None:
    with tb.start_run("inside"):
        cross_val_score(fitted(), X, y, cv=2, scoring="accuracy")
        GridSearchCV(
            LogisticRegression(), {"C": [1.0, 2.0]}, cv=2, scoring=make_scorer(accuracy_score)
        ).fit(X, y)
    assert all("accuracy_score" not in key for run in runs() for key in run.metrics)


def test_matrices_reports_and_curves_are_data() -> None:
    model = fitted()
    found, proba = model.predict(X_test), model.predict_proba(X_test)[:, 1]
    matrix = metrics.confusion_matrix(y_test, found)
    metrics.classification_report(y_test, found)
    metrics.classification_report(y_test, found, output_dict=True)
    fpr, _, _ = metrics.roc_curve(y_test, proba)
    each = metrics.f1_score(y_test, found, average=None)
    (run,) = runs()
    kept = loads(run.artifact("test_confusion_matrix.json").read_bytes())
    assert kept == {"labels": [0, 1], "matrix": matrix.tolist()}
    assert "precision" in run.artifact("test_classification_report.txt").read_text()
    curve = loads(run.artifact("test_roc_curve.json").read_bytes())
    assert curve["fpr"] == fpr.tolist() and curve.keys() == {"fpr", "tpr", "thresholds"}
    assert loads(run.artifact("test_f1_score.json").read_bytes()) == each.tolist()


def test_clusters_and_regressions() -> None:
    means = KMeans(3, n_init=1, random_state=0).fit(X)
    value = metrics.silhouette_score(X, means.labels_)
    A, b = make_regression(100, 3, random_state=0)
    line = LinearRegression().fit(A, b)
    error = metrics.root_mean_squared_error(b, line.predict(A))
    first, second = runs()
    assert first.metrics["silhouette_score"] == pytest.approx(value)
    assert second.metrics["root_mean_squared_error"] == error


def test_a_failing_metric_raises_as_without_us() -> None:
    model = fitted()
    with pytest.raises(ValueError, match="inconsistent numbers") as caught:
        accuracy_score(y_test[:5], model.predict(X_test))
    assert caught.value.__context__ is None
    assert runs()[0].metrics.keys() == {"training_score"}


def test_functions_are_given_back_wherever_they_were_imported() -> None:
    assert metrics.accuracy_score is accuracy_score
    watched = metrics.accuracy_score
    assert pickle.loads(pickle.dumps(watched)) is watched.__wrapped__  # type: ignore[attr-defined]
    tb.autolog(False)
    from sklearn.metrics import _classification

    assert metrics.accuracy_score is accuracy_score is _classification.accuracy_score
    assert watched(y_test, y_test) == 1.0


def test_a_scorer_of_a_watched_function_works_in_other_processes() -> None:
    search = GridSearchCV(
        LogisticRegression(), {"C": [1.0]}, cv=2, scoring=make_scorer(accuracy_score), n_jobs=2
    ).fit(X, y)
    assert runs()[0].metrics["best_cv_score"] == search.best_score_


def test_ties_go_to_the_cell_that_computes(ip: InteractiveShell) -> None:
    setup = """
import trackbook as tb
tb.autolog()
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from sklearn.metrics import accuracy_score
X, y_test = make_classification(100, n_features=6, random_state=0)
"""
    ip.run_cell(setup).raise_error()
    ip.run_cell("one = LogisticRegression().fit(X, y_test)").raise_error()
    ip.run_cell("two = DecisionTreeClassifier().fit(X, y_test)").raise_error()
    cell = "two.predict(X); one.predict(X)\nacc = accuracy_score(y_test, one.predict(X) > 0)"
    ip.run_cell(cell).raise_error()
    ip.run_cell("two.predict(X)\nb = accuracy_score(y_test, two.predict(X) > 0)").raise_error()
    first, second = runs()
    assert first.metrics["test_accuracy_score"] == ip.user_ns["acc"]
    assert second.metrics["test_accuracy_score"] == ip.user_ns["b"]


def test_a_script_that_imported_metrics_before_autolog_and_before_scikit_learn(
    tmp_path: Path,
) -> None:
    script = f"""
import sys
from sklearn.metrics import accuracy_score as judged
import trackbook as tb
tb.set_store({str(tmp_path / "store")!r})
tb.autolog()
from sklearn.linear_model import LogisticRegression
X, y_test = [[1.0], [2.0], [3.0], [4.0]], [0, 0, 1, 1]
model = LogisticRegression().fit(X, y_test)
judged(y_test, model.predict(X))
print(tb.get_run("latest").metrics)
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "'test_accuracy_score': 1.0" in done.stdout, done.stderr
    assert done.stderr == ""
