"""Runs that Sacred wrote."""

from __future__ import annotations

import json
import math
from pathlib import Path

from takeover import contents, imported, whole

from trackbook.model import Document
from trackbook.store import LocalStore, Store


def by_how(store: Store) -> dict[str, Document]:
    return {str(d["params"]["how"]): d for d in store.find()}


def test_every_run_comes_over_with_what_became_of_it(sacred: Path, store: Store) -> None:
    assert len(imported(store, str(sacred))["imported"]) == 4
    found = by_how(store)
    assert {how: run["status"] for how, run in found.items()} == {
        "well": "finished",
        "badly": "failed",
        "impatiently": "interrupted",
        "not at all": "lost",
    }
    assert found["impatiently"]["tags"] == {"sacred.status": "IMPATIENT"}
    numbers = [found[how]["number"] for how in ("well", "badly", "impatiently", "not at all")]
    assert numbers == [1, 2, 3, 4]
    assert whole(store)


def test_a_run_has_what_sacred_knew_of_it(sacred: Path, store: Store) -> None:
    imported(store, str(sacred))
    run = by_how(store)["well"]
    assert (run["name"], run["experiment"], run["note"]) == ("iris_rbf", "iris_rbf", "a note")
    assert {k: run["params"][k] for k in ("C", "layers", "optimiser", "nothing", "grid")} == {
        "C": 1.0,
        "layers": [1, 2],
        "optimiser": {"lr": 0.1, "name": "adam"},
        "nothing": None,
        "grid": [0, 1, 2],
    }
    assert run["params"]["big"] == 2**70
    assert run["params"]["api_key"] == "<redacted:api_key>"
    assert run["host"]
    assert run["env"]["packages"]["sacred"]
    assert run["env"]["command"] == "train"
    assert 0 < run["ended"] - run["started"] < 60


def test_points_come_over_with_step_and_time(written: dict[str, Path], store: Store) -> None:
    source = written["sacred-files"]
    imported(store, str(source))
    run = by_how(store)["well"]
    points = store.points(run["id"])
    assert points["loss"].step.tolist() == [0, 1, 2, 3, 4]
    assert points["loss"].value.tolist()[:2] == [1.0, 0.5]
    assert points["odd"].step.tolist() == [0, 2, 4, 6, 8]
    assert all(map(math.isnan, points["odd"].value.tolist()))
    assert all(run["started"] <= t <= run["ended"] for t in points["loss"].time.tolist())
    assert points["result.acc"].value.tolist() == [0.9]
    assert run["summary"]["loss"]["count"] == 5


def test_the_tinydb_observer_keeps_no_metrics_but_results(
    written: dict[str, Path], store: Store
) -> None:
    imported(store, str(written["sacred-tinydb"]))
    assert store.points(by_how(store)["well"]["id"]).keys() == {"result.acc"}


def test_a_failure_comes_with_its_error_and_without_its_secret(sacred: Path, store: Store) -> None:
    imported(store, str(sacred))
    error = by_how(store)["badly"]["error"]
    assert error["type"] == "ValueError"
    assert error["message"].startswith("C is bad")
    assert "Traceback" in error["traceback"]
    assert "hunter22" not in json.dumps(error)


def test_files_sources_and_console_text_come_over(sacred: Path, store: Store) -> None:
    imported(store, str(sacred))
    run = by_how(store)["well"]
    files = contents(store, run)
    assert files["model.txt"] == b"weights"
    assert files["resources/data.csv"] == b"a,b\n1,2\n"
    assert json.loads(files["info.json"]) == {"rows": [1, 2, 3]}
    source = files["sources/write_sacred.py"].decode()
    assert "def train(" in source
    assert "hunter22" not in source
    assert "0123456789" not in source
    assert "hello from the run" in store.logs(run["id"])


def test_both_observers_of_a_run_give_one_run(written: dict[str, Path], store: Store) -> None:
    imported(store, str(written["sacred-tinydb"]))
    done = imported(store, str(written["sacred-files"]))
    assert len(done["updated"]) == 4
    assert store.count() == 4
    # The other one knows less, and takes nothing away.
    done = imported(store, str(written["sacred-tinydb"]))
    assert len(done["present"]) == 4
    assert isinstance(store, LocalStore)
    assert store.points(by_how(store)["well"]["id"])["loss"].value.size == 5
    assert whole(store)


def test_a_run_that_was_only_queued_is_told(tmp_path: Path, store: Store) -> None:
    (tmp_path / "runs" / "1").mkdir(parents=True)
    entry = {"experiment": {"name": "x"}, "status": "QUEUED", "command": "main"}
    (tmp_path / "runs" / "1" / "run.json").write_text(json.dumps(entry))
    from takeover import call

    result = call(store, str(tmp_path / "runs"))
    assert result.exit_code == 1
    assert "was queued and never started" in result.stderr
