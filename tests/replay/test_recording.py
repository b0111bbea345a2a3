"""What the log of an execution says, and that looking at a cell does nothing to it."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

import trackbook as tb
from trackbook.capture import filesread
from trackbook.replay import log
from trackbook.replay.log import Execution
from trackbook.store import open_store


def run(ip: InteractiveShell, *cells: str) -> list[Any]:
    return [ip.run_cell(c, store_history=True, cell_id=f"c{i}") for i, c in enumerate(cells)]


def executions(tmp_path: Path) -> list[Execution]:
    store = open_store(tmp_path / ".trackbook")
    run_id = tb.get_run("latest").id
    return log.read(store.document(run_id), store.records(run_id, "cells"), store.blobs)


def test_a_line_tells_what_was_bound_changed_read_and_deleted(
    ip: InteractiveShell, tmp_path: Path
) -> None:
    run(ip, "x = [1]; y = x; z = 0", "y.append(2)\ndel z", "%%track\nr = sum(x)")
    first, second, third = executions(tmp_path)
    assert first.bound == {"x", "y", "z"}
    assert second.mutated == {"x", "y"}
    assert second.deleted == {"z"}
    assert second.read == {"y", "z"}
    assert third.read == {"sum", "x"}
    assert all(e.recorded and not e.untrusted for e in (first, second, third))


def test_a_failing_cell_tells_what_it_really_bound(ip: InteractiveShell, tmp_path: Path) -> None:
    run(ip, "a = 1\n1 / 0\nb = 2", "%%track\nr = a")
    first = executions(tmp_path)[0]
    assert (first.ok, first.error, first.bound) == (False, "ZeroDivisionError", {"a"})


def test_states_of_generators_are_kept_and_never_advanced(
    ip: InteractiveShell, tmp_path: Path
) -> None:
    random.seed(7)
    wanted = [random.random() for _ in range(3)]
    random.seed(7)
    run(ip, "import random\nu = random.random()", "v = random.random()", "%%track\nw = 1")
    assert [ip.user_ns["u"], ip.user_ns["v"], random.random()] == wanted
    states = [e.rng["python"] for e in executions(tmp_path)]
    assert len(set(states)) == 3


def test_files_are_told_with_hash_and_content_when_they_were_read(
    ip: InteractiveShell, tmp_path: Path
) -> None:
    (tmp_path / "data.csv").write_text("1,2\n")
    run(ip, "t = open('data.csv').read()\nopen('data.csv', 'w').write('3')", "%%track\nr = len(t)")
    file = executions(tmp_path)[0].files[0]
    assert (file.path, file.how, file.size) == ("data.csv", "read", 4)
    assert file.blob is not None
    assert open_store(tmp_path / ".trackbook").blobs.get(file.blob) == b"1,2\n"


def test_a_file_with_a_secret_is_told_without_its_content(
    ip: InteractiveShell, tmp_path: Path
) -> None:
    (tmp_path / "settings.txt").write_text("key = AKIAIOSFODNN7EXAMPLE\n")
    (tmp_path / ".env").write_text("A=1\n")
    run(ip, "a = open('settings.txt').read(), open('.env').read()", "%%track\nr = 1")
    files = executions(tmp_path)[0].files
    assert [file.path for file in files] == ["settings.txt", ".env"]
    assert all(file.hash and file.blob is None for file in files)


@pytest.mark.parametrize(
    ("source", "flag"),
    [
        ("exec('a = 1')", "exec"),
        ("n = dir()", "namespace"),
        ("from math import *", "star import"),
        ("!true", "shell"),
        ("import time; t = time.time()", "clock"),
        ("import os; b = os.urandom(2)", "entropy"),
        ("import threading; threading.Thread(target=int).start()", "threads"),
        ("import subprocess; p = subprocess.run(['true'])", "processes"),
        ("f = open(__import__('os').devnull)", "open handle"),
        ("raise KeyboardInterrupt", "interrupted"),
    ],
)
def test_what_no_record_can_follow_is_flagged(
    ip: InteractiveShell, tmp_path: Path, source: str, flag: str
) -> None:
    run(ip, source, "%%track\nr = 1")
    assert flag in executions(tmp_path)[0].flags


@pytest.mark.parametrize(
    ("draw", "flags"), [("np.random.rand(2)", {"unknown seed"}), ("np.ones(2)", set())]
)
def test_a_generator_that_came_with_the_cell_and_was_used_is_flagged(
    tmp_path: Path, draw: str, flags: set[str]
) -> None:
    from replay.shells import executions as logged
    from replay.shells import record_bare

    (tmp_path / "here").mkdir()
    first = (f"import numpy as np\nx = {draw}", "%%track\nr = float(x.sum())")
    done = record_bare(tmp_path / "here", list(first))
    assert logged(done.store, done.run)[0].flags == flags


def test_a_library_that_counts_cores_is_not_flagged(ip: InteractiveShell, tmp_path: Path) -> None:
    run(ip, "%%track\nimport joblib\nn = joblib.cpu_count(only_physical_cores=True)")
    assert "processes" not in executions(tmp_path)[0].flags


def test_cells_from_before_the_extension_are_there_with_their_source(
    ip: InteractiveShell, tmp_path: Path
) -> None:
    run(ip, "%unload_ext trackbook", "k = 3", "%load_ext trackbook\nj = 4", "%%track\nr = k + j")
    *earlier, last = executions(tmp_path)
    assert [e.source for e in earlier][-2:] == ["k = 3", "%load_ext trackbook\nj = 4"]
    assert not any(e.recorded for e in earlier)
    assert last.recorded


def test_objects_that_raise_when_looked_at_do_no_harm(ip: InteractiveShell, tmp_path: Path) -> None:
    odd = (
        "class Odd:\n"
        "    def __getattribute__(self, name): raise SystemExit(name)\n"
        "    def __eq__(self, other): raise SystemExit\n"
        "    def __hash__(self): raise SystemExit\n"
        "    def __reduce__(self): raise SystemExit\n"
        "    def __len__(self): raise SystemExit\n"
        "class OddDict(dict):\n"
        "    def items(self): raise SystemExit\n"
        "    def __iter__(self): raise SystemExit\n"
        "held = [Odd(), OddDict(a=1)]"
    )
    done = run(ip, odd, "dict.__setitem__(held[1], 'b', 2)", "%%track\nr = 1")
    assert all(one.success for one in done)
    found = executions(tmp_path)
    assert all(e.recorded for e in found)
    assert found[1].mutated == {"held"}


def test_a_cell_of_five_thousand_lines_is_read_in_time(ip: InteractiveShell) -> None:
    source = "\n".join(f"v{i} = float(v{i - 1})" if i else "v0 = 0.5" for i in range(5_000))
    started = time.process_time()
    run(ip, source)
    assert time.process_time() - started < 8  # 1 s on a quiet machine


def test_nothing_listens_between_cells_and_after_the_extension(ip: InteractiveShell) -> None:
    run(ip, "x = 1")
    assert filesread._listener is None
    ip.run_line_magic("unload_ext", "trackbook")
    run(ip, "open('made', 'w').close()")
    assert filesread._listener is None


def test_switched_off_nothing_is_recorded(ip: InteractiveShell, tmp_path: Path) -> None:
    run(ip, "%track off", "x = 1", "%track on", "%%track\nr = x")
    sources = [e.source for e in executions(tmp_path) if e.recorded]
    assert "x = 1" not in sources


def test_recording_costs_little(ip: InteractiveShell, tmp_path: Path) -> None:
    run(ip, *["a = 1"] * 21, "%%track\nr = 1")
    costs = sorted(e.extra["ms"] for e in executions(tmp_path) if "ms" in e.extra)
    assert costs[len(costs) // 2] < 15  # 1 ms on a quiet machine


HOSTILE: list[Any] = [
    {},
    {"order": "1", "source": None},
    {"order": 1, "source": "b3-" + "0" * 64},
    {"order": -1, "source": "x"},
    {"order": True, "source": "x"},
    {"segment": ["x"], "count": 50},
    {"segment": "../../etc/passwd"},
    "text",
    None,
]


def test_lines_from_anywhere_are_read_without_harm(tmp_path: Path) -> None:
    store = open_store(tmp_path / ".trackbook", create=True)
    source = store.blobs.put(b"x = 1")
    odd = {
        "order": 2,
        "source": source,
        "started": "noon",
        "ended": float("nan"),
        "ok": 1,
        "bound": [1, None, "x", "y" * 5_000],
        "mutated": {"a": 1},
        "read": "x",
        "rng": [1],
        "files": [1, {"path": 3}, {"path": "a", "how": "eaten"}, {"path": "b", "how": "read"}],
        "extra": {"late": 3},
        "late": {"x": 3},
        "since": {"x": "a"},
    }
    found = log.read({}, [*HOSTILE, odd], store.blobs)
    assert [(e.order, e.source, e.bound, e.started) for e in found] == [
        (2, "x = 1", frozenset({"x"}), 0.0)
    ]
    assert [file.path for file in found[0].files] == ["b"]
    assert log.read({"cell": {"id": "c", "source": source}}, [], store.blobs)[0].source == "x = 1"
    assert log.read({"cell": 3}, [], store.blobs) == []


def test_no_generator_module_is_imported_by_looking(ip: InteractiveShell) -> None:
    before = {name for name in ("torch", "matplotlib") if name in sys.modules}
    run(ip, "x = 1")
    assert {name for name in ("torch", "matplotlib") if name in sys.modules} == before
