"""What every tool is asked to do: one workload, in one fresh process of the tool's environment.

    python workloads.py ADAPTER WORKLOAD FOLDER RESULT.json '{"cap": 10, ...}'

The result is a JSON object of numbers and short texts. An adapter is a module of ``adapters/`` with

* ``open_in(folder)``: have the tool keep its runs there;
* ``record(name, params, body) -> id``: start a run, log the params, call ``body(run)``, finish;
  ``run`` has ``id``, ``metric(key, value, step)`` and ``metrics(mapping, step)``, and where single
  calls would take minutes ``many(key, values)``;
* ``read(run_id, key) -> DataFrame`` of all points, ``listing() -> DataFrame`` of all runs with
  their params and last values, ``status(run_id) -> str`` as the tool shows it;
* ``settle()``, where a reader needs something done first (never within a time);
* ``multiply(count) -> int``: copy runs under new ids until there are so many, where that can be.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TEN = [f"metric{i}" for i in range(10)]
Result = dict[str, Any]


def nothing(_run: Any) -> None:
    """A run without content."""


def small_run(run: Any) -> None:
    """Ten metrics once: the content of the runs that are listed, which have ten params too."""
    run.metrics(dict.fromkeys(TEN, 0.5), 0)


def many_params(count: int) -> dict[str, Any]:
    return {f"param{i}": i * 0.5 if i % 2 else f"value{i}" for i in range(count)}


def repeated(tool: Any, params: dict[str, Any], options: Result) -> tuple[float, list[float]]:
    """Milliseconds of the first and of each further run, start to finish."""
    times = []
    end = time.perf_counter() + options["cap"]
    while len(times) < 2 or (time.perf_counter() < end and len(times) < options["runs"]):
        began = time.perf_counter()
        tool.record("run", params, nothing)
        times.append((time.perf_counter() - began) * 1e3)
    return times[0], times[1:]


# -- writing ---------------------------------------------------------------------------------------


def empty_runs(tool: Any, options: Result) -> Result:
    first, others = repeated(tool, {}, options)
    return {"first_ms": first, "run_ms": statistics.median(others), "runs": len(others) + 1}


def param_runs(tool: Any, options: Result) -> Result:
    _, others = repeated(tool, many_params(100), options)
    return {"params_ms": statistics.median(others), "runs": len(others) + 1}


def timed(tool: Any, options: Result, steps: int, call: Callable[[Any, int], None]) -> list[float]:
    """Seconds of each call, and at the end those of all calls together with closing the run."""
    times: list[float] = []
    clock = time.perf_counter
    began = 0.0

    def body(run: Any) -> None:
        nonlocal began
        began = clock()
        end = began + options["cap"]
        for i in range(steps):
            before = clock()
            call(run, i)
            after = clock()
            times.append(after - before)
            if after > end:
                break

    tool.record("calls", {}, body)
    return [*times, clock() - began]


def single_calls(tool: Any, options: Result) -> Result:
    *times, whole = timed(
        tool, options, options["calls"], lambda run, i: run.metric("loss", 1.0 / (i + 1), i)
    )
    return {
        "call_p50_us": statistics.median(times) * 1e6,
        "call_worst_ms": max(times) * 1e3,
        "call_closed_us": whole / len(times) * 1e6,
        "calls": len(times),
    }


def ten_a_step(tool: Any, options: Result) -> Result:
    def call(run: Any, i: int) -> None:
        run.metrics(dict.fromkeys(TEN, 1.0 / (i + 1)), i)

    *times, whole = timed(tool, options, options["calls"] // 10, call)
    return {"ten_p50_us": statistics.median(times) * 1e6, "ten_closed_us": whole / len(times) * 1e6}


def curve(tool: Any, options: Result) -> Result:
    """A long curve for ``read_curve``; not timed."""
    before = disk(options["folder"])
    written = 0

    def body(run: Any) -> None:
        nonlocal written
        end = time.perf_counter() + options["build_cap"]
        values = [1.0 / (i + 1) for i in range(options["points"])]
        if hasattr(run, "many"):
            run.many("loss", values)
            written = len(values)
            return
        for i, value in enumerate(values):
            run.metric("loss", value, i)
            written = i + 1
            if i % 100 == 0 and time.perf_counter() > end:
                break

    run_id = tool.record("curve", {}, body)
    settle(tool)
    return {
        "run_id": run_id,
        "points": written,
        "bytes_a_point": (disk(options["folder"]) - before) / written,
    }


def store(tool: Any, options: Result) -> Result:
    """Many small runs for ``list_runs``: the tool's own until the cap, then copies."""
    end = time.perf_counter() + options["build_cap"]
    before, written = disk(options["folder"]), 0
    bytes_before = content(options["folder"])
    params = many_params(10)
    while written < options["count"] and time.perf_counter() < end:
        tool.record(f"run{written}", params, small_run)
        written += 1
    settle(tool)
    size = (disk(options["folder"]) - before) / written
    inside = (content(options["folder"]) - bytes_before) / written
    there = written
    if there < options["count"] and hasattr(tool, "multiply"):
        there = tool.multiply(options["count"])
    return {"written": written, "runs": there, "bytes_a_run": size, "content_a_run": inside}


def one_more(tool: Any, _options: Result) -> Result:
    """A new run before each listing, so that no reader finds everything as it left it."""
    tool.record("one more", many_params(10), small_run)
    settle(tool)
    return {}


def settle(tool: Any) -> None:
    if hasattr(tool, "settle"):
        tool.settle()


# -- reading ---------------------------------------------------------------------------------------


def read_curve(tool: Any, options: Result) -> Result:
    __import__("pandas")
    began = time.perf_counter()
    frame = tool.read(options["run_id"], "loss")
    took = time.perf_counter() - began
    return {"read_ms": took * 1e3, "points": len(frame), "memory_mb": memory()}


def list_runs(tool: Any, _options: Result) -> Result:
    __import__("pandas")
    began = time.perf_counter()
    frame = tool.listing()
    first = time.perf_counter() - began
    began = time.perf_counter()
    tool.listing()
    again = time.perf_counter() - began
    return {
        "list_ms": first * 1e3,
        "again_ms": again * 1e3,
        "runs": len(frame),
        "columns": frame.shape[1],
        "memory_mb": memory(),
    }


def kept(tool: Any, _options: Result) -> Result:
    """How many runs a reader finds."""
    settle(tool)
    try:
        return {"runs": len(tool.listing())}
    except Exception as problem:  # noqa: BLE001 - some have no store before there is something in it
        return {"runs": 0, "problem": repr(problem)[:200]}


# -- dying, and not being alone --------------------------------------------------------------------


def to_be_killed(tool: Any, options: Result) -> Result:
    def body(run: Any) -> None:
        end = time.perf_counter() + options["cap"]
        done = 0
        while done < options["calls"] and time.perf_counter() < end:
            run.metric("loss", 1.0 / (done + 1), done)
            done += 1
        publish(options["ready"], {"run_id": run.id, "points": done})
        time.sleep(120)

    tool.record("killed", {}, body)
    return {}


def survivors(tool: Any, options: Result) -> Result:
    settle(tool)
    try:
        found = len(tool.read(options["run_id"], "loss"))
    except Exception as problem:  # noqa: BLE001 - a tool that cannot read it has kept nothing
        return {
            "points": 0,
            "problem": repr(problem)[:200],
            "status": tool.status(options["run_id"]),
        }
    return {"points": found, "status": tool.status(options["run_id"])}


def writer(tool: Any, options: Result) -> Result:
    """One of four: runs of 100 points from the moment that the file ``go`` is there."""
    publish(options["ready"], {})
    while not Path(options["go"]).exists():
        time.sleep(0.005)
    end = time.time() + options["cap"]
    runs: list[tuple[str, int]] = []

    def body(run: Any) -> None:
        for i in range(100):
            run.metric("loss", 1.0 / (i + 1), i)

    while len(runs) < options["runs"] and time.time() < end:
        runs.append((tool.record(f"writer{os.getpid()}", {}, body), 100))
    return {"runs": runs, "ended": time.time()}


def count(tool: Any, options: Result) -> Result:
    """How many of the runs and points of the four writers a fresh reader finds."""
    settle(tool)
    lost = 0
    for run_id, points in options["runs"]:
        try:
            lost += points - len(tool.read(run_id, "loss"))
        except Exception:  # noqa: BLE001 - not readable is lost
            lost += points
    try:
        listed = len(tool.listing())
    except Exception:  # noqa: BLE001
        listed = 0
    return {"points_lost": lost, "listed": listed}


# -- beneath ---------------------------------------------------------------------------------------


def disk(folder: str) -> int:
    """Bytes that a folder takes on the disk, whole blocks."""
    os.sync()
    return sum(path.lstat().st_blocks * 512 for path in Path(folder).rglob("*"))


def content(folder: str) -> int:
    """Bytes in the files of a folder, however many blocks they take."""
    return sum(path.lstat().st_size for path in Path(folder).rglob("*") if path.is_file())


def memory() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def publish(path: str, content: Result) -> None:
    """A file that is there only when it is whole."""
    Path(path + ".new").write_text(json.dumps(content), encoding="utf-8")
    os.replace(path + ".new", path)


def main() -> None:
    adapter, workload, folder, result, options = sys.argv[1:]
    tool = importlib.import_module(f"adapters.{adapter}")
    tool.open_in(Path(folder))
    publish(result, globals()[workload](tool, {"folder": folder, **json.loads(options)}))


if __name__ == "__main__":
    main()
