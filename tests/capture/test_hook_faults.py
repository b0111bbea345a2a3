"""Something that a hook really uses breaks: the cell is right, one warning, the others go on."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

import trackbook as tb
from trackbook.capture import session as sessions
from trackbook.capture import system
from trackbook.capture.livenotebook import LiveNotebook
from trackbook.errors import TrackbookWarning
from trackbook.store.flusher import FLUSHER

CELL = "%%track cell\ndepth = 3\nprint('mine')\nacc = depth / 10\nacc"


def store() -> Path:
    path = tb.open_store().path
    assert path is not None
    return path


def run(ip: InteractiveShell, source: str = CELL, cell_id: str | None = "c") -> Any:
    return ip.run_cell(source, store_history=True, cell_id=cell_id)


@pytest.fixture
def told(ip: InteractiveShell) -> Iterator[Callable[[], list[str]]]:
    """Our warnings since it was last asked."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")

        def ours() -> list[str]:
            found = [str(w.message) for w in caught if issubclass(w.category, TrackbookWarning)]
            caught.clear()
            return found

        yield ours


def broken(thing: Any, name: str, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def raises(*args: Any, **kwargs: Any) -> Any:
        raise error

    monkeypatch.setattr(thing, name, raises)


def right(done: Any) -> bool:
    return bool(done.success) and done.result == pytest.approx(0.3)


def settle() -> None:
    FLUSHER.flush()
    sessions.current._around.wait()


def test_where_blobs_cannot_be_kept_the_run_is_there(
    ip: InteractiveShell, told: Callable[[], list[str]]
) -> None:
    run(ip)
    settle()
    shutil.rmtree(store() / "blobs")
    (store() / "blobs").write_text("a file")
    told()
    assert right(run(ip, CELL.replace("mine", "other")))
    settle()
    second = tb.get_run("latest")
    assert (second.status, second.params, second.number) == ("finished", {"depth": 3}, 2)
    assert second.metrics == {"acc": pytest.approx(0.3)}
    assert second.logs().startswith("other\n")
    gaps = {entry["what"] for entry in second.why if entry["state"] in ("not captured", "skipped")}
    assert {"source", "notebook"} <= gaps
    first = told()
    assert len(first) == len({line.split(":")[0] for line in first})
    assert right(run(ip))
    settle()
    assert told() == []


def test_a_machine_that_cannot_be_read_is_one_warning(
    ip: InteractiveShell, told: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    import psutil

    monkeypatch.setattr(system, "INTERVAL_S", 0.1)
    broken(psutil, "virtual_memory", monkeypatch, OSError("no /proc"))
    for _ in range(2):
        assert right(run(ip, CELL.replace("print", "__import__('time').sleep(0.4); print")))
    settle()
    lines = [line for line in told() if "no /proc" in line]
    assert len(lines) == len({line.split(":")[0] for line in lines})
    assert any("system metrics" in line for line in lines)
    assert tb.get_run("latest").metrics == {"acc": pytest.approx(0.3)}
    assert tb.get_run("latest").logs().startswith("mine\n")


def test_a_document_that_cannot_be_written_is_one_warning_and_others_go_on(
    ip: InteractiveShell, told: Callable[[], list[str]]
) -> None:
    run(ip, "import trackbook as tb\nbad = tb.start_run('bad')", "start")
    bad = sessions.current.active()
    assert bad is not None
    bad.document["tags"]["odd"] = object()
    assert right(run(ip))
    bad.log_metric("m", 1.0)
    time.sleep(1.2)  # the thread that saves has tried, and lives
    assert right(run(ip))
    done = run(ip, "tb.log_param('later', 2); tb.end_run()")
    assert done.success
    assert len([line for line in told() if "bad" in line]) == 1
    assert [r.status for r in tb.runs("name == 'cell'")] == ["finished", "finished"]
    del bad.document["tags"]["odd"]
    bad.set_tag("fine")
    sessions.current.close_all()
    assert tb.get_run("bad").status == "finished"
    assert tb.get_run("bad").tags == {"fine": ""}


@pytest.mark.parametrize("name", ["logs.txt", "cells.jsonl", "metrics.bin"])
def test_a_folder_in_the_place_of_a_file_of_the_run(
    ip: InteractiveShell, told: Callable[[], list[str]], name: str
) -> None:
    block = "import pathlib, glob\n(place,) = glob.glob('.trackbook/runs/*/*')\n"
    block += f"pathlib.Path(place, {name!r}).mkdir()\n"
    assert right(run(ip, CELL.replace("depth = 3\n", f"depth = 3\n{block}")))
    sessions.current.close_all()
    FLUSHER.flush()
    assert len(told()) == 1
    assert ip.user_ns["acc"] == pytest.approx(0.3)
    assert right(run(ip))
    (second,) = tb.runs("number == 2")
    assert (second.status, second.metrics) == ("finished", {"acc": pytest.approx(0.3)})
    assert second.logs().startswith("mine\n")
    assert second.snapshot().cells


def test_a_stderr_that_is_closed_swallows_the_line_alone(
    ip: InteractiveShell, told: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path(os.devnull).open("w") as closed:
        pass
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", closed)
        for _ in range(2):
            assert right(run(ip))
    assert [line.partition(":")[0] for line in told()] == [
        "Trackbook stopped tracking the line below cells"
    ]
    assert [r.metrics["acc"] for r in tb.runs()] == [pytest.approx(0.3)] * 2


def test_a_front_end_that_lies_changes_nothing(
    ip: InteractiveShell, told: Callable[[], list[str]]
) -> None:
    live = LiveNotebook()
    good = {"path": "a.ipynb", "order": ["c"], "sources": {"c": ["code", "x"]}, "cell": "c"}
    for lie in (
        {"path": "\0.ipynb"},
        {"path": "x" * 10_000 + ".ipynb"},
        {"order": [["c"], None, 3]},
        {"order": None},
        {"sources": {"c": ["code"]}},
        {"sources": {"c": "code"}},
        {"sources": [1, 2]},
        {"cell": ["c"]},
        {"root": "~nobody/\0"},
        {"sources": {"d": ["no such type", {"deep": []}]}},
    ):
        live._receive({"content": {"data": {**good, **lie}}})
    sessions.current._around.live = live
    assert right(run(ip))
    assert tb.get_run("latest").cell.source == CELL
    assert tb.get_run("latest").snapshot().cells
    assert told() == []


def test_an_estimator_that_cannot_be_asked_for_its_params(
    ip: InteractiveShell, told: Callable[[], list[str]]
) -> None:
    tb.autolog()
    try:
        run(
            ip,
            "from sklearn.base import BaseEstimator, ClassifierMixin\n"
            "from sklearn.linear_model import LogisticRegression\n"
            "class Shy(ClassifierMixin, BaseEstimator):\n"
            "    def get_params(self, deep=True): raise RuntimeError('shy')\n"
            "    def fit(self, X, y): self.fitted_ = True; return self\n"
            "    def predict(self, X): return X\n",
        )
        for _ in range(2):
            assert right(run(ip, f"{CELL[:-4]}\nshy = Shy().fit([[1]], [0]).fitted_\nacc"))
            assert ip.user_ns["shy"] is True
    finally:
        tb.autolog(False)
    assert len([line for line in told() if "shy" in line]) == 1
    assert [r.metrics["acc"] for r in tb.runs()] == [pytest.approx(0.3)] * 2


def test_a_transformer_of_the_users_runs_once_a_cell_and_may_refuse_one(
    ip: InteractiveShell, told: Callable[[], list[str]]
) -> None:
    seen = []

    def counting(lines: list[str]) -> list[str]:
        seen.append(len(lines))
        if any("refused" in line for line in lines):
            raise SyntaxError("refused")
        return lines

    ip.input_transformers_post.append(counting)
    try:
        assert right(run(ip))
        done = run(ip, "%%track\nrefused = 1")
        assert isinstance(done.error_before_exec, SyntaxError)
        assert right(run(ip))
    finally:
        ip.input_transformers_post.remove(counting)
    assert seen == [5, 2, 5]
    assert told() == []
    assert [r.status for r in tb.runs(sort="started")] == ["finished", "failed", "finished"]


def test_an_interrupt_in_our_own_hook_ends_what_the_cell_owns(
    ip: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    import signal

    from trackbook.store.blobs import LocalBlobs

    put = LocalBlobs.put

    def interrupted(self: LocalBlobs, data: bytes) -> str:
        if b'"tracked"' in data:  # the snapshot, which is kept after the cell
            monkeypatch.setattr(LocalBlobs, "put", put)
            signal.raise_signal(signal.SIGINT)
        return put(self, data)

    monkeypatch.setattr(LocalBlobs, "put", interrupted)
    done = run(ip)
    assert done.result == pytest.approx(0.3)
    assert sessions.current.open_runs() == []
    assert right(run(ip))
    assert [r.status for r in tb.runs(sort="number")] == ["finished", "finished"]


def test_each_fault_stands_alone(
    ip: InteractiveShell, told: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever of ours fails, the rest of the same cell is kept."""
    from trackbook.capture import cellvalues
    from trackbook.capture.keeping import Keeper
    from trackbook.magics import Lines

    broken(cellvalues, "collect", monkeypatch, ZeroDivisionError("values"))
    assert right(run(ip))
    broken(Keeper, "keep", monkeypatch, ZeroDivisionError("notebook"))
    assert right(run(ip))
    broken(Lines, "over", monkeypatch, ZeroDivisionError("line"))
    assert right(run(ip))
    assert right(run(ip))
    assert sorted(line.rpartition(" ")[2] for line in told()) == ["line", "notebook", "values"]
    found = tb.runs(sort="number")
    assert [r.status for r in found] == ["finished"] * 4
    assert all(r.logs().startswith("mine\n") for r in found)
    assert all(json.dumps(r.params) for r in found)
