"""Runs that MLflow wrote, against what MLflow's own client reads of them."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from takeover import contents, imported, runs_of, truth_of

from trackbook.importing.mlflow_words import typed
from trackbook.jsonable import loads
from trackbook.store import Store

STATUS = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "interrupted", "RUNNING": "lost"}
SCHEMA = loads((Path(__file__).parents[2] / "docs" / "run.schema.json").read_bytes())


def test_every_run_comes_over_as_mlflow_reads_it(mlflow: Path, store: Store) -> None:
    truth = truth_of(mlflow)
    assert len(imported(store, str(mlflow))["imported"]) == len(truth) == 9
    found = runs_of(store)
    for told in truth:
        run = found[told["name"]]
        assert run["imported"]["id"] == told["id"]
        assert run["experiment"] == told["experiment"]
        assert run["status"] == STATUS[told["status"]]
        assert run["started"] == told["started"] / 1000
        if told["ended"]:
            assert run["ended"] == told["ended"] / 1000
        assert bool(run.get("deleted")) == (told["stage"] == "deleted")
        shown = {key: value for key, value in told["params"].items() if key != "api_key"}
        assert {key: str(run["params"][key]) for key in shown} == shown


def exact(value: float) -> str:
    # The database holds infinities as the largest float, which MLflow's client leaves so.
    return str(math.copysign(math.inf, value)) if abs(value) > 1.79e308 else str(value)


def test_every_point_comes_over_with_its_step_and_time(mlflow: Path, store: Store) -> None:
    imported(store, str(mlflow))
    found = runs_of(store)
    for told in truth_of(mlflow):
        points = store.points(found[told["name"]]["id"])
        assert points.keys() == told["metrics"].keys()
        for key, history in told["metrics"].items():
            ours = zip(*(column.tolist() for column in points[key]), strict=True)
            theirs = [(step, time / 1000, exact(float(value))) for step, time, value in history]
            assert sorted((s, t, exact(v)) for s, t, v in ours) == sorted(theirs)


def test_points_keep_the_order_in_which_they_were_logged(mlflow: Path, store: Store) -> None:
    imported(store, str(mlflow))
    loss = store.points(runs_of(store)["parent"]["id"], ["loss"])["loss"]
    assert loss.step.tolist() == [0, 1, 2, 3, 4, 2, -3]
    many = store.points(runs_of(store)["many"]["id"])["x"]
    assert many.value.tolist() == [i * 0.5 for i in range(1000)]


def test_params_are_typed_where_nothing_is_lost(mlflow: Path, store: Store) -> None:
    imported(store, str(mlflow))
    params = runs_of(store)["parent"]["params"]
    assert params == {
        "lr": 0.1,
        "n": 300,
        "flag": True,
        "none": None,
        "name": "rf",
        "small": 1e-05,
        "zeros": "007",
        "sci": "1e5",
        "long": 2**70,
        "opt": "{'a': 1}",
        "deep/x": 1,
        "api_key": "<redacted:api_key>",
        "tol": math.inf,
    }
    assert type(params["flag"]) is bool
    assert type(params["n"]) is int


@pytest.mark.parametrize(
    "text", ["1_000", " 1", "1.10", "+1", "0x10", "٣", "true", "-0", "9" * 400]
)
def test_a_text_that_only_resembles_a_number_stays_text(text: str) -> None:
    assert typed(text) == text


def test_what_mlflow_keeps_in_tags_finds_its_place(mlflow: Path, store: Store) -> None:
    imported(store, str(mlflow))
    run = runs_of(store)["parent"]
    assert run["note"] == "a **note**"
    assert run["tags"] == {"team": "green", "bare": ""}
    assert run["git"]["commit"] == "ab" * 20
    assert run["git"]["remote"] == "https://<redacted:url-credentials>@example.org/x.git"
    assert run["notebook"]["path"].endswith("write_mlflow.py")
    assert run["user"]
    assert run["inputs"][0]["name"] == "four"
    assert run["inputs"][0]["hash"]
    assert any(entry["state"] == "redacted" for entry in run["capture"])


def test_a_child_knows_its_parent(mlflow: Path, store: Store) -> None:
    imported(store, str(mlflow))
    found = runs_of(store)
    assert found["child"]["parent"] == found["parent"]["id"]
    assert found["child"]["kind"] == "child"
    assert found["parent"]["parent"] is None


def test_artifacts_and_models_come_over(mlflow: Path, store: Store) -> None:
    imported(store, str(mlflow))
    found = runs_of(store)
    files = contents(store, found["parent"])
    assert files["notes/a.txt"] == b"hello"
    assert loads(files["d.json"]) == {"a": 1}
    assert contents(store, found["modelled"]) == {"models/forest/model.bin": bytes(3000)}


def test_a_store_that_was_moved_has_its_artifacts_still(
    written: dict[str, Path], tmp_path: Path, store: Store
) -> None:
    for kind in ("mlflow-files", "mlflow-database"):
        copy = shutil.copytree(written[kind].parent, tmp_path / kind)
        imported(store, str(copy / written[kind].name))
        runs = [d for d in store.find() if d["imported"]["path"].startswith(str(copy))]
        (parent,) = (d for d in runs if d["name"] == "parent")
        (modelled,) = (d for d in runs if d["name"] == "modelled")
        assert contents(store, parent)["notes/a.txt"] == b"hello"
        assert contents(store, modelled)["models/forest/model.bin"] == bytes(3000)


def test_artifacts_elsewhere_are_named_and_taken_when_told_where(
    written: dict[str, Path], tmp_path: Path, store: Store
) -> None:
    alone = tmp_path / "alone" / "mlflow.db"
    alone.parent.mkdir()
    shutil.copy(written["mlflow-database"], alone)
    assert imported(store, str(alone))["gaps"] > 0
    parent = runs_of(store)["parent"]
    assert contents(store, parent) == {}
    (gap,) = (entry for entry in parent["capture"] if entry["state"] == "skipped")
    assert "--artifacts" in gap["reason"]
    told = imported(store, str(alone), "--artifacts", str(written["mlflow-database"].parent))
    assert parent["id"] in told["updated"]
    assert contents(store, runs_of(store)["parent"])["notes/a.txt"] == b"hello"


def test_the_documents_fit_the_schema(mlflow: Path, store: Store) -> None:
    imported(store, str(mlflow))
    assert store.path
    for file in store.path.glob("runs/*/*/run.json"):
        jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(file.read_bytes()))


def test_mlflow_itself_is_never_loaded(mlflow: Path, store: Store) -> None:
    code = "import sys; from trackbook.cli import trackbook\n"
    code += "trackbook(sys.argv[1:], standalone_mode=False)\n"
    code += "print([m for m in ('mlflow', 'sqlalchemy', 'pandas') if m in sys.modules])"
    command = [sys.executable, "-c", code, "import", str(mlflow), "--store", str(store.path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"
