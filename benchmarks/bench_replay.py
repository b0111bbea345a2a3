"""How well slices of public notebooks give what was seen: recorded, sliced, run again.

    python benchmarks/bench_replay.py FOLDER [--targets 3] [--limit 40] [--jobs 2] [--seed 1]

FOLDER holds one folder a project, with notebooks anywhere below. Each notebook is run once in order
and once as people work: cells run again and out of order, literals edited, scratch cells that are
deleted, errors that are fixed. Of each session some cells are sampled, and the last one; what they
need is run again in a fresh process, in a fresh copy of the project. All are cut at the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

_NUMBER = re.compile(r"(?<![\w.])(\d+)(?![\w.])")
_OLD_STYLES = {"seaborn-whitegrid": "seaborn-v0_8-whitegrid", "seaborn-white": "seaborn-v0_8-white"}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", type=Path, nargs="?")
    options.add_argument("--targets", type=int, default=3, help="sampled cells a session")
    options.add_argument("--limit", type=int, default=40, help="seconds a session and a replay")
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", default="", help="a part of the notebooks' names")
    options.add_argument("--details", type=Path, help="a file for every target, as JSON lines")
    asked = options.parse_args()
    if asked.folder is None:
        print("needs a folder of notebooks, see its docstring")
        return
    found = sorted(p for p in asked.folder.rglob("*.ipynb") if asked.only in str(p))
    sessions = [(path, kind) for path in found if _is_whole(path) for kind in ("linear", "messy")]
    random.Random(asked.seed).shuffle(sessions)
    started, results = time.time(), []
    with ThreadPoolExecutor(asked.jobs) as pool:
        try:
            for some in pool.map(lambda s: _session(*s, asked), sessions):
                results += some
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            print("Ended early: a sample of the sessions, drawn before.")
    if asked.details:
        asked.details.write_text("".join(json.dumps(result) + "\n" for result in results))
    _report(results, time.time() - started)


def _is_whole(path: Path) -> bool:
    try:
        return "cells" in json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        print(f"left out, it is no whole notebook: {path}")
        return False


# -- one session -----------------------------------------------------------------------------------


def _session(path: Path, kind: str, asked: argparse.Namespace) -> list[dict[str, Any]]:
    project = asked.folder / path.relative_to(asked.folder).parts[0]
    with tempfile.TemporaryDirectory(prefix="bench-replay-") as place:
        at = Path(place)
        chance = random.Random(f"{asked.seed} {path.name} {kind}")
        steps = _steps(path, kind, chance)
        first = _copy(project, at / "first")
        inside = first / path.parent.relative_to(project)
        task = {"steps": steps, "limit": asked.limit, "store": str(at / "store")}
        done = _child("record", inside, task, asked.limit * 3 + 60)
        name = f"{path.relative_to(asked.folder)} {kind}"
        if done is None:
            return [{"name": name, "kind": kind, "result": "not recorded", "ms": []}]
        return [
            _target(name, kind, order, done, project, path, at, asked)
            for order in _targets(done, chance, asked.targets)
        ] + [{"name": name, "kind": kind, "result": "session", "ms": done["ms"]}]


def _steps(path: Path, kind: str, chance: random.Random) -> list[tuple[str, str]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [c for c in cells if c["cell_type"] == "code"]
    sources = [c["source"] if isinstance(c["source"], str) else "".join(c["source"]) for c in code]
    steps = [(_modern(s), f"c{i}") for i, s in enumerate(sources) if s.strip()]
    return steps if kind == "linear" else _messy(steps, chance)


def _modern(source: str) -> str:
    for old, new in _OLD_STYLES.items():
        source = source.replace(f"'{old}'", f"'{new}'")
    return source.replace("cm.get_cmap", "plt.get_cmap").replace("%matplotlib notebook", "")


def _messy(steps: list[tuple[str, str]], chance: random.Random) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for at, (source, cell) in enumerate(steps):
        luck = chance.random()
        edited = _NUMBER.sub(lambda m: str(int(m[1]) + 1) if len(m[1]) < 4 else m[1], source, 1)
        if luck < 0.06 and "%%" not in source:
            found.append((f"{source}\nname_that_is_not_there", cell))
        elif luck < 0.12 and edited != source and "import" not in source:
            found.append((edited, cell))
        found.append((source, cell))
        if luck > 0.95:
            found.append((source, cell))
        elif luck > 0.88 and at:
            found.append(chance.choice(steps[:at]))
        elif luck > 0.82:
            found.append((f"scratch_{at} = [{at}]\nprint(scratch_{at})", f"scratch-{at}"))
    return found


def _targets(done: dict[str, Any], chance: random.Random, count: int) -> list[int]:
    usable = [o for o, seen in enumerate(done["visible"], 1) if seen is not None and seen["usable"]]
    if not usable:
        return []
    picked = chance.sample(usable[:-1], min(count, len(usable) - 1))
    return sorted({*picked, usable[-1]})


def _copy(project: Path, to: Path) -> Path:
    shutil.copytree(project, to, ignore=shutil.ignore_patterns(".git", ".trackbook"))
    return to


def _target(
    name: str,
    kind: str,
    order: int,
    done: dict[str, Any],
    project: Path,
    path: Path,
    at: Path,
    asked: argparse.Namespace,
) -> dict[str, Any]:
    cells = [c for c in done["cells"] if c["order"] <= order]
    kept = done["kept"][str(order)]
    facts = {"name": name, "kind": kind, "order": order, "kept": len(kept), "of": len(cells)}

    def again(which: list[dict[str, Any]], label: str) -> Any:
        folder = _copy(project, at / f"{order}-{label}")
        inside = folder / path.parent.relative_to(project)
        out = _child("replay", inside, {"cells": which, "last": order}, asked.limit)
        shutil.rmtree(folder, ignore_errors=True)
        return out

    want = done["visible"][order - 1]["text"]
    got = again([c for c in cells if c["order"] in kept], "cut")
    if got is None:
        return {**facts, "result": "too slow"}
    if got["visible"] == want:
        return {**facts, "result": "identical"}
    whole = again(cells, "whole")
    facts |= {"want": want[-600:], "got": str(got["visible"])[-600:], "error": got["error"]}
    if whole is None:
        return {**facts, "result": "differs, control too slow"}
    if whole["visible"] != want:
        return {**facts, "result": "differs, the whole log too"}
    twice = again(cells, "twice")
    steady = twice is not None and twice["visible"] == want
    return {**facts, "result": "wrong slice" if steady else "differs, the whole log too"}


def _child(what: str, folder: Path, task: dict[str, Any], limit: float) -> Any:
    with tempfile.TemporaryDirectory(prefix="bench-task-") as place:
        given, result = Path(place) / "task.json", Path(place) / "result.json"
        given.write_text(json.dumps(task))
        home = {"HOME": place, "IPYTHONDIR": place, "MPLCONFIGDIR": place}
        settings = {**os.environ, **home, "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
        settings["PYTHONHASHSEED"] = "1" if what == "record" else "2"
        worker = Path(__file__).with_name("replay_worker.py")
        command = [sys.executable, str(worker), what, str(given), str(result)]
        try:
            with (Path(place) / "log").open("wb") as log:
                subprocess.run(
                    command, cwd=folder, env=settings, stdout=log, stderr=log,
                    timeout=limit, check=False, stdin=subprocess.DEVNULL,
                )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None
        return json.loads(result.read_text()) if result.exists() else None


# -- the table -------------------------------------------------------------------------------------


def _report(results: list[dict[str, Any]], seconds: float) -> None:
    print(
        "| | targets | visible identical | wrong slice | differ anyway | too slow | cells removed |"
    )
    print("|---|---|---|---|---|---|---|")
    for kind in ("linear", "messy", ""):
        rows = [r for r in results if "order" in r and kind in (r["kind"], "")]
        if not rows:
            continue
        count = Counter(r["result"] for r in rows)
        removed = statistics.mean(1 - r["kept"] / r["of"] for r in rows)
        anyway = sum(n for result, n in count.items() if result.startswith("differs"))
        share = 100 * count["identical"] / len(rows)
        print(
            f"| {kind or 'all'} | {len(rows)} | {count['identical']} ({share:.1f} %) | "
            f"{count['wrong slice']} | {anyway} | {count['too slow']} | {100 * removed:.0f} % |"
        )
    cost = sorted(ms for r in results for ms in r.get("ms", []))
    if cost:
        p99 = cost[min(len(cost) - 1, int(len(cost) * 0.99))]
        print(
            f"\nRecording, of {len(cost)} executions: median {statistics.median(cost):.2f} ms, "
            f"p90 {cost[int(len(cost) * 0.9)]:.1f} ms, p99 {p99:.1f} ms, most {cost[-1]:.1f} ms."
        )
    print(f"In {seconds / 60:.1f} minutes.")
    for result in results:
        if result["result"] not in ("identical", "session"):
            print(f"- {result['result']}: {result['name']} {result.get('order', '')}")


if __name__ == "__main__":
    main()
