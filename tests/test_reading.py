"""Run, Runs and Comparison over a real store."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import altair as alt
import nbformat
import pandas as pd
import pytest
import vl_convert
from runs import HOSTILE, snapshot, write

from trackbook import reading, settings
from trackbook.errors import InvalidValue, QueryError, RunNotFound, StoreError
from trackbook.reading.bundle import MIME
from trackbook.store import Store

NAN, INF = math.nan, math.inf


@pytest.fixture
def tb(store: Store) -> Iterator[reading.OpenStore]:
    settings.choose_store(store.path)
    yield reading.open_store()
    settings.choose_store(None)


# -- finding ---------------------------------------------------------------------------------------


def test_runs_come_newest_first_and_filtered(store: Store, tb: reading.OpenStore) -> None:
    ids = [write(store, metrics={"acc": [value]}) for value in (0.5, 0.75, 0.25)]
    assert {run.id for run in reading.runs()} == set(ids)
    assert [run.id for run in reading.runs("metrics.acc > 0.6")] == [ids[1]]
    assert [run.id for run in reading.runs(sort="metrics.acc", limit=1)] == [ids[2]]
    assert tb.runs()[0] == reading.get_run("latest")
    assert list(reading.search_runs("metrics.acc > 0.6")["run_id"]) == [ids[1]]


def test_get_run_takes_ids_prefixes_and_names(store: Store, tb: reading.OpenStore) -> None:
    write(store)
    newest = write(store, started=4e9)
    assert tb.get_run("forest").id == newest
    assert tb.get_run(newest).id == newest
    assert tb.get_run(newest[:-2]).id == newest


def test_an_unknown_ref_names_near_misses(store: Store, tb: reading.OpenStore) -> None:
    write(store)
    with pytest.raises(RunNotFound, match="forest"):
        reading.get_run("forrest")
    with pytest.raises(RunNotFound, match="forest"):
        reading.compare("forest", "forrest")


def test_a_bad_where_is_a_query_error(tb: reading.OpenStore) -> None:
    with pytest.raises(QueryError):
        reading.runs("metrics.acc >")


def test_a_missing_store_reads_as_empty_and_stays_missing(tmp_path: Path) -> None:
    there = reading.open_store(tmp_path / "nowhere")
    assert len(there.runs()) == 0
    assert there.runs().to_pandas().empty
    assert not (tmp_path / "nowhere").exists()


# -- one run ---------------------------------------------------------------------------------------


def test_a_run_shows_what_its_document_has(store: Store, tb: reading.OpenStore) -> None:
    write(
        store,
        params={"depth": 3, "opt": {"lr": 0.1}},
        metrics={"loss": [2.0, NAN, 1.0]},
        tags={"baseline": ""},
        git={"commit": "abc", "branch": "main", "dirty": True, "remote": None},
        notebook={"path": "study.ipynb"},
        source="depth = 3",
        error={"type": "ValueError", "message": "no", "traceback": "…"},
        capture=[{"what": "depth", "state": "captured"}],
    )
    run = tb.get_run("forest")
    assert (run.name, run.number, run.status) == ("forest", 1, "finished")
    assert run.params == {"depth": 3, "opt": {"lr": 0.1}}
    assert run.metrics == {"loss": 1.0}
    assert run.summary["loss"].count == 3
    assert run.tags == {"baseline": ""}
    assert run.git is not None
    assert (run.git.commit, run.git["branch"], run.git.dirty) == ("abc", "main", True)
    assert run.notebook == "study.ipynb"
    assert run.cell == {"id": "cell-1", "source": "depth = 3"}
    assert run.error is not None
    assert run.error.type == "ValueError"
    assert run.why[0].state == "captured"
    assert run.duration == pytest.approx(2.5)
    assert run.ended == run.started + datetime.timedelta(seconds=2.5)
    assert run.started.tzinfo is datetime.UTC
    assert run.patch() == b""
    assert repr(run).startswith("<Run forest #1 · finished · loss 1")


def test_changing_what_a_run_gave_changes_nothing(store: Store, tb: reading.OpenStore) -> None:
    write(store, params={"opt": {"lr": 0.1}})
    run = tb.get_run("forest")
    run.params["opt"]["lr"] = 5
    assert run.params == {"opt": {"lr": 0.1}} == tb.get_run("forest").params


def test_history_keeps_every_point_in_order(store: Store, tb: reading.OpenStore) -> None:
    write(store, metrics={"loss": [2.0, NAN, -INF, 1.0]})
    history = tb.get_run("forest").history("loss")
    assert list(history.columns) == ["step", "time", "value"]
    assert list(history["step"]) == [0, 1, 2, 3]
    assert history["step"].dtype == "int64"
    assert isinstance(history["time"].dtype, pd.DatetimeTZDtype)
    assert str(history["value"].tolist()) == "[2.0, nan, -inf, 1.0]"
    started = pd.Timestamp(tb.get_run("forest").started)
    assert abs(history["time"][0] - started) < pd.Timedelta("2us")
    none = tb.get_run("forest").history("nothing")
    assert none.empty
    assert list(none.dtypes) == list(history.dtypes)


def test_a_running_run_is_read_while_it_runs(store: Store, tb: reading.OpenStore) -> None:
    write(store, metrics={"loss": [2.0]}, end=False)
    run = tb.get_run("forest")
    assert run.ended is None
    assert run.duration is not None
    assert list(run.history("loss")["value"]) == [2.0]


def test_patch_and_artifacts_are_the_bytes_kept(store: Store, tb: reading.OpenStore) -> None:
    run_id = write(store, git={"patch": store.blobs.put(b"diff --git")})
    writer = store.resume(run_id)
    for text in (b"old", b"new"):
        line = {"name": "note.txt", "kind": "text", "type": "text/plain", "size": 3}
        writer.append("artifacts", {**line, "blob": store.blobs.put(text), "time": 1.0})
    writer.finish()
    run = tb.get_run(run_id)
    assert run.patch() == b"diff --git"
    assert list(run.artifacts) == ["note.txt"]
    assert run.artifact("note.txt").read_bytes() == b"new"
    with pytest.raises(StoreError, match=r"note\.txt"):
        run.artifact("absent")


def test_a_snapshot_is_a_valid_notebook(store: Store, tb: reading.OpenStore) -> None:
    cells = [
        ("intro", "markdown", "# Hi"),
        ("a", "code", "x = 1"),
        ("a", "code", "twice"),
        ("odd id!", "raw", "raw"),
    ]
    write(store, notebook={"path": "study.ipynb", "snapshot": snapshot(store, cells, "a")})
    notebook = tb.get_run("forest").snapshot()
    nbformat.validate(notebook)
    assert [c.source for c in notebook.cells] == [text for _, _, text in cells]
    assert notebook.cells[1].id == "a"
    assert notebook.cells[1].metadata.trackbook.tracked is True
    assert nbformat.reads(nbformat.writes(notebook), as_version=4).cells[0].source == "# Hi"


def test_a_run_without_a_notebook_says_so(store: Store, tb: reading.OpenStore) -> None:
    write(store)
    with pytest.raises(StoreError, match="no notebook"):
        tb.get_run("forest").snapshot()


def test_parent_and_children_are_runs(store: Store, tb: reading.OpenStore) -> None:
    parent = write(store, "sweep")
    child = write(store, "trial", parent=parent)
    run = tb.get_run("sweep")
    assert [r.id for r in run.children] == [child]
    assert run.parent is None
    assert tb.get_run("trial").parent == run


def test_edits_reach_the_store_and_the_run(store: Store, tb: reading.OpenStore) -> None:
    write(store, tags={"old": ""})
    run = tb.get_run("forest")
    run.set_tag("baseline")
    run.set_tag("old", None)
    run.set_note("*fine*")
    run.rename("tree")
    assert (run.tags, run.note, run.name) == ({"baseline": ""}, "*fine*", "tree")
    assert tb.get_run("tree").note == "*fine*"
    run.archive()
    assert (len(tb.runs()), len(tb.runs(archived=True))) == (0, 1)
    run.archive(False)
    run.delete()
    assert len(tb.runs(archived=True)) == 0
    run.restore()
    assert len(tb.runs()) == 1


def test_edits_have_a_history_and_are_undone_and_redone(
    store: Store, tb: reading.OpenStore
) -> None:
    write(store)
    run = tb.get_run("forest")
    assert run.edits == []
    run.rename("tree")
    run.set_star()
    run.set_tag("baseline")
    first = run.edits[0]
    assert (first.change, first.replaced) == ({"name": "tree"}, {"name": "forest"})
    assert first.time.tzinfo is datetime.UTC
    assert first.user
    run.undo(2)
    assert (run.name, run.star, run.tags) == ("tree", False, {})
    run.redo()
    assert (run.name, run.star, run.tags) == ("tree", True, {})
    with pytest.raises(InvalidValue, match="2 edits to undo, not 3"):
        run.undo(3)
    with pytest.raises(InvalidValue):
        run.undo(0)
    run.undo(2)
    assert run.name == tb.get_run("latest").name == "forest"
    assert [edit.undone for edit in run.edits[:3]] == [True, True, True]
    with pytest.raises(InvalidValue, match="no edit to undo"):
        run.undo()


# -- frames ----------------------------------------------------------------------------------------

FIXED = ["run_id", "name", "number", "experiment", "status", "started", "duration"]


def test_a_frame_has_the_agreed_columns_and_types(store: Store, tb: reading.OpenStore) -> None:
    write(store, params={"a": {"b": 1}, "xs": [1, 2]}, metrics={"acc": [NAN]}, tags={"t": ""})
    write(store, params={"c": "x"}, end=False)
    frame = tb.runs(sort="started").to_pandas()
    assert list(frame.columns) == [
        *FIXED,
        *("params.a.b", "params.xs", "params.c", "metrics.acc", "tags.t"),
    ]
    assert isinstance(frame["started"].dtype, pd.DatetimeTZDtype)
    assert str(frame["started"].dtype.tz) == "UTC"
    assert frame["duration"].dtype == frame["metrics.acc"].dtype == "float64"
    assert frame["number"].dtype == "int64"
    assert frame["params.xs"][0] == [1, 2]
    assert frame["duration"][0] == pytest.approx(2.5)


def test_an_empty_frame_has_the_same_types(store: Store, tb: reading.OpenStore) -> None:
    empty = tb.runs().to_pandas()
    write(store)
    full = tb.runs().to_pandas()
    assert list(empty.columns) == FIXED
    assert list(empty.dtypes) == list(full.dtypes)


def test_metrics_are_long_and_never_sampled(store: Store, tb: reading.OpenStore) -> None:
    first = write(store, metrics={"loss": [float(n) for n in range(5000)], "acc": [0.5]})
    write(store, metrics={"loss": [1.0]})
    write(store)
    long = tb.runs().metrics("loss")
    assert list(long.columns) == ["run_id", "key", "step", "time", "value"]
    assert len(long) == 5001
    assert (long["run_id"] == first).sum() == 5000
    assert set(tb.runs().metrics()["key"]) == {"loss", "acc"}
    assert list(tb.runs().metrics("none").columns) == list(long.columns)


def test_diff_keeps_only_what_differs(store: Store, tb: reading.OpenStore) -> None:
    write(store, params={"a": 1, "b": 1})
    write(store, params={"a": 1, "b": 2})
    assert list(tb.runs().diff().columns) == ["run_id", "name", "number", "params.b"]
    assert list(tb.runs()[:1].diff().columns) == ["run_id", "name", "number"]


# -- comparison ------------------------------------------------------------------------------------


def test_compare_takes_names_runs_and_sequences(store: Store, tb: reading.OpenStore) -> None:
    ids = [write(store, name, params={"a": n}) for n, name in enumerate(("one", "two", "six"))]
    both = tb.compare(tb.get_run("one"), tb.runs("params.a == 1"), "six", "one")
    assert [run.id for run in both.runs] == ids
    assert list(both.to_pandas()["run_id"]) == ids
    assert both.params().loc["a"].tolist() == [0, 1, 2]
    assert list(both.params().columns) == ["one #1", "two #1", "six #1"]


def test_code_is_the_diff_of_own_and_shared_cells(store: Store, tb: reading.OpenStore) -> None:
    for value in (1, 2):
        cells = [
            ("load", "code", f"data = load({value})"),
            ("same", "code", "import numpy"),
            ("cell-1", "code", f"fit({value})"),
        ]
        kept = {"path": "s.ipynb", "snapshot": snapshot(store, cells, "cell-1")}
        write(store, source=f"fit({value})", notebook=kept)
    diff = tb.compare(*tb.runs(sort="number")).code()
    assert diff.count("+fit(2)") == 1
    assert "-data = load(1)" in diff
    assert "numpy" not in diff


@pytest.mark.parametrize(("kind", "mark"), [("curves", "mark-line"), ("bar", "mark-rect")])
def test_a_chart_is_altair_and_renders(
    store: Store, tb: reading.OpenStore, kind: str, mark: str
) -> None:
    for start in (2.0, 3.0):
        write(store, metrics={"loss": [start, 1.0], "acc": [0.5]})
    chart = tb.compare(*tb.runs()).chart(kind=kind, key="loss")
    assert isinstance(chart, alt.Chart | alt.LayerChart)
    assert mark in vl_convert.vegalite_to_svg(chart.to_dict(), vl_version="6.4")


def test_a_chart_that_cannot_be_says_what_can(store: Store, tb: reading.OpenStore) -> None:
    write(store, metrics={"loss": [1.0]})
    one = tb.compare("forest")
    with pytest.raises(InvalidValue, match="curves, bar"):
        one.chart("pie")
    with pytest.raises(InvalidValue, match="loss"):
        one.chart(key="acc")
    with pytest.raises(InvalidValue, match="none"):
        tb.compare().chart()


# -- displays --------------------------------------------------------------------------------------


def bundle_of(shown: Any) -> dict[str, Any]:
    bundle: dict[str, Any] = shown._repr_mimebundle_()
    assert set(bundle) == {MIME, "text/html", "text/plain"}
    # What Jupyter sends: plain JSON, without NaN.
    return dict(json.loads(json.dumps(bundle[MIME], allow_nan=False)))


def test_runs_show_live_and_static_in_one_output(store: Store, tb: reading.OpenStore) -> None:
    for n in range(60):
        write(store, HOSTILE, params={"n": n, "world": "世界"}, metrics={"loss": [INF]})
    data = bundle_of(tb.runs("params.n >= 0"))
    assert (data["version"], data["kind"], data["store"]) == (1, "runs", store.id)
    assert data["query"]["where"] == "params.n >= 0"
    assert data["comparison"] is None
    assert data["refs"] is None
    assert len(data["table"]["rows"]) == 50
    assert data["table"]["total"] == 60
    assert "<script" not in tb.runs()._repr_html_()
    assert "10 more" in repr(tb.runs())


def test_a_slice_shows_its_own_runs(store: Store, tb: reading.OpenStore) -> None:
    write(store)
    newest = write(store, started=4e9)
    data = bundle_of(tb.runs()[:1])
    assert data["refs"] == [newest]
    assert data["query"] is None


def test_a_tinydb_query_is_shown_by_its_runs(store: Store, tb: reading.OpenStore) -> None:
    from tinydb import where

    run_id = write(store, params={"a": 1})
    assert bundle_of(tb.runs(where("params")["a"] == 1))["refs"] == [run_id]


def test_a_run_and_a_comparison_show_too(store: Store, tb: reading.OpenStore) -> None:
    ids = [write(store, metrics={"loss": [NAN, 2.0]}), write(store)]
    assert bundle_of(tb.get_run(ids[0]))["refs"] == [ids[0]]
    data = bundle_of(tb.compare(*ids))
    assert data["kind"] == "compare"
    assert data["refs"] == ids
    assert data["comparison"]["charts"][0]["title"] == "loss"
    assert data["table"] is None
    assert "loss" in repr(tb.compare(*ids))
