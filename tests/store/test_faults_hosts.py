"""Owners that die, sleep or live elsewhere; locks that fail; clocks that disagree or jump."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults import Host, line, may_mount, python, start, tell

from trackbook.errors import InvalidValue
from trackbook.jsonable import dumps, loads
from trackbook.model import Document
from trackbook.store import LocalStore

# Logs, says the run's id, and then lives until it is told otherwise.
OWNER = """
import sys
import trackbook as tb
tb.set_store(sys.argv[1])
run = tb.start_run("forest", params={"a": 1})
for i in range(100):
    tb.log_metric("loss", i / 7)
run._writer.flush()
print(run.id, flush=True)
input()
"""
READER = """
import sys
tb.set_store(sys.argv[1])
while True:
    run = tb.get_run(sys.argv[2])
    points = run.summary.get("loss", {"count": 0})["count"]
    print(run.status, len(tb.runs("status == 'lost'")), int(points), flush=True)
    input()
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "s"


@contextlib.contextmanager
def living(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def seen(root: Path, run_id: str) -> Document:
    """The run as a reader that starts now sees it."""
    return LocalStore(root).document(run_id)


def lock_of(root: Path, run_id: str) -> Path:
    return root / "runs" / run_id[:8] / run_id / "owner.lock"


# -- on one machine --------------------------------------------------------------------------------


def test_a_killed_owner_is_lost_at_once_though_its_pid_lives_again(root: Path) -> None:
    with living(start(OWNER, root)) as owner:
        run_id = line(owner)
        watching = LocalStore(root)
        assert watching.document(run_id)["status"] == "running"
        kill(owner)
        sign = loads(lock_of(root, run_id).read_bytes())
        lock_of(root, run_id).write_bytes(dumps({**sign, "pid": os.getpid()}))
        for store in (watching, LocalStore(root)):
            (found,) = store.find('status == "lost"')
            assert found["id"] == run_id
            assert found["summary"]["loss"]["count"] == 100
            assert found["params"] == {} or found["params"] == {"a": 1}
            assert found["started"] <= found["ended"] <= time.time()


@pytest.mark.skipif(not may_mount(), reason="this user may make no namespace")
def test_an_owner_in_another_pid_namespace_is_seen(root: Path) -> None:
    """As in a container: the pid means nothing here, the lock does."""
    inside = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    inside += () if os.getuid() == 0 else ("--map-root-user",)
    with living(start(OWNER, root, prefix=inside)) as owner:
        run_id = line(owner)
        watching = LocalStore(root)
        assert watching.document(run_id)["status"] == "running"
        assert loads(lock_of(root, run_id).read_bytes())["pid"] == 1
        kill(owner)
        end = time.time() + 5
        while watching.document(run_id)["status"] == "running" and time.time() < end:
            time.sleep(0.05)  # until the kernel has ended the namespace
        assert watching.document(run_id)["status"] == "lost"


def test_what_ran_before_this_machine_was_started_anew_is_lost(root: Path, tmp_path: Path) -> None:
    before = Host(tmp_path, "desk", boot="first", machine="m")
    with living(before.start(OWNER, root)) as owner:
        run_id = line(owner)
        kill(owner)
    after = Host(tmp_path, "desk", boot="second", machine="m")
    with living(after.start(READER, root, run_id)) as reader:
        assert line(reader) == "lost 1 100"
    # Another machine of the same name knows nothing of that: it waits for a sign of life.
    namesake = Host(tmp_path, "desk", boot="third", machine="another")
    with living(namesake.start(READER, root, run_id)) as reader:
        assert line(reader).startswith("running 0")


def test_a_suspended_owner_is_not_dead(root: Path) -> None:
    with living(start(OWNER, root)) as owner:
        run_id = line(owner)
        owner.send_signal(signal.SIGSTOP)
        assert seen(root, run_id)["status"] == "running"
        again = python(
            """
            import sys
            import trackbook as tb
            tb.set_store(sys.argv[1])
            tb.start_run(run_id=sys.argv[2])
            """,
            root,
            run_id,
        )
        assert again.returncode == 1
        assert again.stderr.splitlines()[-1].endswith("end it there first")
        owner.send_signal(signal.SIGCONT)


# -- several machines, one folder ------------------------------------------------------------------


@pytest.mark.parametrize("locks", ["alone", "fail"])
def test_an_owner_on_another_machine_is_believed_for_ten_minutes(
    root: Path, tmp_path: Path, locks: str
) -> None:
    there = Host(tmp_path, "there", locks=locks)
    here = Host(tmp_path, "here", locks=locks)
    there.set_clock(-7200)  # two hours behind
    with living(there.start(OWNER, root)) as owner:
        run_id = line(owner)
        with living(here.start(READER, root, run_id)) as reader:
            assert line(reader).startswith("running 0")
            kill(owner)
            for passed, status in ((590, "running 0"), (605, "lost 1 100")):
                here.let_pass(passed)
                tell(reader)
                assert line(reader).startswith(status)
        # Without any memory of what another reader saw, a first look believes the owner again.
        (root / "index" / "catalog.json").unlink(missing_ok=True)
        assert here.run(
            READER.replace("while True", "for _ in '1'").replace("input()", "pass"), root, run_id
        ).startswith("running 0")


def test_the_heartbeat_advances_though_the_clock_jumps_back(root: Path, tmp_path: Path) -> None:
    host = Host(tmp_path, "there", locks="alone")
    with living(host.start(OWNER, root)) as owner:
        run_id = line(owner)
        first = loads(lock_of(root, run_id).read_bytes())["heartbeat"]
        host.set_clock(-7200)
        host.let_pass(31)
        end = time.time() + 5
        while time.time() < end:
            beat = loads(lock_of(root, run_id).read_bytes() or b'{"heartbeat": ""}')["heartbeat"]
            if beat != first:
                break
            time.sleep(0.05)
        assert float(beat) < float(first) - 7000


def test_an_owner_that_slept_while_its_run_was_resumed_writes_no_more(
    root: Path, tmp_path: Path
) -> None:
    laptop, server = (
        Host(tmp_path, "laptop", locks="alone"),
        Host(tmp_path, "server", locks="alone"),
    )
    with living(
        laptop.start(
            OWNER
            + """
for i in range(100):
    tb.log_metric("loss", -1.0)
tb.log_param("late", True)
time.sleep(1)
tb.end_run()
""",
            root,
        )
    ) as owner:
        run_id = line(owner)
        owner.send_signal(signal.SIGSTOP)
        resume = """
import sys
tb.set_store(sys.argv[1])
found = tb.get_run(sys.argv[2])
print(found.status, flush=True)
input()
run = tb.start_run(run_id=sys.argv[2])
tb.log_metric("loss", 1000.0)
tb.log_param("b", 2)
tb.end_run()
print("done", flush=True)
"""
        with living(server.start(resume, root, run_id)) as other:
            assert line(other) == "running"
            server.let_pass(601)
            tell(other)
            assert line(other) == "done"
        laptop.let_pass(700)
        owner.send_signal(signal.SIGCONT)
        time.sleep(0.5)
        tell(owner)
        _, error = owner.communicate(timeout=20)
    document = seen(root, run_id)
    assert document["status"] == "finished"
    assert document["params"]["b"] == 2
    assert "late" not in document["params"]
    assert document["summary"]["loss"] == {"last": 1000.0, "min": 0.0, "max": 1000.0, "count": 101}
    assert error.count("another process has resumed run forest #1") >= 1


def test_two_hosts_write_one_store_with_clocks_two_hours_apart(root: Path, tmp_path: Path) -> None:
    """Neither sees the other's locks. Each run is there at once, in the order of its own clock."""
    code = """
import sys
tb.set_store(sys.argv[1])
print("ready", flush=True)
for i in range(10):
    input()
    with tb.start_run(sys.argv[2], params={"i": i}):
        tb.log_metric("acc", i)
    print(i, flush=True)
"""
    early, late = Host(tmp_path, "early", locks="alone"), Host(tmp_path, "late", locks="alone")
    early.set_clock(-7200)
    watching = LocalStore(root)
    with living(early.start(code, root, "e")) as one, living(late.start(code, root, "l")) as two:
        assert (line(one), line(two)) == ("ready", "ready")
        for i in range(1, 11):
            for process in (one, two):
                tell(process)
                line(process)
            names = [document["name"] for document in watching.find()]
            assert names == ["l"] * i + ["e"] * i
    (root / "index" / "catalog.json").unlink(missing_ok=True)
    assert len(LocalStore(root).find('status == "finished"')) == 20
    assert len(list((root / "index" / "changes").iterdir())) == 2


def test_a_clock_that_jumps_back_in_a_run_loses_nothing(root: Path, tmp_path: Path) -> None:
    host = Host(tmp_path, "there")
    code = """
import sys
tb.set_store(sys.argv[1])
run = tb.start_run("forest")
for i in range(50):
    tb.log_metric("loss", i)
print(run.id, flush=True)
input()
for i in range(50, 100):
    tb.log_metric("loss", i)
tb.end_run()
tb.get_run(run.id).set_note("first")
tb.get_run(run.id).set_note("second")
print(tb.get_run(run.id).duration, flush=True)
"""
    with living(host.start(code, root)) as process:
        run_id = line(process)
        host.set_clock(-7200)
        tell(process)
        assert 0 <= float(line(process)) < 60
        process.wait()
    document = seen(root, run_id)
    assert document["status"] == "finished"
    assert document["ended"] >= document["started"]
    assert document["note"] == "second"
    points = LocalStore(root).points(run_id)["loss"]
    assert points.value.tolist() == points.step.tolist() == list(range(100))
    assert points.time[-1] < points.time[0]


# -- what people do with a lost run ----------------------------------------------------------------


@pytest.fixture
def lost(root: Path) -> str:
    with living(start(OWNER, root)) as owner:
        return line(owner)


def test_a_lost_run_is_resumed(root: Path, lost: str) -> None:
    done = python(
        """
        import sys
        import trackbook as tb
        tb.set_store(sys.argv[1])
        with tb.start_run(run_id=sys.argv[2]) as run:
            tb.log_metric("loss", 5.0)
        found = tb.get_run(run.id)
        print(found.status, found.summary["loss"]["count"], found.history("loss")["step"].max())
        """,
        root,
        lost,
    )
    assert done.stdout.split() == ["finished", "101", "100"], done.stderr


def test_a_lost_run_is_closed_and_that_can_be_undone(root: Path, lost: str) -> None:
    store = LocalStore(root)
    store.edit(lost, {"status": "failed"})
    for reader in (store, LocalStore(root)):
        assert [d["id"] for d in reader.find('status == "failed"')] == [lost]
    with pytest.raises(InvalidValue, match="finished, failed, interrupted"):
        store.edit(lost, {"status": "running"})
    store.undo(lost)
    assert store.document(lost)["status"] == "lost"
    store.edit(lost, {"status": "interrupted"})
    # Resumed, it is its new owner's, and lost again it is lost.
    writer = store.resume(lost)
    writer.document.update(status="running", ended=None)
    writer.save()
    assert store.document(lost)["status"] == "running"
    with pytest.raises(InvalidValue, match="only a lost run"):
        store.edit(lost, {"status": "failed"})
    assert writer._ownership is not None
    os.close(writer._ownership._fd or -1)  # as when its process dies
    writer._ownership._fd = None
    assert store.document(lost)["status"] == "lost"
