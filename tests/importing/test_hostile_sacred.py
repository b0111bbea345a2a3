"""A store of Sacred's is data from anywhere: nothing outside it is read, nothing in it is run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from takeover import call, contents, imported, nothing_leaked, runs_of, whole

from trackbook.store import Store, open_store


def run_json(folder: Path, **fields: Any) -> Path:
    entry = {
        "experiment": {"name": "x", "sources": [], "repositories": []},
        "status": "COMPLETED",
        "start_time": "2026-01-01T00:00:00",
        "artifacts": [],
        "resources": [],
        **fields,
    }
    (folder / "runs" / "1").mkdir(parents=True, exist_ok=True)
    (folder / "runs" / "1" / "run.json").write_text(json.dumps(entry))
    return folder / "runs"


@pytest.mark.parametrize("shape", [lambda p: str(p / "key"), lambda p: "../../private/key"])
def test_sacreds_names_lead_nowhere_else(
    shape: Callable[[Path], str], tmp_path: Path, outside: Path, store: Store
) -> None:
    name = shape(outside)
    experiment = {"name": "x", "sources": [[name, name], ["a", name]]}
    root = run_json(
        tmp_path,
        artifacts=[name, "..", "", "link"],
        resources=[[name, name]],
        experiment=experiment,
    )
    (root / "1" / "link").symlink_to(outside / "key")
    (root / "1" / "cout.txt").symlink_to(outside / "key")
    assert call(store, str(root)).exit_code == 1  # the console text cannot be read
    (root / "1" / "cout.txt").unlink()
    imported(store, str(root))
    assert contents(store, runs_of(store)["x"]) == {}
    nothing_leaked(store)


def test_pickled_objects_stay_data(tmp_path: Path, store: Store) -> None:
    marker = tmp_path / "ran"
    evil = {"py/reduce": [{"py/function": "os.system"}, {"py/tuple": [f"touch {marker}"]}]}
    root = run_json(tmp_path, result=evil, info=evil)
    (root / "1" / "config.json").write_text(json.dumps({"a": evil, "deep": nested(3000)}))
    imported(store, str(root))
    assert not marker.exists()
    params = runs_of(store)["x"]["params"]
    assert params["a"]["py/reduce"][0] == {"py/function": "os.system"}
    assert isinstance(params["deep"], str)
    assert whole(store)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(min(depth, 400)):
        value = [value]
    return value


def test_a_hash_is_no_path(tmp_path: Path, outside: Path, store: Store) -> None:
    entry = {
        "experiment": {"name": "x", "sources": [["s", f"../{outside.name}/key", "{TinyFile}:"]]},
        "status": "COMPLETED",
        "start_time": "{TinyDate}:2026-01-01T00:00:00.000000",
        "artifacts": [["a", "b", "0" * 32, "x"], ["c"], [], "d", [1, 2, 3]],
    }
    folder = tmp_path / "tiny"
    (folder / "hashfs" / "00" / "00" / "00").mkdir(parents=True)
    (folder / "hashfs" / "00" / "00" / "00" / ("0" * 26)).symlink_to(outside / "key")
    (folder / "metadata.json").write_text(json.dumps({"runs": {"1": entry}}))
    imported(store, str(folder))
    nothing_leaked(store)


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers(-(2**70), 2**70)
    | st.text(max_size=8)
    | st.sampled_from(["COMPLETED", "FAILED", "2026-01-01T00:00:00", "..", "9999-12-31T23:59:59"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["a", "name", "sources", "$float", "py/tuple", "py/object", "values", "os"]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
FIELDS = ("experiment", "status", "start_time", "stop_time", "artifacts", "resources", "result")
FIELDS += ("host", "meta", "fail_trace", "command")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(fields=st.dictionaries(st.sampled_from(FIELDS), ANY_JSON, max_size=5), config=ANY_JSON)
def test_any_json_gives_a_run_or_a_line(
    fields: dict[str, Any], config: Any, tmp_path: Path, store: Store
) -> None:
    folder = tmp_path / os.urandom(6).hex()
    fields.setdefault("experiment", {"name": "x"})
    fields.setdefault("status", "COMPLETED")
    root = run_json(folder, **fields)
    (root / "1" / "config.json").write_text(json.dumps({"config": config}))
    (root / "1" / "metrics.json").write_text(json.dumps({"m": config, "n": fields}))
    there = open_store(folder / "store", create=True)
    result = call(there, str(root))
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert (there.count() == 1) is (result.exit_code == 0)
    assert whole(there)
