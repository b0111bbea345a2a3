"""An MLflow store is data from anywhere: nothing outside it is read, nothing in it is run."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from takeover import SECRET, call, contents, imported, nothing_leaked, runs_of

from trackbook.importing import yamlmeta
from trackbook.store import Store

# -- MLflow's files --------------------------------------------------------------------------------


def mlruns(folder: Path, run_id: str = "a" * 32, meta: str = "") -> Path:
    """A folder as MLflow writes it, with one run; returns that of the run."""
    run = folder / "mlruns" / "0" / run_id
    for part in ("params", "metrics", "tags", "artifacts"):
        (run / part).mkdir(parents=True)
    (run.parent / "meta.yaml").write_text("experiment_id: '0'\nname: Default\n")
    plain = f"run_id: {run_id}\nrun_name: x\nstart_time: 1700000000000\nstatus: 3\n"
    (run / "meta.yaml").write_text(plain + meta)
    return run


def test_no_link_is_followed(tmp_path: Path, outside: Path, store: Store) -> None:
    run = mlruns(tmp_path)
    (run / "artifacts" / "key").symlink_to(outside / "key")
    (run / "artifacts" / "folder").symlink_to(outside)
    (run / "params" / "p").symlink_to(outside / "key")
    (run / "tags" / "t").symlink_to(outside / "key")
    (run / "metrics" / "m").symlink_to(outside / "key")
    assert imported(store, str(tmp_path / "mlruns"))["gaps"] == 2
    document = runs_of(store)["x"]
    assert document["params"] == document["tags"] == document["summary"] == {}
    nothing_leaked(store)


@pytest.mark.parametrize("part", ["artifacts", "params", "metrics", "tags"])
def test_a_folder_that_is_a_link_is_empty(
    part: str, tmp_path: Path, outside: Path, store: Store
) -> None:
    run = mlruns(tmp_path)
    (run / part).rmdir()
    (run / part).symlink_to(outside)
    imported(store, str(tmp_path / "mlruns"))
    document = runs_of(store)["x"]
    assert document["params"] == document["tags"] == document["summary"] == {}
    nothing_leaked(store)


def addresses(outside: Path) -> list[str]:
    return [
        str(outside),
        outside.as_uri(),
        f"file://host{outside}",
        "../../../private",
        f"{outside}/../private",
        "mlflow-artifacts:/../../private",
        f"s3:/{outside}",
        "\0",
        "file://",
        "",
    ]


@pytest.mark.parametrize("number", range(10))
def test_an_address_leads_nowhere_else(
    number: int, tmp_path: Path, outside: Path, store: Store
) -> None:
    uri = addresses(outside)[number]
    run = mlruns(tmp_path, meta=f"artifact_uri: {json.dumps(uri)}\n")
    assert run.is_dir()
    imported(store, str(tmp_path / "mlruns"))
    assert contents(store, runs_of(store)["x"]) == {}
    nothing_leaked(store)


def test_a_model_that_is_said_to_be_elsewhere_is_not(
    tmp_path: Path, outside: Path, store: Store
) -> None:
    run = mlruns(tmp_path)
    model = run.parent / "models" / "m-1"
    model.mkdir(parents=True)
    (model / "meta.yaml").write_text(
        f"name: ../../up\nsource_run_id: {run.name}\nartifact_location: {outside}\n"
    )
    (model / "artifacts").symlink_to(outside)
    imported(store, str(tmp_path / "mlruns"))
    nothing_leaked(store)


def test_a_data_set_is_looked_for_in_the_experiment_alone(
    tmp_path: Path, outside: Path, store: Store
) -> None:
    run = mlruns(tmp_path)
    (run / "inputs" / "i").mkdir(parents=True)
    (outside / "meta.yaml").write_text("name: leaked\ndigest: x\n")
    (run / "inputs" / "i" / "meta.yaml").write_text(f"source_id: ../../../../{outside.name}\n")
    imported(store, str(tmp_path / "mlruns"))
    assert runs_of(store)["x"]["inputs"] == []


METAS = {
    "truncated": b"run_id: 'aaa",
    "empty": b"",
    "a list": b"- run_id",
    "binary": bytes(range(256)),
    "huge": b"x: y\n" * 200_000,
    "deep": b"[" * 100_000,
    "deep blocks": b"".join(b" " * i + b"a:\n" for i in range(500)),
    "another id": b"run_id: ../../up\nstart_time: 1\n",
    "no time": b"run_id: " + b"a" * 32 + b"\n",
    "a time beyond all": b"run_id: " + b"a" * 32 + b"\nstart_time: 99999999999999999999\n",
    "a time of words": b"run_id: " + b"a" * 32 + b"\nstart_time: !!python/object:os.system x\n",
}


@pytest.mark.parametrize("kind", METAS)
def test_a_meta_file_that_cannot_be_read_is_one_line(
    kind: str, tmp_path: Path, store: Store
) -> None:
    run = mlruns(tmp_path)
    (run / "meta.yaml").write_bytes(METAS[kind])
    result = call(store, str(tmp_path / "mlruns"))
    assert result.exit_code == 1
    assert "1 run could not be read" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 2
    assert store.find() == []


def test_yaml_is_only_read_never_constructed(tmp_path: Path) -> None:
    path = tmp_path / "meta.yaml"
    marker = tmp_path / "ran"
    path.write_text(
        f"a: !!python/object/apply:os.system ['touch {marker}']\n"
        "b: &x [1, 2]\nc: *x\nd: 'null'\ne: null\nf:\ng: 2020-01-01\n? [k]\n: v\nh: last\n"
    )
    assert yamlmeta.read(path) == {
        "d": "null",
        "e": None,
        "f": None,
        "g": "2020-01-01",
        "h": "last",
    }
    assert not marker.exists()


def test_an_alias_bomb_costs_nothing(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}]" for i in range(1, 60)]
    (tmp_path / "meta.yaml").write_text("\n".join([*lines, "z: 1"]))
    assert yamlmeta.read(tmp_path / "meta.yaml") == {"z": "1"}


def test_odd_files_of_a_run_spoil_nothing(tmp_path: Path, store: Store) -> None:
    run = mlruns(tmp_path)
    (run / "metrics" / "loss").write_bytes(
        b"1 0.5 0\nx\n1 2\n1 0.25 99999999999999999999\n\xff\xfe\n1e5 1 1\n"
        + b"9" * 5000
        + b" 1 1\n1 0.125 7 dataset abc\n\n"
    )
    (run / "params" / "\udcff".encode("utf-8", "surrogateescape").decode("latin-1")).write_text("1")
    os.mkfifo(run / "artifacts" / "pipe")
    (run / "artifacts" / "line\nbreak").write_text("x")
    (run / "params" / "big").write_text("x" * 200_000)
    imported(store, str(tmp_path / "mlruns"))
    document = runs_of(store)["x"]
    points = store.points(document["id"])["loss"]
    assert list(zip(points.step.tolist(), points.value.tolist(), strict=True)) == [
        (0, 0.5),
        (0, 2.0),
        (7, 0.125),
    ]
    reasons = {entry["what"]: entry["reason"] for entry in document["capture"]}
    assert reasons["metric loss"].startswith("5 lines")
    assert "not followed" in reasons["artifact pipe"]
    assert len(document["params"]["big"]) == 200_000
    assert contents(store, document) == {"line\nbreak": b"x"}


def test_a_value_beyond_any_size_makes_the_run_unreadable(tmp_path: Path, store: Store) -> None:
    run = mlruns(tmp_path)
    with (run / "tags" / "endless").open("wb") as file:
        file.truncate(1 << 40)
    result = call(store, str(tmp_path / "mlruns"))
    assert result.exit_code == 1
    assert "larger than" in result.stderr
    assert store.find() == []


# -- MLflow's database -----------------------------------------------------------------------------


@pytest.fixture
def database(written: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of what MLflow wrote, alone in a folder."""
    (tmp_path / "db").mkdir()
    return Path(shutil.copy(written["mlflow-database"], tmp_path / "db" / "mlflow.db"))


def change(database: Path, *statements: str) -> None:
    db = sqlite3.connect(database)
    db.execute("PRAGMA writable_schema = ON")
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


@pytest.mark.parametrize("number", range(10))
def test_a_databases_addresses_lead_nowhere_else(
    number: int, database: Path, outside: Path, store: Store
) -> None:
    uri = addresses(outside)[number].replace("\0", "")
    change(
        database,
        f"UPDATE runs SET artifact_uri = '{uri}'",
        f"UPDATE logged_models SET artifact_location = '{uri}'",
    )
    imported(store, str(database))
    assert [d["name"] for d in store.find() if contents(store, d)] == []
    nothing_leaked(store)


def test_an_id_is_no_way_out(database: Path, outside: Path, store: Store) -> None:
    change(
        database,
        f"UPDATE runs SET run_uuid = '..', artifact_uri = '{outside}/../private' "
        "WHERE name = 'killed'",
        f"UPDATE runs SET run_uuid = '{outside.name}', artifact_uri = '../{outside.name}' "
        "WHERE name = 'failed'",
    )
    imported(store, str(database))
    nothing_leaked(store)


def test_a_link_in_place_of_the_artifacts_is_not_followed(
    database: Path, outside: Path, store: Store
) -> None:
    imported(store, str(database), "--dry-run")
    (database.parent / "mlruns").symlink_to(outside)
    db = sqlite3.connect(database)
    rows = db.execute("SELECT experiment_id, run_uuid FROM runs").fetchall()
    for experiment, run_id in rows:
        (outside / str(experiment) / run_id / "artifacts").mkdir(parents=True)
        (outside / str(experiment) / run_id / "artifacts" / "key").write_bytes(SECRET)
    db.close()
    imported(store, str(database))
    nothing_leaked(store)


SCHEMAS = {
    "a view that never ends": (
        "DROP TABLE params",
        "CREATE VIEW params AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT i AS key, i AS value, i AS run_uuid FROM n",
    ),
    "a virtual table": ("DROP TABLE tags", "CREATE VIRTUAL TABLE tags USING fts5(key, value)"),
    "another program's": ("DROP TABLE metrics",),
    "a column less": ("ALTER TABLE runs DROP COLUMN name",),
}


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_database_of_another_make_is_refused_in_one_line(
    kind: str, database: Path, store: Store
) -> None:
    change(database, *SCHEMAS[kind])
    result = call(store, str(database))
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert store.find() == []


def test_cells_of_any_type_spoil_only_themselves(database: Path, store: Store) -> None:
    change(
        database,
        "DROP INDEX IF EXISTS x",
        "UPDATE runs SET start_time = 'soon' WHERE name = 'killed'",
        "UPDATE runs SET end_time = 'late', user_id = x'ff00' WHERE name = 'failed'",
        "UPDATE metrics SET value = 'much' WHERE key = 'm'",
    )
    result = call(store, str(database))
    assert result.exit_code == 1
    assert result.stderr.count("start_time") == 1
    found = runs_of(store)
    assert "killed" not in found
    assert found["failed"]["ended"] is None
    assert found["child"]["summary"] == {}
    assert found["child"]["capture"][0]["reason"] == "1 rows are damaged"


@pytest.mark.parametrize("where", [20, 4096, 20_000, 60_000])
def test_a_damaged_database_is_an_error_of_ours(where: int, database: Path, store: Store) -> None:
    data = bytearray(database.read_bytes())
    data[where : where + 3000] = os.urandom(3000)
    database.write_bytes(data[: len(data) - 5000])
    result = call(store, str(database))
    assert isinstance(result.exception, SystemExit | None)
    assert "Traceback" not in result.output


def test_the_database_is_only_read(database: Path, store: Store) -> None:
    database.chmod(0o444)
    database.parent.chmod(0o555)
    before = database.read_bytes(), sorted(database.parent.iterdir())
    try:
        imported(store, str(database))
        assert (database.read_bytes(), sorted(database.parent.iterdir())) == before
    finally:
        database.parent.chmod(0o755)
