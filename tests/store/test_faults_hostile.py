"""Folders that somebody made to harm who opens them: pipes, links, bombs, lies.

One child reads them with little memory and little time; nothing outside may change.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from faults import make_link, make_pipe, make_sparse, python, state
from runs import write

from trackbook.jsonable import dumps
from trackbook.store import LocalStore

DEEP = b"[" * 50_000
Fault = Callable[[Path, Path], None]


def running(place: Path) -> None:
    document = orjson.loads((place / "run.json").read_bytes())
    (place / "run.json").write_bytes(orjson.dumps({**document, "status": "running"}))


def said(**change: object) -> Fault:
    """run.json with other words."""

    def lie(place: Path, _: Path) -> None:
        document = orjson.loads((place / "run.json").read_bytes())
        (place / "run.json").write_bytes(dumps({**document, **change}))

    return lie


def content(name: str, data: bytes) -> Fault:
    def fill(place: Path, _: Path) -> None:
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_bytes(data)

    return fill


def named(name: str, make: Callable[[Path], None], *, lost: bool = False) -> Fault:
    def put(place: Path, _: Path) -> None:
        (place / name).parent.mkdir(exist_ok=True)
        make(place / name)
        if lost:
            running(place)

    return put


def linked(name: str, *, folder: bool = False, lost: bool = False) -> Fault:
    def put(place: Path, outside: Path) -> None:
        make_link(place / name, outside / ("edits" if folder else "file"))
        if lost:
            running(place)

    return put


def elsewhere(place: Path, outside: Path) -> None:
    """The whole folder of a run is a link to one outside."""
    place.rename(outside / place.name)
    place.symlink_to(outside / place.name)


def a_socket(place: Path, _: Path) -> None:
    (place / "run.json").unlink()
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(place)  # its address is a short one
        made.bind("run.json")
        os.chdir(here)


# Those after which the document cannot be read, and so says why.
DAMAGED: dict[str, Fault] = {
    "a pipe for a document": named("run.json", make_pipe),
    "a socket for a document": a_socket,
    "a huge document": named("run.json", make_sparse),
    "a link for a document": linked("run.json"),
    "a link to a device": lambda place, _: make_link(place / "run.json", Path("/dev/zero")),
    "a folder for a document": lambda p, _: ((p / "run.json").unlink(), (p / "run.json").mkdir())[
        0
    ],
    "a deep document": content("run.json", DEEP),
    "a deep object": content("run.json", b'{"a":' * 900 + b"1" + b"}" * 900),
    "deep params": content("run.json", b'{"params":' + b"[" * 400 + b"]" * 400 + b"}"),
    "an empty document": content("run.json", b""),
    "no document": content("run.json", b"[1, 2]"),
    "half a document": content("run.json", b'{"format": 1, "id'),
    "bytes": content("run.json", bytes(range(256))),
    "a link for a run": elsewhere,
    "a number for a mapping": said(params=5),
    "a start beyond all time": said(started=1e300),
    "no number of attempt": said(number="7"),
    "an entry of text": said(summary={"acc": {"last": "x"}}),
}
# Those that leave the document as it is.
TOLERATED: dict[str, Fault] = {
    "a pipe for points": named("metrics.bin", make_pipe, lost=True),
    "huge points": named("metrics.bin", make_sparse),
    "huge points of a lost run": named("metrics.bin", make_sparse, lost=True),
    "points by any number": content("metrics.bin", os.urandom(28 * 1000)),
    "linked points": linked("metrics.bin", lost=True),
    "a pipe for names": named("metrics.keys", make_pipe, lost=True),
    "huge names": named("metrics.keys", make_sparse, lost=True),
    "deep names": content("metrics.keys", DEEP + b"\n"),
    "a pipe for an edit": named("edits/1-a.json", make_pipe),
    "a huge edit": named("edits/1-a.json", make_sparse),
    "a linked edit": named("edits/1-a.json", lambda path: make_link(path, Path("/dev/zero"))),
    "a deep edit": content("edits/1-a.json", b'{"change":' + DEEP),
    "an edit of lies": content(
        "edits/1-a.json",
        b'{"change": {"name": 5, "tags": 7, "status": [], "ended": {}, "star": "x", "note": null}}',
    ),
    "linked edits": linked("edits", folder=True),
    "a pipe for a lock": named("owner.lock", make_pipe, lost=True),
    "a linked lock": linked("owner.lock", lost=True),
    "a lock of lies": named("owner.lock", lambda path: path.write_bytes(DEEP), lost=True),
    "a folder for a lock": named("owner.lock", Path.mkdir, lost=True),
    "a pipe for cells": named("cells.jsonl", make_pipe),
    "deep cells": content("cells.jsonl", DEEP + b"\n7\n"),
    "a pipe for artifacts": named("artifacts.jsonl", make_pipe),
    "huge artifacts": named("artifacts.jsonl", make_sparse),
    "a pipe for text": named("logs.txt", make_pipe),
    "huge text": named("logs.txt", make_sparse),
    "an id with a way out": said(id="../../../outside"),
    "a parent with a way out": said(parent="../../../outside"),
    "a source with a way out": said(cell={"id": "c", "source": "../../../../outside/file"}),
    "a patch with a way out": said(git={"commit": "c", "patch": "../../../../outside/file"}),
    "paths for artifacts": content(
        "artifacts.jsonl",
        b'{"name": "../../../outside/new", "size": 1, "blob": "../../../outside/file"}\n'
        b'{"name": "/etc/passwd", "size": "x", "blob": "b3-' + b"0" * 64 + b'"}\n{"name": 5}\n',
    ),
}

READ = """
import json, resource, sys, time
import numpy, pandas, altair
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
import trackbook as tb
from click.testing import CliRunner
from trackbook.cli import trackbook
from trackbook.jsonable import dumps
from trackbook.server import handlers, shelf, table
from trackbook.store import open_store

class Shelf(shelf.Shelf):
    def get(self, store_id):
        return open_store(store_id)

root, merged = sys.argv[1:]
tb.set_store(root)
shelf = Shelf(None)
slow = []
def timed(what, work):
    began = time.monotonic()
    try:
        return work()
    except tb.TrackbookError as problem:
        assert "\\n" not in str(problem), problem
    finally:
        slow.append([round(time.monotonic() - began, 1), what])

def cli(*words):
    done = CliRunner().invoke(trackbook, [*words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code in (0, 1), done.output

def told(run):
    return [run.id, run.name, run.status, (run.error or {}).get("message", "")]

runs = timed("runs", lambda: tb.runs(archived=True))
print(json.dumps([told(run) for run in runs]))
timed("frame", runs.to_pandas)
timed("html", runs._repr_html_)
timed("diff", runs.diff)
timed("json", lambda: cli("runs", "--json", "--archived", "--store", root))
timed("table", lambda: cli("runs", "--archived", "--store", root))
query = {"where": None, "sort": "-started", "experiment": None, "archived": True}
timed("panel", lambda: list(table._pieces(table._runs(shelf, root, None, query, None), dumps)))
for run in runs:
    for what in ("summary", "artifacts", "why", "parent", "children", "edits", "duration"):
        timed(what, lambda: getattr(run, what))
    timed("history", lambda: run.history("acc"))
    timed("patch", run.patch)
    timed("snapshot", run.snapshot)
    for name in timed("names", lambda: list(run.artifacts)) or ():
        timed("artifact", lambda: run.artifact(name))
    timed("logs", lambda: open_store(root).logs(run.id))
    timed("show", lambda: cli("show", run.id, "--store", root))
    timed("page", lambda: handlers._run(shelf, root, run.id))
    timed("compare", lambda: tb.compare(run.id, runs[0].id).to_pandas())
timed("doctor", lambda: cli("doctor", "--store", root))
timed("deep doctor", lambda: cli("doctor", "--deep", "--store", root))
timed("disk", lambda: cli("gc", "--dry-run", "--store", root))
timed("merge", lambda: cli("merge", root, "--store", merged))
print(json.dumps(max(slow)))
print(json.dumps(sorted(run.name for run in tb.open_store(merged).runs())))
"""


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """What no reader may touch or show."""
    folder = tmp_path / "outside"
    (folder / "edits").mkdir(parents=True)
    (folder / "file").write_text('{"name": "SECRET"}')
    (folder / "edits" / "1-a.json").write_text('{"change": {"name": "SECRET"}}')
    return folder


def place(root: Path, run_id: str) -> Path:
    return root / "runs" / run_id[:8] / run_id


def test_a_store_full_of_faults_is_read_whole_and_harms_nothing(
    tmp_path: Path, outside: Path
) -> None:
    root, merged = tmp_path / "s", tmp_path / "merged"
    store = LocalStore(root)
    faults = {**DAMAGED, **TOLERATED}
    ids = {name: write(store, name, metrics={"acc": [0.5, 1.0]}) for name in ("good", *faults)}
    (root / "index" / "catalog.json").unlink(missing_ok=True)
    for name, fault in faults.items():
        fault(place(root, ids[name]), outside)
    LocalStore(merged).prepare()
    before = state(outside)
    done = python(READ, root, merged, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    listed, worst, came = map(orjson.loads, done.stdout.splitlines()[-3:])
    told = {run_id: (name, status, message) for run_id, name, status, message in listed}
    assert set(told) == set(ids.values())
    for name in DAMAGED:
        shown, status, message = told[ids[name]]
        assert (shown, status) == (ids[name], "lost"), name
        assert message.startswith("run.json cannot be read: "), name
    for name in ("good", *TOLERATED):
        shown, status, _ = told[ids[name]]
        assert shown == name
        assert status in ("finished", "lost")
    assert "SECRET" not in done.stdout
    assert state(outside) == before
    assert worst[0] < 10, worst
    assert "good" in came
    assert not set(came) & {"a link for a run", "linked edits", "a pipe for an edit"}
