"""A study of Optuna is one run; its trials are rows of a table, and what they fit is in them."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
import pytest
from sklearn.datasets import make_classification
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier
from tracked import runs, told

import trackbook as tb
from trackbook.jsonable import loads

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

X, y = make_classification(120, n_features=5, random_state=0)
optuna.logging.set_verbosity(optuna.logging.WARNING)


def rows(run: Any) -> Any:
    return loads(run.artifact("trials.json").read_bytes())


def objective(trial: Any) -> float:
    depth = trial.suggest_int("max_depth", 1, 6)
    leaf = trial.suggest_float("min_fraction", 0.01, 0.3, log=True)
    tree = DecisionTreeClassifier(max_depth=depth, min_samples_leaf=leaf, random_state=0)
    tree.fit(X, y)
    return float(cross_val_score(tree, X, y, cv=2).mean())


def study(**more: Any) -> Any:
    return optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=1), **more
    )


def test_a_study_is_one_run_with_its_trials_and_the_best() -> None:
    made = study(study_name="depths")
    made.optimize(objective, n_trials=12)
    (run,) = runs()
    assert (run.name, run.status) == ("depths", "finished")
    given = {"n_trials": 12, "direction": "maximize", "sampler": "TPESampler"}
    best = {f"best.{key}": value for key, value in made.best_params.items()}
    assert run.params == {
        **given,
        **best,
        "pruner": "MedianPruner",
        "best_trial": made.best_trial.number,
    }
    assert list(run.history("value")["value"]) == [trial.value for trial in made.trials]
    curve = np.maximum.accumulate([trial.value for trial in made.trials])
    assert list(run.history("best_value")["value"]) == list(curve)
    assert [row["params"] for row in rows(run)] == [trial.params for trial in made.trials]
    assert {row["state"] for row in rows(run)} == {"complete"}
    assert all(row["seconds"] > 0 for row in rows(run))
    assert "36 inner fits folded into depths" in told(run)


def test_trials_are_as_without_us() -> None:
    def work() -> list[Any]:
        seen: list[int] = []

        def after(_: Any, trial: Any) -> None:
            seen.append(trial.number)

        made = study()
        made.optimize(objective, 8, None, 1, (), [after])
        assert seen == list(range(8))
        return [(trial.params, trial.value) for trial in made.trials]

    with_us = work()
    assert [run.name for run in runs()] == ["optuna"]
    tb.autolog(False)
    assert work() == with_us
    assert len(runs()) == 1


def test_trials_in_threads_fold_their_fits_too() -> None:
    study().optimize(objective, n_trials=6, n_jobs=2)
    (run,) = runs()
    assert (len(rows(run)), run.params["n_jobs"]) == (6, 2)
    assert run.summary["value"]["count"] == 6


def test_pruned_and_failed_trials_are_rows() -> None:
    def odd(trial: Any) -> float:
        x = trial.suggest_float("x", 0, 1)
        trial.report(x, step=4)
        if trial.number == 1:
            raise optuna.TrialPruned
        if trial.number == 2:
            raise LookupError("not today")
        return float(x)

    made = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    with pytest.raises(LookupError, match="not today") as caught:
        made.optimize(odd, n_trials=5)
    assert caught.value.__context__ is None
    (run,) = runs()
    assert (run.status, run.error["type"]) == ("failed", "LookupError")
    assert [row["state"] for row in rows(run)] == ["complete", "pruned", "fail"]
    assert rows(run)[1]["last_step"] == 4
    made.optimize(odd, n_trials=2, catch=LookupError)
    assert [row["number"] for row in rows(runs()[-1])] == [0, 1, 2, 3, 4]


def test_several_objectives_have_a_metric_each() -> None:
    made = optuna.create_study(directions=["minimize", "maximize"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # experimental
        made.set_metric_names(["loss", "speed"])
    made.optimize(lambda trial: (trial.suggest_float("x", 0, 1), 2.0), n_trials=3)
    (run,) = runs()
    assert run.params["direction"] == ["minimize", "maximize"]
    assert (run.summary["loss"]["count"], run.metrics["speed"]) == (3, 2.0)
    assert "best_value" not in run.metrics


def test_what_a_trial_logs_and_the_runs_it_opens_are_the_users() -> None:
    def own(trial: Any) -> float:
        x = trial.suggest_float("x", 0, 1)
        tb.log_metric("mine", x)
        with tb.start_run(f"trial-{trial.number}"):
            tb.log_param("x", x)
        return float(x)

    with tb.start_run("hunt"):
        study().optimize(own, n_trials=3)
    parent, *children = runs()
    assert (parent.name, parent.summary["mine"]["count"]) == ("hunt", 3)
    assert [child.name for child in children] == ["trial-0", "trial-1", "trial-2"]
    assert {child.parent.id for child in children} == {parent.id}


def test_in_a_script_what_a_trial_logs_is_in_the_run_of_the_study(tmp_path: Path) -> None:
    script = f"""
import optuna, trackbook as tb
tb.set_store({str(tmp_path / "store")!r})
tb.autolog()
optuna.logging.set_verbosity(optuna.logging.WARNING)

def objective(trial):
    x = trial.suggest_float("x", 0, 1)
    tb.log_metric("mine", x)
    return x

optuna.create_study().optimize(objective, n_trials=3)
optuna.create_study().optimize(objective, n_trials=2)
print([(run.name, run.status, run.summary["mine"]["count"]) for run in tb.runs(sort="started")])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    expected = [("optuna", "finished", 3), ("optuna", "finished", 2)]
    assert done.stdout.strip() == str(expected), done.stderr


def test_torch_loops_in_trials_fold_also_in_threads() -> None:
    torch = pytest.importorskip("torch")

    def learn(trial: Any) -> float:
        x = torch.linspace(-1, 1, 8).unsqueeze(1)
        model = torch.nn.Linear(1, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=trial.suggest_float("lr", 0.1, 0.5))
        for _ in range(5):
            optimizer.zero_grad()
            loss = ((model(x) - 2 * x) ** 2).mean()
            loss.backward()
            optimizer.step()
        return loss.item()

    study().optimize(learn, n_trials=4, n_jobs=2)
    study().optimize(learn, n_trials=2)
    assert [(run.name, run.parent) for run in runs()] == [("optuna", None)] * 2
    assert not [key for run in runs() for key in run.metrics if "loss" in key]


def test_trials_become_runs_on_demand() -> None:
    made = study()
    made.optimize(objective, n_trials=4)
    run = runs()[0]
    assert list(run.candidates()["params.max_depth"]) == [
        t.params["max_depth"] for t in made.trials
    ]
    (trial,) = run.promote(2)
    assert trial.params == made.trials[2].params
    assert trial.metrics["value"] == made.trials[2].value
    assert trial.parent.id == run.id


def test_off_restores_the_very_method() -> None:
    tb.autolog(False)
    before = vars(optuna.Study)["optimize"]
    tb.autolog()
    assert vars(optuna.Study)["optimize"] is not before
    tb.autolog(False)
    assert vars(optuna.Study)["optimize"] is before
    study().optimize(objective, n_trials=1)
    assert runs() == []


def test_a_tracked_cell_run_again_is_the_next_attempt(ip: InteractiveShell) -> None:
    ip.user_ns.update(study=study, objective=objective, tb=tb)
    ip.run_cell("tb.autolog()").raise_error()
    for _ in range(2):
        ip.run_cell("%%track hunt\ns = study(); s.optimize(objective, n_trials=3)").raise_error()
    first, second = runs()
    assert (first.number, second.number) == (1, 2)
    assert len(rows(second)) == 3
