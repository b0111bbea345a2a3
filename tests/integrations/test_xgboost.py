"""XGBoost's trainings become runs, natively and as estimators of scikit-learn; one run each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tracked import runs, told

import trackbook as tb

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 4))
y = (X[:, 0] + 0.3 * RNG.normal(size=200) > 0).astype(int)
TRAIN, TEST = xgb.DMatrix(X[:150], y[:150]), xgb.DMatrix(X[150:], y[150:])
PARAMS = {"objective": "binary:logistic", "max_depth": 2, "eta": 0.3, "subsample": 0.7, "seed": 3}
QUIET = {"verbose_eval": False}


def train(rounds: int = 12, **more: Any) -> Any:
    evals = [(TRAIN, "train"), (TEST, "test")]
    return xgb.train(PARAMS, TRAIN, rounds, evals=evals, **{**QUIET, **more})


def test_a_native_training_is_a_run_with_every_round_and_the_best() -> None:
    history: dict[str, Any] = {}
    booster = train(60, early_stopping_rounds=3, evals_result=history)
    (run,) = runs()
    assert (run.name, run.status) == ("xgboost", "finished")
    given = {**PARAMS, "num_boost_round": 60, "early_stopping_rounds": 3}
    assert run.params == {**given, "num_row": 150, "num_col": 4}
    for data in ("train", "test"):
        curve = run.history(f"{data}-logloss")
        assert list(curve["value"]) == history[data]["logloss"]
        assert list(curve["step"]) == list(range(booster.num_boosted_rounds()))
    assert run.metrics["iterations"] == booster.num_boosted_rounds() < 60
    assert run.metrics["best_iteration"] == booster.best_iteration
    assert run.metrics["best_score"] == booster.best_score
    table = pd.read_csv(run.artifact("feature_importance.csv"), index_col="feature")
    assert table["gain"].to_dict() == pytest.approx(booster.get_score(importance_type="gain"))
    assert list(table["gain"]) == sorted(table["gain"], reverse=True)
    assert list(table.columns) == ["gain", "weight", "cover"]


def test_trees_and_history_are_as_without_us_and_callbacks_of_the_user_stay() -> None:
    class Own(xgb.callback.TrainingCallback):
        def __init__(self) -> None:
            self.rounds: list[int] = []

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            self.rounds.append(epoch)
            return epoch == 5

    def work() -> tuple[Any, ...]:
        history: dict[str, Any] = {}
        own = Own()
        given = [own]
        booster = train(evals_result=history, callbacks=given)
        assert given == [own]
        return bytes(booster.save_raw()), history, own.rounds

    with_us = work()
    assert len(runs()) == 1
    tb.autolog(False)
    assert work() == with_us
    assert len(runs()) == 1
    assert with_us[2] == [0, 1, 2, 3, 4, 5]


def test_the_last_round_is_there_whichever_callback_stops_first() -> None:
    for seed in range(10):  # before 3.2 their order is that of their addresses
        history: dict[str, Any] = {}
        params = {**PARAMS, "seed": seed}
        evals = [(TRAIN, "train"), (TEST, "test")]
        more = {"early_stopping_rounds": 2, "evals_result": history, **QUIET}
        xgb.train(params, TRAIN, 40, evals=evals, **more)
        assert list(runs()[-1].history("test-logloss")["value"]) == history["test"]["logloss"]


def test_an_estimator_is_one_run_with_its_rounds() -> None:
    model = xgb.XGBClassifier(n_estimators=8, max_depth=2, eval_metric=["logloss", "error"])
    model.fit(X[:150], y[:150], eval_set=[(X[150:], y[150:])], verbose=False)
    (run,) = runs()
    assert (run.name, run.params["n_estimators"]) == ("XGBClassifier", 8)
    assert (
        list(run.history("validation_0-logloss")["value"])
        == (model.evals_result()["validation_0"]["logloss"])
    )
    assert run.metrics["iterations"] == 8
    assert "num_row" not in run.params
    assert run.artifact("feature_importance.csv").read_text().startswith("feature,")


def test_a_pipeline_that_ends_in_one_has_its_rounds_and_a_search_has_none() -> None:
    make_pipeline(StandardScaler(), xgb.XGBRegressor(n_estimators=3)).fit(X, y)
    GridSearchCV(xgb.XGBRegressor(n_estimators=2), {"max_depth": [1, 2]}, cv=2).fit(X, y)
    pipeline, search = runs()
    assert (pipeline.name, pipeline.metrics["iterations"]) == ("Pipeline", 3)
    assert (search.name, search.params["best.max_depth"]) == ("GridSearchCV", 2)
    assert "iterations" not in search.metrics
    assert "5 inner fits folded" in told(search)


def test_without_scikit_learns_hook_an_estimator_is_a_run_and_a_search_is_none() -> None:
    tb.autolog(only="xgboost")
    GridSearchCV(xgb.XGBRegressor(n_estimators=2), {"max_depth": [1, 2]}, cv=2).fit(X, y)
    assert runs() == []
    xgb.XGBRegressor(n_estimators=4, max_depth=3).fit(X, y)
    (run,) = runs()
    assert (run.name, run.params["max_depth"]) == ("XGBRegressor", 3)
    assert run.metrics["iterations"] == 4


def test_linear_models_and_cross_validation() -> None:
    xgb.train({"booster": "gblinear"}, TRAIN, 2)
    result = xgb.cv([*PARAMS.items()], TRAIN, 4, nfold=2)
    linear, cv = runs()
    assert "feature,weight" in linear.artifact("feature_importance.csv").read_text()
    assert (cv.name, cv.params["nfold"]) == ("xgboost.cv", 2)
    assert list(cv.history("test-logloss-mean")["value"]) == list(result["test-logloss-mean"])


def test_metrics_of_its_predictions_and_its_model_are_in_its_run() -> None:
    booster = train(4)
    other = train(5)
    y_test = y[150:]
    loss = log_loss(y_test, booster.predict(TEST))
    first, second = runs()
    assert first.metrics["test_log_loss"] == loss
    assert "test_log_loss" not in second.metrics
    kept = first.load_model("model.ubj", trust=True)
    assert kept.num_boosted_rounds() == 4
    assert other is not None


def test_a_failing_training_raises_as_without_us_and_fails_the_run() -> None:
    def objective(margin: Any, data: Any) -> Any:
        raise LookupError("no gradient today")

    with pytest.raises(LookupError, match="no gradient today") as caught:
        xgb.train(PARAMS, TRAIN, 2, obj=objective)
    assert caught.value.__context__ is None
    (run,) = runs()
    assert (run.status, run.error["type"]) == ("failed", "LookupError")
    with pytest.raises(TypeError) as without:
        xgb.train(PARAMS)  # type: ignore[call-arg]
    assert "dtrain" in str(without.value)
    train()
    assert runs()[-1].status == "finished"


def test_arguments_may_be_named() -> None:
    xgb.train(dtrain=TRAIN, params={"eta": 0.1}, num_boost_round=2)
    assert runs()[0].params["num_boost_round"] == 2


def test_off_restores_the_very_functions() -> None:
    assert xgb.train is not xgb.training.train  # a wrapper each
    tb.autolog(False)
    assert xgb.train is xgb.training.train is xgb.sklearn.train
    assert xgb.train.__module__ == "xgboost.training"
    train()
    assert runs() == []


def test_a_tracked_cell_trained_again_is_the_next_attempt(ip: InteractiveShell) -> None:
    ip.user_ns.update(xgb=xgb, TRAIN=TRAIN, tb=tb)
    ip.run_cell("tb.autolog()").raise_error()
    cell = (
        "%%track trees\neta = 0.2\nmodel = xgb.train({'eta': eta}, TRAIN, 3, evals=[(TRAIN, 't')])"
    )
    for _ in range(2):
        ip.run_cell(cell).raise_error()
    first, second = runs()
    assert (first.number, second.number) == (1, 2)
    assert second.params["eta"] == 0.2
    assert second.summary["t-rmse"]["count"] == 3
