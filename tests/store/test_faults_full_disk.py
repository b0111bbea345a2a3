"""Disks without room: a small one of its own where this user may mount, a file-size limit anywhere.

The scripts use the public API, as a training does, and fill and free the disk meanwhile.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from faults import may_mount, on_small_disk, python

from trackbook.model import new_document
from trackbook.store import LocalStore

Disk = Callable[..., "subprocess.CompletedProcess[str]"]

HEAD = """
import os, pathlib, resource, sys, time
import trackbook as tb
root = pathlib.Path(sys.argv[1])
tb.set_store(root / "s")
mounted = sys.argv[2] == "mounted"
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

def fill():
    if not mounted:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        return
    with open(root / "ballast", "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass

def free():
    if mounted:
        os.remove(root / "ballast")
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

def show(ref):
    run = tb.get_run(ref)
    loss = run.summary.get("loss", {"count": 0})
    rises = run.history("loss")["value"].is_monotonic_increasing
    print(run.status, run.params, dict(run.tags), int(loss["count"]), rises)

def until(reached):
    for _ in range(100):
        if reached():
            return
        time.sleep(0.05)
    raise SystemExit("not within 5 s")

def written(run):
    until(lambda: not (run._writer.held or run._writer._unsaved or run._writer._unfinished))
"""


@pytest.fixture(params=["mounted", "limited"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Disk:
    """Runs code on a disk of 2 MB, or under a limit of no byte more, which works anywhere."""
    if request.param == "limited":
        return lambda code, *more: python(HEAD + code, tmp_path, "limited", *more)
    if not may_mount():
        pytest.skip("this user may not mount, not even in a namespace; the limit stands for it")
    return lambda code, *more: on_small_disk(HEAD + code, tmp_path / "disk", "mounted", *more)


def out(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def warned(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The warnings: every line of stderr must be one."""
    lines = done.stderr.splitlines()
    assert all("TrackbookWarning: " in line for line in lines), done.stderr
    return [line.partition("TrackbookWarning: ")[2] for line in lines]


def test_training_goes_on_and_everything_is_written_when_there_is_room(disk: Disk) -> None:
    done = disk("""
run = tb.start_run("forest", params={"a": 1})
for i in range(1000):
    tb.log_metric("loss", i)
written(run)
fill()
began = time.perf_counter()
for i in range(1000, 20000):
    tb.log_metric("loss", i)
tb.log_param("b", 2)
tb.set_tag("kept")
tb.log_metrics({"new": 1.0, "val/loss": 0.5})
assert time.perf_counter() - began < 10
time.sleep(1.2)
tb.log_metric("loss", 20000)
assert tb.active_run().metrics["loss"] == 20000
free()
written(run)
show(run.id)
tb.end_run()
show(run.id)
print(sorted(tb.get_run(run.id).metrics))
""")
    assert out(done) == [
        "running {'a': 1, 'b': 2} {'kept': ''} 20001 True",
        "finished {'a': 1, 'b': 2} {'kept': ''} 20001 True",
        "['loss', 'new', 'val/loss']",
    ]
    (line,) = warned(done)
    # Which folder, how much is free (or which limit), what happens, what to do.
    assert "/s" in line
    assert "(0 B free): remove" in line or "`ulimit -f`" in line
    assert "waits in memory, up to 64 MB in all, until there is room" in line


def test_a_document_is_written_while_its_owner_adds_to_it(tmp_path: Path) -> None:
    """As the thread does that writes it again when there is room."""
    writer = LocalStore(tmp_path / "s").create(new_document(name="forest", experiment="e"))
    writer.document["params"] = {f"p{i}": i for i in range(20_000)}
    done = threading.Event()

    def add() -> None:
        while not done.is_set():
            params = writer.document["params"]
            params[f"new{len(params)}"] = 1
            if len(params) > 60_000:
                writer.document["params"] = {f"p{i}": i for i in range(20_000)}

    thread = threading.Thread(target=add)
    thread.start()
    try:
        for _ in range(60):
            writer.save()
    finally:
        done.set()
        thread.join()
    writer.finish()


def test_a_run_that_ends_on_a_full_disk_is_closed_when_there_is_room(disk: Disk) -> None:
    done = disk("""
run = tb.start_run("forest")
tb.log_metric("loss", 0)
until(lambda: tb.get_run(run.id).summary)
fill()
tb.log_metric("loss", 1)
tb.log_param("late", True)
tb.end_run("failed")
show(run.id)
free()
written(run)
show(run.id)
print(sorted(path.name for path in (root / "s" / "runs").glob("*/*/*")))
""")
    assert out(done) == [
        "running {} {} 1 True",  # its kernel still owes the rest
        "failed {'late': True} {} 2 True",
        "['metrics.bin', 'metrics.keys', 'run.json']",
    ]
    assert len(warned(done)) == 1


def test_what_cannot_be_written_is_told_when_the_process_ends(disk: Disk, tmp_path: Path) -> None:
    done = disk("""
run = tb.start_run("forest")
for i in range(500):
    tb.log_metric("loss", i)
tb.log_param("a", 1)
time.sleep(1.2)
fill()
for i in range(500, 800):
    tb.log_metric("loss", i)
import trackbook.store
parent = os.getpid()
if not os.fork():
    until(lambda: os.getppid() != parent)  # what another process sees afterwards
    free()
    document = trackbook.store.LocalStore(root / "s").find()[0]
    print(document["status"], document["params"], document["summary"]["loss"]["count"], flush=True)
    os._exit(0)
""")
    (line,) = out(done)
    status, _, rest = line.partition(" ")
    count = int(rest.split()[-1])
    assert (status, rest[:8]) == ("lost", "{'a': 1}")
    assert 500 <= count < 800  # a page may have had some room
    last = warned(done)[-1]
    assert f"{800 - count} points of run forest #1 could not be written" in last
    assert "it will read as lost" in last


def test_no_run_starts_on_a_full_disk_and_none_is_left_half(disk: Disk) -> None:
    done = disk("""
tb.start_run("first")
tb.end_run()
fill()
for _ in range(2):
    try:
        tb.start_run("second")
    except tb.StoreError as problem:
        told = str(problem)
        print("refused", told.count("\\n"), "is full" in told or "ulimit" in told)
tb.log_metric("acc", 1.0)
tb.log_metric("acc", 1.0)
free()
print([run.name for run in tb.runs()])
print(len(list((root / "s" / "runs").glob("*/*"))))
tb.start_run("second")
tb.log_metric("acc", 1.0)
tb.end_run()
print([(run.name, run.status, run.metrics) for run in tb.runs()])
""")
    assert out(done) == [
        "refused 0 True",
        "refused 0 True",
        "['first']",
        "1",
        "[('second', 'finished', {'acc': 1.0}), ('first', 'finished', {})]",
    ]
    (line,) = warned(done)
    assert line.startswith("Trackbook: nothing is tracked now: ")
    # The last room of a disk may take the run's folder, and not the run.
    assert "no run can be started" in line or "cannot be saved" in line


def test_an_artifact_that_finds_no_room_is_told_and_noted(disk: Disk) -> None:
    done = disk("""
run = tb.start_run("forest")
fill()
tb.log_text("x" * 100_000, "big.txt")
free()
tb.log_text("y" * 100_000, "later.txt")
tb.end_run()
print(list(tb.get_run(run.id).artifacts))
print([entry["state"] for entry in tb.get_run(run.id).why if entry["what"] == "artifact"])
""")
    assert out(done) == ["['later.txt']", "['skipped']"]
    assert any("an artifact was not kept" in line for line in warned(done))


def test_memory_is_taken_up_to_the_cap_and_the_rest_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKBOOK_SYSTEM", "0")  # points of its own
    monkeypatch.setenv("TRACKBOOK_CONSOLE", "0")  # and text, which waits too
    done = python(
        HEAD
        + """
from trackbook.store import room
run = tb.start_run("forest")
tb.log_metric("loss", 0)
written(run)
fill()
log, now = run._writer.log, time.time()
total = 0
while total < 3_000_000:
    for i in range(total, total + 100_000):
        log("loss", i, now, i)
    total += 100_000
    time.sleep(0.01)
time.sleep(0.5)
held = run._writer.held
began = time.perf_counter()
for i in range(100_000):
    tb.log_metric("loss", 1.0)
each = (time.perf_counter() - began) / 100_000
for i in range(500):
    tb.log_metrics({"loss": 1.0, "acc": 1.0})
print(room.CAP <= held < 1.5 * room.CAP, run._writer.held == held, each < 1e-4)
free()
written(run)
tb.log_metric("loss", 7.0)
tb.end_run()
found = tb.get_run(run.id)
count = int(found.summary["loss"]["count"])
print(count == held // 28 + 2, found.metrics["loss"], found.status)
(entry,) = [entry for entry in found.why if entry["what"] == "metrics"]
print(entry["state"], int(entry["reason"].split()[0]) == 3_101_000 + 2 - count)
""",
        tmp_path,
        "limited",
    )
    assert out(done) == ["True True True", "True 7.0 finished", "dropped True"]
    waits, drops = warned(done)
    assert "waits in memory" in waits
    assert "dropped until there is room" in drops


def test_a_quota_of_one_file_leaves_the_others_growing(tmp_path: Path) -> None:
    """The metric log is at the limit, the document is not: both come whole once it is raised."""
    done = python(
        HEAD
        + """
run = tb.start_run("forest")
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
for i in range(1000):
    tb.log_metric("loss", i)
tb.log_param("a", 1)
time.sleep(1.5)
show(run.id)
tb.end_run()
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
written(run)
show(run.id)
""",
        tmp_path,
        "limited",
    )
    assert out(done) == ["running {'a': 1} {} 1000 True", "finished {'a': 1} {} 1000 True"]
    assert len(warned(done)) == 1


CELLS = """
from IPython.core.interactiveshell import InteractiveShell
os.environ["TRACKBOOK_STORE"] = str(root / "s")
shell = InteractiveShell.instance()
shell.run_cell("%load_ext trackbook")
def cell(text):
    result = shell.run_cell(text, store_history=True)
    assert result.success, result.error_in_exec
shell.user_ns.update(fill=fill, free=free)
cell("%%track one\\nacc = sum([1, 2]) / 4")
fill()
cell("%%track two\\nacc = sum([1, 2]) / 4")
free()
cell("%%track three\\nfill()\\nacc = sum([1, 2]) / 4")
cell("1 + 1")
free()
until(lambda: tb.get_run("three").status == "finished")
cell("%%track four\\nacc = sum([1, 2]) / 4")
for run in tb.runs():
    print(run.name, run.status, run.metrics)
"""


def test_cells_go_on_and_are_tracked_again_when_there_is_room(disk: Disk) -> None:
    done = disk(CELLS)
    assert [line for line in out(done) if "finished" in line] == [
        "four finished {'acc': 0.75}",
        "three finished {'acc': 0.75}",
        "one finished {'acc': 0.75}",
    ]
    assert done.stderr.count("this cell is not tracked") == 1
    assert "is off" not in done.stderr
