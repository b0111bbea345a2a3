"""LightGBM's trainings become runs, natively and as estimators of scikit-learn; one run each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from tracked import runs

import trackbook as tb

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
y = (X[:, 0] + 0.3 * RNG.normal(size=300) > 0).astype(int)
PARAMS = {"objective": "binary", "num_leaves": 4, "bagging_fraction": 0.7, "bagging_freq": 1}
PARAMS |= {"seed": 3, "verbosity": -1, "num_threads": 1}


def data() -> tuple[Any, Any]:
    train = lgb.Dataset(X[:200], y[:200])
    return train, lgb.Dataset(X[200:], y[200:], reference=train)


def train(rounds: int = 10, **more: Any) -> Any:
    first, second = data()
    return lgb.train(
        PARAMS, first, rounds, valid_sets=[first, second], valid_names=["train", "test"], **more
    )


def test_a_native_training_is_a_run_with_every_round_and_the_best() -> None:
    history: dict[str, Any] = {}
    stop = lgb.early_stopping(3, verbose=False)
    booster = train(80, callbacks=[lgb.record_evaluation(history), stop])
    (run,) = runs()
    assert (run.name, run.status) == ("lightgbm", "finished")
    shape = {"num_data": 200, "num_feature": 4}
    assert run.params == {**PARAMS, "num_boost_round": 80, **shape}
    for name in ("train", "test"):
        curve = run.history(f"{name}-binary_logloss")
        assert list(curve["value"]) == history[name]["binary_logloss"]
    assert run.metrics["iterations"] == booster.current_iteration() < 80
    assert run.metrics["best_iteration"] == booster.best_iteration
    best = booster.best_score["test"]["binary_logloss"]
    assert run.metrics["best_test-binary_logloss"] == best
    table = pd.read_csv(run.artifact("feature_importance.csv"), index_col="feature")
    assert list(table["gain"]) == sorted(table["gain"], reverse=True)
    assert table["split"].sum() == booster.feature_importance().sum()
    (given,) = run.inputs
    assert (given["name"], given["shape"]) == ("train_set", [200, 4])


def test_trees_and_callbacks_are_as_without_us() -> None:
    def work() -> tuple[Any, ...]:
        history: dict[str, Any] = {}
        rounds: list[int] = []

        def first(env: Any) -> None:
            rounds.append(env.iteration)

        given = [first, lgb.record_evaluation(history)]
        booster = train(callbacks=given)
        assert len(given) == 2
        return booster.model_to_string(), history, rounds

    with_us = work()
    assert len(runs()) == 1
    tb.autolog(False)
    assert work() == with_us
    assert len(runs()) == 1


@pytest.mark.filterwarnings("ignore:The argument 'eval_set'")  # 4.5 knows no other
def test_an_estimator_is_one_run_with_its_rounds_and_a_search_has_none() -> None:
    model = lgb.LGBMClassifier(n_estimators=6, num_leaves=4, verbose=-1)
    model.fit(X[:200], y[:200], eval_set=[(X[200:], y[200:])])
    GridSearchCV(lgb.LGBMRegressor(n_estimators=2, verbose=-1), {"num_leaves": [3, 4]}, cv=2).fit(
        X, y
    )
    first, search = runs()
    assert (first.name, first.params["n_estimators"]) == ("LGBMClassifier", 6)
    curve = first.history("valid_0-binary_logloss")
    assert list(curve["value"]) == model.evals_result_["valid_0"]["binary_logloss"]
    assert (first.metrics["iterations"], "num_data" in first.params) == (6, False)
    assert (search.name, "iterations" in search.metrics) == ("GridSearchCV", False)


def test_cross_validation_is_one_run() -> None:
    result = lgb.cv(PARAMS, data()[0], 4, nfold=2)
    (run,) = runs()
    assert (run.name, run.params["nfold"]) == ("lightgbm.cv", 2)
    curve = run.history("valid binary_logloss-mean")
    assert list(curve["value"]) == result["valid binary_logloss-mean"]


def test_metrics_of_its_predictions_and_its_model_are_in_its_run() -> None:
    booster = train(4)
    other = train(5)
    y_test = y[200:]
    loss = log_loss(y_test, booster.predict(X[200:]))
    first, second = runs()
    assert first.metrics["test_log_loss"] == loss
    assert "test_log_loss" not in second.metrics
    kept = first.load_model("model.txt", trust=True)
    assert kept.current_iteration() == 4
    assert other is not None


def test_a_failing_training_raises_as_without_us_and_fails_the_run() -> None:
    def odd(predicted: Any, given: Any) -> Any:
        raise LookupError("no metric today")

    with pytest.raises(LookupError, match="no metric today") as caught:
        train(feval=odd)
    assert caught.value.__context__ is None
    (run,) = runs()
    assert (run.status, run.error["type"]) == ("failed", "LookupError")
    with pytest.raises(TypeError, match="only accepts Dataset"):
        lgb.train(PARAMS, X)
    assert runs()[-1].status == "failed"


def test_off_restores_the_very_functions() -> None:
    assert lgb.train is not lgb.engine.train  # a wrapper each
    tb.autolog(False)
    assert lgb.train is lgb.engine.train is lgb.sklearn.train
    assert lgb.train.__module__ == "lightgbm.engine"
    train()
    assert runs() == []


def test_a_tracked_cell_trained_again_is_the_next_attempt(ip: InteractiveShell) -> None:
    ip.user_ns.update(train=train, tb=tb)
    ip.run_cell("tb.autolog()").raise_error()
    for _ in range(2):
        ip.run_cell("%%track trees\nmodel = train(3)").raise_error()
    first, second = runs()
    assert (first.number, second.number) == (1, 2)
    assert second.summary["test-binary_logloss"]["count"] == 3
