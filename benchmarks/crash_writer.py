"""A process that uses Trackbook and says on stdout what it was promised, for ``bench_kills.py``.

    python crash_writer.py STORE mixed SEED    # start, log, blob, edit, catalogue, finish, again
    python crash_writer.py STORE fast SEED     # one run, 20,000 points a second

Lines are ``> phase`` before and ``< phase`` after each phase, with the seconds of a clock, and what
was acknowledged: ``started ID``, ``points ID N TIME``, ``blob ID NAME``, ``edited ID TAG``,
``finished ID N``.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trackbook as tb
from trackbook.store import LocalStore

BLOB_BYTES = 2 << 20
POINTS = 200


def content(name: str) -> bytes:
    """What the artifact of this name consists of; random, so that nothing shrinks it."""
    return random.Random(name).randbytes(BLOB_BYTES)


def say(*words: object) -> None:
    """One line, in one call: a killed process has said it or has not."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


@contextmanager
def phase(name: str) -> Iterator[None]:
    say(">", name, time.monotonic())
    yield
    say("<", name, time.monotonic())


def mixed(root: Path, seed: str, scratch: Path) -> None:
    reader = LocalStore(root)
    for n in range(1_000_000):
        with phase("start"):
            run = tb.start_run("mixed", params={"n": n, "seed": seed}, tags={"kind": "mixed"})
        say("started", run.id)
        with phase("log"):
            for i in range(POINTS):
                tb.log_metrics({"loss": 1.0 / (i + 1), "acc": float(i)})
                time.sleep(0.0005)
        say("points", run.id, POINTS, time.time())
        name = f"{seed}-{n}.bin"
        file = scratch / name
        file.write_bytes(content(name))
        with phase("blob"):
            tb.log_artifact(file)
        say("blob", run.id, name)
        with phase("edit"):
            tb.get_run(run.id).set_tag(f"edit{n}", n)
        say("edited", run.id, f"edit{n}")
        with phase("catalogue"):
            reader.find()
            reader.write_back()
        with phase("finish"):
            tb.end_run()
        say("finished", run.id, POINTS)


def fast(_root: Path, seed: str, _scratch: Path) -> None:
    run = tb.start_run("fast", params={"seed": seed})
    say("started", run.id)
    began, done = time.perf_counter(), 0
    while True:
        wanted = int((time.perf_counter() - began) * 20_000)
        for i in range(done, wanted):
            tb.log_metric("loss", 1.0 / (i + 1), i)
        if wanted > done:
            done = wanted
            say("points", run.id, done, time.time())
        time.sleep(0.01)


def main() -> None:
    root, kind, seed = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    tb.set_store(root)
    with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
        {"mixed": mixed, "fast": fast}[kind](root, seed, Path(scratch))


if __name__ == "__main__":
    main()
