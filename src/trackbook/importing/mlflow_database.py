"""Runs in an MLflow SQLite file, read with the standard library and never written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..store.whole import Point
from . import foreign, mlflow_places, mlflow_words
from .origin import Content, Listed, digest, moment, moment_or_none

HEAD = b"SQLite format 3\0"
_NEEDED = {"runs", "experiments", "params", "metrics", "tags"}
_LONGEST = 1 << 24
_MOST_ROWS = 100_000
_RUN = """
    SELECT r.name, r.status, r.start_time, r.end_time, r.user_id, r.lifecycle_stage, r.artifact_uri,
           r.experiment_id, e.name, e.lifecycle_stage
    FROM runs r LEFT JOIN experiments e ON e.experiment_id = r.experiment_id WHERE r.run_uuid = ?
"""
_INPUTS = """
    SELECT d.name, d.digest FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id
    WHERE i.source_type = 'DATASET' AND i.destination_id = ? ORDER BY d.name
"""
_MODELS = "SELECT name, model_id, artifact_location FROM logged_models WHERE source_run_id = ?"


class MlflowDatabase:
    """See ``origin.Source``. Artifacts are looked for beside the file and in ``artifacts``."""

    tool = "mlflow"
    title = mlflow_words.TITLE

    def __init__(self, path: Path, artifacts: Sequence[Path] = ()) -> None:
        self.path = path
        self._roots = [path.parent, *artifacts]
        self._db = _opened(path)
        self._tables = {
            name
            for name, sql in self._rows("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
            # A virtual table is a program of somebody else's choice.
            if not str(sql).upper().startswith("CREATE VIRTUAL")
        }
        if missing := _NEEDED - self._tables:
            raise StoreError(f"{path} is an SQLite file, but has no table {min(missing)} of MLflow")

    def _rows(self, sql: str, *values: Any, most: int = _MOST_ROWS) -> list[tuple[Any, ...]]:
        try:
            rows = self._db.execute(sql, values).fetchmany(most + 1)
        except sqlite3.Error as problem:
            raise StoreError(f"{self.path} cannot be read: {problem}") from problem
        if len(rows) > most:
            raise StoreError(f"{self.path} has more than {most} rows where few belong")
        return rows

    def look(self) -> tuple[list[Listed], list[str]]:
        """The runs of all experiments, the deleted too."""
        runs, problems = [], []
        sql = "SELECT run_uuid, start_time FROM runs"
        for run_id, started in self._rows(sql, most=10_000_000):
            try:
                if not isinstance(run_id, str) or not run_id:
                    raise StoreError(f"a run has the id {run_id!r:.40}")
                runs.append(
                    Listed(run_id, moment(_seconds(started), f"run {run_id:.40}: start_time"))
                )
            except StoreError as problem:
                problems.append(str(problem))
        return runs, problems

    def state(self, run: Listed) -> str:
        """By all rows but the points, which are only counted, and the sizes of its files."""
        points = self._rows("SELECT count(*), max(rowid) FROM metrics WHERE run_uuid = ?", run.id)
        facts = [self._rows(_RUN, run.id), self._texts("params", run), self._texts("tags", run)]
        files = Content("", "", "", 0)
        self._take_files(files, run)
        sizes = [
            [kept.name, kept.path.stat().st_size, kept.path.stat().st_mtime_ns]
            for kept in files.files
            if kept.path
        ]
        return digest([repr(facts), repr(points), sizes, repr(self._inputs(run))])

    def read(self, run: Listed) -> Content:
        """The whole run."""
        (row,) = self._rows(_RUN, run.id, most=1)
        name, status, _, ended, user, stage, _, experiment_id, experiment, above = row
        content = Content(
            name=foreign.word(name),
            experiment=foreign.word(experiment) or str(experiment_id),
            status=mlflow_words.STATES.get(foreign.word(status), "running"),
            started=run.started,
            ended=moment_or_none(_seconds(ended)),
            user=foreign.word(user),
            deleted="deleted" in (stage, above),
        )
        params, tags = self._texts("params", run), self._texts("tags", run)
        mlflow_words.translate(content, params, tags)
        content.inputs = self._inputs(run)
        content.points = self._points(run, content.gaps)
        self._take_files(content, run)
        return content

    def _texts(self, table: str, run: Listed) -> dict[str, str]:
        rows = self._rows(f'SELECT "key", value FROM {table} WHERE run_uuid = ?', run.id)
        return {
            str(key): "" if value is None else str(value) for key, value in sorted(rows, key=repr)
        }

    def _inputs(self, run: Listed) -> list[dict[str, Any]]:
        if not {"inputs", "datasets"} <= self._tables:
            return []
        rows = self._rows(_INPUTS, run.id)
        return [{"name": str(name), "hash": str(own), "sampled": False} for name, own in rows]

    def _points(self, run: Listed, gaps: dict[str, str]) -> Iterator[Point]:
        """Every point in the order in which MLflow wrote them."""
        sql = 'SELECT "key", step, timestamp, value, is_nan FROM metrics WHERE run_uuid = ?'
        damaged = 0
        try:
            for key, step, time, value, is_nan in self._db.execute(
                f"{sql} ORDER BY rowid", [run.id]
            ):
                if type(step) is type(time) is int and type(value) in (int, float):
                    yield str(key), step, time / 1000, mlflow_words.value_of(float(value), is_nan)
                else:
                    damaged += 1
        except sqlite3.Error as problem:
            raise StoreError(f"{self.path} cannot be read: {problem}") from problem
        if damaged:
            gaps["metrics"] = f"{damaged} rows are damaged"

    def _take_files(self, content: Content, run: Listed) -> None:
        for (uri,) in self._rows("SELECT artifact_uri FROM runs WHERE run_uuid = ?", run.id):
            mlflow_places.collect(content, self._roots, foreign.word(uri), run.id)
        if "logged_models" in self._tables:
            for name, model, uri in self._rows(_MODELS, run.id):
                prefix = f"models/{name or model}/"
                mlflow_places.collect(content, self._roots, foreign.word(uri), str(model), prefix)


def _opened(path: Path) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        # Long before any of its rows is believed: no functions of its schema, no endless values.
        db.execute("PRAGMA trusted_schema = OFF")
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
        db.text_factory = lambda data: data.decode("utf-8", "replace")
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as problem:
        raise StoreError(f"{path} cannot be read as SQLite: {problem}") from problem
    return db


def _seconds(milliseconds: Any) -> Any:
    return milliseconds / 1000 if isinstance(milliseconds, int | float) else milliseconds
