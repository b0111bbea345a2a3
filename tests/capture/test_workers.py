"""Processes that a run's process starts: nothing they log is lost, doubled or in the way."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import trackbook as tb
from trackbook.model import Document
from trackbook.store import open_store

WORK = """
import os, sys
import trackbook as tb

def work(n):
    tb.log_metric("n", n)
    tb.log_param(f"p{n}", n)
    return os.getpid()
"""


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
    return tmp_path


def run_script(folder: Path, body: str) -> None:
    (folder / "train.py").write_text(WORK + textwrap.dedent(body), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "train.py"], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stderr, done.stderr


def documents() -> list[Document]:
    return open_store().find(sort="started", archived=True)


def check(points: list[float]) -> None:
    """One finished parent without points, and its workers, who have all of them between them."""
    parents = [d for d in documents() if d["kind"] == "run"]
    workers = [d for d in documents() if d["kind"] == "worker"]
    assert len(parents) == 1
    assert len(parents) + len(workers) == len(documents())
    assert workers
    assert {d["parent"] for d in workers} == {parents[0]["id"]}
    assert {d["status"] for d in documents()} == {"finished"}
    store = open_store()
    found = [v for d in workers for v in store.points(d["id"])["n"].value.tolist()]
    assert sorted(found) == points
    assert "n" not in parents[0]["summary"]
    assert sum(len(d["params"]) for d in workers) == len(points)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_pool_of_each_kind_makes_one_worker_run_a_process(script: Path, method: str) -> None:
    run_script(
        script,
        f"""
        if __name__ == "__main__":
            import multiprocessing
            with tb.start_run("train"):
                with multiprocessing.get_context("{method}").Pool(2) as pool:
                    pids = pool.map(work, range(8), chunksize=1)
            assert os.getpid() not in pids
        """,
    )
    check([float(n) for n in range(8)])
    assert [run.name for run in tb.runs()] == ["train"]  # its workers are folded
    assert 1 <= len(tb.get_run("train").children) <= 2
    assert 1 <= sum(d["kind"] == "worker" for d in documents()) <= 2


def test_joblib_workers_are_workers(script: Path) -> None:
    run_script(
        script,
        """
        if __name__ == "__main__":
            from joblib import Parallel, delayed
            with tb.start_run("train"):
                Parallel(n_jobs=2)(delayed(work)(n) for n in range(6))
            from joblib.externals.loky import get_reusable_executor
            get_reusable_executor().shutdown()
        """,
    )
    check([float(n) for n in range(6)])


def test_a_run_that_came_along_by_a_fork_logs_into_the_childs_own(script: Path) -> None:
    run_script(
        script,
        """
        run = tb.start_run("train")
        pids = []
        for n in range(2):
            pid = os.fork()
            if pid == 0:
                run.log_metric("n", n)
                run.log_param(f"p{n}", n)
                run.end()
                sys.exit(0)
            pids.append(pid)
        for pid in pids:
            os.waitpid(pid, 0)
        """,
    )
    check([0.0, 1.0])


def test_a_run_that_a_worker_starts_is_a_child(script: Path) -> None:
    run_script(
        script,
        """
        def one(n):
            with tb.start_run("part", params={"n": n}):
                tb.log_metric("m", n)

        if __name__ == "__main__":
            import multiprocessing
            with tb.start_run("train"):
                with multiprocessing.get_context("fork").Pool(2) as pool:
                    pool.map(one, range(3))
        """,
    )
    parent = tb.get_run("train")
    children = tb.runs('name == "part"', sort="params.n")
    assert [run.params["n"] for run in children] == [0, 1, 2]
    assert all(run.parent is not None and run.parent.id == parent.id for run in children)
    assert all(run.status == "finished" for run in children)


def test_a_pool_that_outlives_a_run_works_for_the_next(script: Path) -> None:
    run_script(
        script,
        """
        if __name__ == "__main__":
            import multiprocessing, time
            pool = multiprocessing.get_context("spawn").Pool(1)
            for name in ("one", "two"):
                with tb.start_run(name):
                    pool.map(work, [1, 2])
                time.sleep(1.1)
            pool.close()
            pool.join()
        """,
    )
    workers = [d for d in documents() if d["kind"] == "worker"]
    assert [d["parent"] for d in workers] == [tb.get_run("one").id, tb.get_run("two").id]
    assert [d["summary"]["n"]["count"] for d in workers] == [2, 2]


def test_a_program_started_by_a_run_is_no_worker(script: Path) -> None:
    run_script(
        script,
        """
        import subprocess
        with tb.start_run("train"):
            code = "import trackbook as tb; tb.log_metric('m', 1)"
            subprocess.run([sys.executable, "-c", code], check=True)
        """,
    )
    assert {d["kind"] for d in documents()} == {"run"}


def test_a_fork_waits_for_what_a_thread_imports(script: Path) -> None:
    (script / "slow.py").write_text("import time\ntime.sleep(1)\n", encoding="utf-8")
    run_script(
        script,
        """
        import threading
        from trackbook.store import os_calls
        begun = threading.Event()

        def work():
            with os_calls.no_forks():
                begun.set()
                import slow

        threading.Thread(target=work).start()
        begun.wait()
        if os.fork() == 0:
            import slow  # would wait for ever for a thread that is not in this process
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.wait()[1]) == 7
        """,
    )
