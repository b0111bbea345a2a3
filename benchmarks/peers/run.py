"""Trackbook beside other trackers: the same small workloads, interleaved, as ratios of one run.

Each repetition runs every tool once per workload in fresh processes, in rotated order. Results go
to ``.cache/peers``, one line a measurement: a run that was ended or capped goes on where it was.
The tools' own files lie in ``/var/tmp/trackbook-peers-<uid>`` until the last measurement is made.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import table
import trial
import venvs
from trial import QUICK, Result, Sizes, Tool

WORKLOADS = (
    "import", "empty_runs", "param_runs", "single_calls", "ten_a_step", "read_curve", "list_small",
    "kill", "four_writers", "list_large",
)  # fmt: skip


class Bench:
    """The tools, the sizes and what has been measured so far."""

    def __init__(self, tools: list[Tool], sizes: Sizes, name: str) -> None:
        self.tools = tools
        self.sizes = sizes
        self.place = venvs.WORK / name
        self.file = venvs.CACHE / f"{name}.jsonl"
        self.file.parent.mkdir(parents=True, exist_ok=True)
        lines = self.file.read_text("utf-8").splitlines() if self.file.exists() else []
        self.results: list[Result] = [json.loads(line) for line in lines]

    def known(self, tool: Tool, workload: str, repetition: int) -> Result | None:
        """The measurement, where it was made."""
        wanted = (tool.name, workload, repetition)
        for result in reversed(self.results):
            if (result["tool"], result["workload"], result["repetition"]) == wanted:
                return result
        return None

    def note(self, tool: Tool, workload: str, repetition: int, found: Result) -> Result:
        """Keep a measurement."""
        line = {"tool": tool.name, "workload": workload, "repetition": repetition, **found}
        self.results.append(line)
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return line

    def measure(self, tool: Tool, workload: str) -> Result:
        """Run one workload with one tool."""
        sizes = self.sizes
        if workload == "read_curve":
            folder, curve = self.built(
                tool, "curve", points=sizes.points, build_cap=sizes.build_cap
            )
            if "error" in curve:
                return curve
            return trial.simple(tool, sizes, folder, workload, run_id=curve["run_id"])
        if workload in ("list_small", "list_large"):
            count = sizes.lists[workload == "list_large"]
            folder, store = self.built(tool, "store", count=count, build_cap=sizes.build_cap / 2)
            more = store if "error" in store else trial.simple(tool, sizes, folder, "one_more")
            return more if "error" in more else trial.simple(tool, sizes, folder, "list_runs")
        folder = trial.empty(self.place / "work")
        special = {"import": trial.imported, "kill": trial.killed, "four_writers": trial.together}
        if workload in special:
            return special[workload](tool, sizes, folder)
        cap = sizes.runs_cap if workload.endswith("_runs") else sizes.cap
        options = {"cap": cap, "runs": sizes.runs, "calls": sizes.calls}
        found = trial.simple(tool, sizes, folder, workload, **options)
        if workload.endswith("_runs") and "error" not in found:
            # What costs next to nothing may not have been kept.
            found["kept"] = trial.simple(tool, sizes, folder, "kept").get("runs", 0)
        return found

    def built(self, tool: Tool, kind: str, **options: Any) -> tuple[Path, Result]:
        """The folder of a curve or store that is read in every repetition, written once."""
        name = f"{kind}{options.get('count', '')}"
        folder = self.place / "stores" / tool.adapter / name
        known = self.known(tool, name, 0)
        if known is None or not folder.exists():
            trial.empty(folder)
            known = trial.simple(tool, self.sizes, folder, kind, **options)
            if kind == "store" and "error" not in known:
                trial.simple(tool, self.sizes, folder, "kept")  # it has been listed once before
            self.note(tool, name, 0, known)
        return folder, known

    def steps(self, repetitions: int, only: list[str]) -> Iterator[tuple[int, str, Tool]]:
        """What is to be measured, in order; each round begins with another tool."""
        for repetition in range(repetitions):
            for i, workload in enumerate(only):
                turn = (repetition + i) % len(self.tools)
                for tool in self.tools[turn:] + self.tools[:turn]:
                    if self.known(tool, workload, repetition) is None:
                        yield repetition, workload, tool

    def run(self, repetitions: int, only: list[str], minutes: float | None) -> bool:
        """Measure what is missing; False where the time was up before everything was."""
        end = None if minutes is None else time.monotonic() + minutes * 60
        # What failed is tried again by each new call.
        self.results = [result for result in self.results if "error" not in result]
        for repetition, workload, tool in self.steps(repetitions, only):
            if end is not None and time.monotonic() > end:
                return False
            began = time.monotonic()
            found = self.note(tool, workload, repetition, self.measure(tool, workload))
            word = found.get("error", "")
            took = time.monotonic() - began
            print(
                f"{repetition} {workload:12} {tool.name:16} {took:6.1f} s {word}", file=sys.stderr
            )
        shutil.rmtree(self.place, ignore_errors=True)
        return True


def installed(wanted: list[str]) -> tuple[list[Tool], dict[str, str]]:
    """The tools that can be used, and why others cannot."""
    tools, missing = [], {}
    for name, entry in venvs.settings()["tools"].items():
        if wanted and name not in wanted and entry["adapter"] not in wanted:
            continue
        try:
            python = venvs.python_of(entry["venv"])
            tools.append(Tool(name, entry["adapter"], python, entry["import"]))
        except venvs.NotInstalled as why:
            missing[name] = str(why)
    return tools, missing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does it work at all")
    parser.add_argument("--minutes", type=float, help="stop after so long; another run goes on")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--tools", default="", help="names from tools.toml, with commas")
    parser.add_argument("--workloads", default=",".join(WORKLOADS), help="with commas")
    parser.add_argument("--fresh", action="store_true", help="forget what was measured before")
    parser.add_argument("--table", action="store_true", help="measure nothing, print the table")
    parser.add_argument("--into", type=Path, help="put the table into this page, between its marks")
    options = parser.parse_args()
    only = options.workloads.split(",")
    if unknown := set(only) - set(WORKLOADS):
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are {', '.join(WORKLOADS)}")
    name = "quick" if options.quick else "full"
    if options.fresh:
        shutil.rmtree(venvs.WORK / name, ignore_errors=True)
        (venvs.CACHE / f"{name}.jsonl").unlink(missing_ok=True)
    tools, missing = installed([name for name in options.tools.split(",") if name])
    bench = Bench(tools, QUICK if options.quick else Sizes(), name)
    if not options.table and not bench.run(options.repetitions, only, options.minutes):
        print("time is up: the same command goes on from here", file=sys.stderr)
    text = table.page(bench.results, missing, bench.sizes)
    print(text)
    if options.into:
        table.replace_in(options.into, text)


if __name__ == "__main__":
    main()
