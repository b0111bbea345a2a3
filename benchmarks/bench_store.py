"""What the store costs, beside the goals: ratios to something plain in the same run.

CPU time of the process, the least of several repeats, unless a row says otherwise. ``--full`` adds
a store of 100,000 runs, which takes 1 GB of disk for some minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

import trackbook
from trackbook.jsonable import dumps
from trackbook.model import Document, new_document
from trackbook.store import LocalStore

POINTS = 100_000
Action = Callable[[], object]


class Row(NamedTuple):
    """A line of the table; ``value`` is what the goal is about."""

    what: str
    value: float
    unit: str
    goal: float | None = None
    detail: str = ""

    def text(self) -> str:
        goal = "" if self.goal is None else f"{self.goal:,g} {self.unit}"
        missed = "" if self.goal is None or self.value <= self.goal else "**missed** "
        return f"| {self.what} | {goal} | {self.value:,.3g} {self.unit} | {missed}{self.detail} |"


def cpu(action: Action) -> float:
    began = time.process_time()
    action()
    return time.process_time() - began


def least(action: Action, repeats: int = 7) -> float:
    return min(cpu(action) for _ in range(repeats))


def megabytes(field: str) -> float:
    """Memory of this process: ``VmRSS`` now, ``VmHWM`` at most."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return 0.0


# -- a store of many runs --------------------------------------------------------------------------

_WORDS = ["adam", "sgd", "rf", "boosting", "linear", "mlp", "cnn", "baseline"]


def document(i: int, chance: random.Random) -> Document:
    """About 1.4 kB of JSON and 43 fields, like a run of a small model."""
    started = 1.7e9 + i * 300 + chance.random()
    made = new_document(name=chance.choice(_WORDS), experiment=f"notebooks/part{i % 5}")
    made.update(number=i + 1, series=f"part{i % 5}.ipynb#{i % 7}", status="finished")
    made.update(started=started, ended=started + chance.random() * 100, user="ada", host="lab1")
    made["id"] = time.strftime("%Y%m%d-%H%M%S-", time.gmtime(started)) + made["id"][16:]
    made["params"] = {f"p{j}": chance.random() for j in range(8)}
    made["params"].update({f"n{j}": chance.randrange(1000) for j in range(4)})
    made["params"].update(model=chance.choice(_WORDS), opt={"name": "adam", "lr": 10**-3})
    made["summary"] = {
        key: {"last": chance.random(), "min": 0.01, "max": chance.random(), "count": 90}
        for key in ("loss", "acc", "val/loss", "val/acc")
    }
    made["tags"] = {"team": "a"} if i % 3 else {}
    made["git"] = {"commit": f"{chance.getrandbits(160):040x}", "branch": "main", "dirty": True}
    made["env"] = {"python": "3.11.7", "packages": {f"package{j}": "1.0" for j in range(8)}}
    return made


def build(root: Path, runs: int) -> None:
    """The run folders as kernels leave them, and nothing else."""
    LocalStore(root).prepare()
    chance = random.Random(runs)
    for i in range(runs):
        made = document(i, chance)
        place = root / "runs" / made["id"][:8] / made["id"]
        place.mkdir(parents=True)
        (place / "run.json").write_bytes(dumps(made, pretty=True))
    shutil.rmtree(root / "index")


def elsewhere(part: str, *arguments: object) -> dict[str, Any]:
    """A part of this program in a Python of its own."""
    command = [sys.executable, __file__, "--part", part, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


# -- logging ---------------------------------------------------------------------------------------


def rows_of_logging(folder: Path) -> Iterator[Row]:
    trackbook.set_store(folder / "log")
    run = trackbook.start_run("bench")
    metrics = {f"m{i}": 0.5 for i in range(10)}
    log_metric, log_metrics = run.log_metric, run.log_metrics

    def empty(key: str, value: float) -> None: ...

    def empties() -> None:
        for _ in range(POINTS):
            empty("loss", 0.5)

    def points() -> None:
        for _ in range(POINTS):
            log_metric("loss", 0.5)

    def tens() -> None:
        for _ in range(POINTS // 10):
            log_metrics(metrics)

    __import__("numpy")  # as in any kernel that trains something
    # By turns, so that what else runs here meets all of them alike.
    nothing, one, ten = map(
        min, zip(*(map(cpu, (empties, points, tens)) for _ in range(12)), strict=True)
    )
    nothing, one, ten = nothing / POINTS, one / POINTS, ten / POINTS * 10
    yield Row("`log_metric`, auto-step", one / nothing, "empty calls", 12, f"{one * 1e6:.2f} us")
    yield Row("`log_metrics` of ten", ten / nothing, "empty calls", 60, f"{ten * 1e6:.2f} us")
    worst = min(slowest_call(log_metric) for _ in range(3))
    yield Row("slowest of 1,000,000 calls", worst * 1e3, "ms", 10, "waits for our thread included")
    run.end()
    place = folder / "log" / "runs" / run.id[:8] / run.id
    size, count = (place / "metrics.bin").stat().st_size, run.summary()["loss"]["count"]
    count += 10 * run.summary()["m0"]["count"]
    yield Row("disk, a point", size / count, "bytes", 28)


def slowest_call(log_metric: Callable[[str, float], None]) -> float:
    worst, clock = 0.0, time.process_time
    for _ in range(1_000_000):
        began = clock()
        log_metric("loss", 0.5)
        took = clock() - began
        if took > worst:
            worst = took
    return worst


def rows_of_points(folder: Path) -> Iterator[Row]:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.ipc

    trackbook.set_store(folder / "points")
    run = trackbook.start_run("bench")
    for value in np.random.default_rng(0).random(1_000_000).tolist():
        run.log_metric("loss", value)
    run.end()
    history = trackbook.get_run(run.id).history("loss")
    # What an Arrow file has to hold to tell as much as a metric log does.
    seconds = history["time"].astype("int64") / 1e6
    log = history.assign(key="loss", time=seconds)[["key", "step", "time", "value"]]

    def written(name: str, frame: Any) -> Path:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        sink = pa.OSFile(str(folder / name), "wb")
        with sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        return folder / name

    def read(file: Path) -> Any:
        with pa.OSFile(str(file), "rb") as source:
            return pyarrow.ipc.open_file(source).read_all().to_pandas()

    def as_log() -> Any:
        frame = read(log_file)
        frame["time"] = pd.to_datetime(frame["time"] * 1e6, unit="us", utc=True)
        return frame

    log_file, plain_file = written("log.arrow", log), written("plain.arrow", history)
    ours = least(lambda: trackbook.get_run(run.id).history("loss"))
    what = "1,000,000 points to a DataFrame"
    detail = f"{ours * 1e3:.1f} ms"
    yield Row(what, ours / least(as_log), "of Arrow IPC", 1, f"a file of the log; {detail}")
    ratio = ours / least(lambda: read(plain_file))
    yield Row(what, ratio, "of Arrow IPC", None, "a file of that very frame, no key in it")


# -- starting and finishing ------------------------------------------------------------------------


def part_starting(root: str) -> dict[str, Any]:
    """What a kernel pays that only writes."""
    trackbook.set_store(root)

    def one() -> None:
        with trackbook.start_run("bench"):
            pass

    first = cpu(one)
    took = least(lambda: [one() for _ in range(10)], 10) / 10
    return {"first": first, "run": took, "rss": megabytes("VmRSS")}


def rows_of_starting(roots: dict[int, Path]) -> Iterator[Row]:
    took = {}
    for runs, root in roots.items():
        found = elsewhere("starting", root)
        took[runs] = found["run"]
        yield Row(
            f"start + finish, {runs:,} runs in the store",
            found["run"] * 1e3,
            "ms",
            2,
            f"the first of a process {found['first'] * 1e3:.1f} ms; RSS {found['rss']:.0f} MB",
        )
    most = max(roots)
    yield Row(f"start + finish, {most:,} runs / none", took[most] / took[0], "times", 1.5)


# -- reading ---------------------------------------------------------------------------------------


def part_reading(root: str, pandas: str) -> dict[str, Any]:
    """A fresh reader: open, count, and with pandas a frame, twice."""
    if pandas:
        import pandas as pd

        pd.DataFrame({"a": [1.0], "b": ["x"], "c": pd.to_datetime([1], unit="us", utc=True)})
    base = megabytes("VmRSS")
    began = time.perf_counter()
    store = trackbook.open_store(root)
    found: dict[str, Any] = {"base": base}
    if pandas:
        found["first"] = cpu(lambda: store.runs().to_pandas())
        found["wall"] = time.perf_counter() - began
        found["second"] = least(lambda: store.runs().to_pandas())
    else:
        found["first"] = cpu(lambda: store.runs(limit=1))
    found.update(rss=megabytes("VmRSS"), peak=megabytes("VmHWM"))
    hit = f"params.p0 == {store.runs(limit=1)[0].params['p0']!r}"
    found["hits"] = len(store.runs(hit))
    found["search"] = least(lambda: store.runs(hit))
    return found


def part_rebuilding(root: str) -> dict[str, Any]:
    store = LocalStore(Path(root))
    rebuild = cpu(lambda: store.find(limit=1))
    (Path(root) / "index" / "catalog.json").unlink()
    written = cpu(store.write_back)
    store.next_number("any")
    return {"rebuild": rebuild, "write": written}


def rows_of_reading(root: Path, runs: int) -> Iterator[Row]:
    rebuilt = elsewhere("rebuilding", root)
    yield Row(f"{runs:,} runs: catalogue made from the folders", rebuilt["rebuild"], "s")
    yield Row(f"{runs:,} runs: `catalog.json` written", rebuilt["write"], "s")
    lines = (root / "index" / "catalog.json").read_bytes().splitlines()[1:-1]
    texts = [line.partition(b":")[2].rstrip(b",") for line in lines]
    size = sum(map(len, texts)) / runs
    parse = least(lambda: [orjson.loads(text) for text in texts], 3)
    yield Row(
        f"{runs:,} runs: `orjson.loads` of the documents", parse, "s", None, f"{size:.0f} B each"
    )
    plain, framed = elsewhere("reading", root, ""), elsewhere("reading", root, "pandas")
    if framed["hits"] != 1:
        raise SystemExit(f"the search found {framed['hits']} runs")
    small = runs <= 10_000
    for what, key, goal in (("fresh process", "first", 3), ("again", "second", 0.3)):
        yield Row(
            f"{runs:,} runs to a DataFrame, {what}",
            framed[key] / parse,
            "of loads",
            goal if small else None,
            f"{framed[key] * 1e3:.0f} ms",
        )
    if not small:
        wall = f"wall {framed['wall']:.1f} s"
        yield Row(f"{runs:,} runs opened and framed", framed["first"], "s", 3, wall)
        yield Row(f"{runs:,} runs, one hit", framed["search"] * 1e3, "ms", 250, "`params.p0 == x`")
    limit = 100 if small else 300
    for what, found in (("listing", plain), ("framing, pandas loaded", framed)):
        detail = f"{found['base']:.0f} MB before; at most {found['peak']:.0f} MB"
        # pandas alone is more than the goal of the small store.
        goal = limit if found["base"] < limit else None
        yield Row(f"{runs:,} runs, memory of a reader {what}", found["rss"], "MB", goal, detail)


def part_owning(root: str, runs: str) -> dict[str, Any]:
    """Own open runs until told to end."""
    store = LocalStore(Path(root))
    writers = [store.create(new_document(name="open", experiment="e")) for _ in range(int(runs))]
    sys.stdout.write(f"{len(writers)}\n")
    sys.stdout.flush()
    sys.stdin.read()
    return {}


@contextlib.contextmanager
def owner(root: Path, runs: int) -> Iterator[None]:
    command = [sys.executable, __file__, "--part", "owning", str(root), str(runs)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]
        process.stdout.readline()
        yield
        process.communicate()


def rows_of_refreshing(root: Path, runs: int) -> Iterator[Row]:
    store = LocalStore(root)
    store.find(limit=1)
    (log,) = (root / "index" / "changes").glob("*.log")
    for i in range(7):
        shutil.copy(log, log.with_name(f"host{i}-{i}.log"))

    def quiet() -> float:
        time.sleep(3.1)  # until no folder counts as new
        store.changes(1)
        return min(cpu(lambda: [store.changes(1) for _ in range(50)]) / 50 for _ in range(9)) * 1e6

    alone = quiet()
    yield Row(f"{runs:,} runs: refresh, nothing new, 8 notice files", alone, "us", 100)
    with owner(root, 20):
        more = (quiet() - alone) / 20
    yield Row(f"{runs:,} runs: an open run more", more, "us", 20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="also a store of 100,000 runs")
    parser.add_argument("--part", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        name, *rest = arguments.part
        sys.stdout.write(json.dumps(globals()[f"part_{name}"](*rest)) + "\n")
        return
    sys.stdout.write("| what | goal | measured | |\n|---|---:|---:|---|\n")
    with tempfile.TemporaryDirectory() as name:
        for row in rows(Path(name), (10_000, 100_000) if arguments.full else (10_000,)):
            sys.stdout.write(row.text() + "\n")
            sys.stdout.flush()


def rows(folder: Path, sizes: tuple[int, ...]) -> Iterator[Row]:
    yield from rows_of_logging(folder)
    yield from rows_of_points(folder)
    roots = {0: folder / "empty"}
    LocalStore(roots[0]).prepare()
    for runs in sizes:
        root = roots[runs] = folder / f"store{runs}"
        build(root, runs)
        time.sleep(3.1)  # until no folder counts as new
        yield from rows_of_reading(root, runs)
    # These add runs.
    yield from rows_of_starting(roots)
    for runs in sizes:
        yield from rows_of_refreshing(roots[runs], runs)


if __name__ == "__main__":
    main()
