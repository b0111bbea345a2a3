"""One measurement of one tool: fresh processes in a fresh folder, and what came of it.

Every function takes the tool, the sizes and a folder, and gives a JSON object; ``{"error": ...}``
where the tool failed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCE = HERE.parent.parent / "src"
Result = dict[str, Any]

_IMPORT = """
import time; began = time.perf_counter()
{statement}
took = time.perf_counter() - began
import json, resource, sys
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
json.dump({{"import_ms": took * 1e3, "memory_mb": memory}}, open(sys.argv[1], "w"))
"""


@dataclass(frozen=True)
class Sizes:
    """How much is asked for; every loop has a time cap, so that a slow tool does less of it."""

    calls: int = 10_000
    runs: int = 50
    points: int = 100_000
    lists: tuple[int, int] = (1_000, 10_000)
    cap: float = 10.0
    """Seconds of a timed loop of calls."""
    runs_cap: float = 3.0
    """Seconds of a timed loop of runs, and of each of the four writers."""
    build_cap: float = 30.0
    """Seconds to write the long curve; half of it for each store that is listed."""
    patience: float = 300.0
    """Seconds after which a process is ended, and the measurement counts as failed."""


QUICK = Sizes(200, 4, 2_000, (30, 100), 0.5, 0.5, 1.0, 60.0)


@dataclass(frozen=True)
class Tool:
    """A tool that is installed."""

    name: str
    adapter: str
    python: Path
    statement: str
    """What a script that uses it begins with."""


def start(tool: Tool, folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A Python of the tool's environment, at home in the folder, in a process group of its own."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "TZ") if key in os.environ}
    if tool.adapter == "trackbook":
        kept["PYTHONPATH"] = str(SOURCE)  # that of this checkout, wherever it is
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [str(tool.python), *arguments],
            cwd=folder,
            env={**kept, "HOME": str(home), "DO_NOT_TRACK": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process with the helpers that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def begin(
    tool: Tool, folder: Path, workload: str, result: Path, **options: Any
) -> subprocess.Popen[bytes]:
    """Start a workload of ``workloads.py``."""
    script = str(HERE / "workloads.py")
    words = (tool.adapter, workload, str(folder), str(result), json.dumps(options))
    return start(tool, folder, script, *words)


def outcome(process: subprocess.Popen[bytes], folder: Path, result: Path, limit: float) -> Result:
    """Wait for a process and read what it measured."""
    try:
        code = process.wait(limit)
    except subprocess.TimeoutExpired:
        return {"error": f"took longer than {limit:.0f} s"}
    finally:
        end_group(process)
    if code or not result.exists():
        text = (folder / "log.txt").read_text("utf-8", "replace")
        raised = re.findall(r"^[\w.]*(?:Error|Exception|Exit|Interrupt)\b.*", text, re.MULTILINE)
        return {"error": [f"exit code {code}", *raised][-1][:160]}
    found: Result = json.loads(result.read_text("utf-8"))
    return found


def simple(tool: Tool, sizes: Sizes, folder: Path, workload: str, **options: Any) -> Result:
    """One workload in one process."""
    os.sync()  # the disk is done with what was before
    result = folder / f"{workload}.json"
    result.unlink(missing_ok=True)
    process = begin(tool, folder, workload, result, **options)
    return outcome(process, folder, result, sizes.patience)


def imported(tool: Tool, sizes: Sizes, folder: Path) -> Result:
    """The import that a script begins with, in a Python that has loaded nothing yet."""
    os.sync()
    result = folder / "import.json"
    process = start(tool, folder, "-c", _IMPORT.format(statement=tool.statement), str(result))
    return outcome(process, folder, result, sizes.patience)


def killed(tool: Tool, sizes: Sizes, folder: Path) -> Result:
    """Kill -9 a second after the last call; a fresh process looks what is there."""
    ready, result = folder / "ready.json", folder / "killed.json"
    process = begin(
        tool, folder, "to_be_killed", result, ready=str(ready), calls=sizes.calls, cap=sizes.cap
    )
    try:
        if not appears(ready, process, sizes.patience):
            return outcome(process, folder, result, 0.1)
        time.sleep(1.0)
        process.kill()  # it alone: a helper process may still write
        process.wait()
        time.sleep(3.0)
    finally:
        end_group(process)
    logged: Result = json.loads(ready.read_text("utf-8"))
    found = simple(tool, sizes, folder, "survivors", run_id=logged["run_id"])
    if "error" in found:
        return found
    return {"logged": logged["points"], "lost": logged["points"] - found["points"], **found}


def together(tool: Tool, sizes: Sizes, folder: Path) -> Result:
    """Four processes that start at once, imports done; a fresh one counts what they left."""
    first = simple(tool, sizes, folder, "one_more")  # the store itself is there
    if "error" in first:
        return first
    go, processes = folder / "go", []
    for i in range(4):
        ready, result = folder / f"ready{i}.json", folder / f"writer{i}.json"
        names = {"ready": str(ready), "go": str(go), "runs": 50, "cap": sizes.runs_cap}
        processes.append((begin(tool, folder, "writer", result, **names), ready, result))
    for process, ready, _ in processes:
        appears(ready, process, sizes.patience)
    began = time.time()
    go.touch()
    found = [outcome(p, folder, result, sizes.patience) for p, _, result in processes]
    good = [one for one in found if "error" not in one]
    failed = [one["error"] for one in found if "error" in one]
    runs = [run for one in good for run in one["runs"]]
    if not runs:
        return {"error": failed[0]}
    whole = max(one["ended"] for one in good) - began
    there = simple(tool, sizes, folder, "count", runs=runs)
    if "error" in there:
        return there
    return {
        "runs_a_second": len(runs) / whole,
        "runs": len(runs),
        "runs_lost": max(len({run_id for run_id, _ in runs}) + 1 - there["listed"], 0),
        "points_lost": there["points_lost"],
        "failed": failed,
    }


def appears(file: Path, process: subprocess.Popen[bytes], limit: float) -> bool:
    """Wait for a file that a process writes; False where it ended or took too long."""
    end = time.monotonic() + limit
    while time.monotonic() < end and process.poll() is None:
        if file.exists():
            return True
        time.sleep(0.005)
    return file.exists()


def empty(folder: Path) -> Path:
    """The folder, made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
