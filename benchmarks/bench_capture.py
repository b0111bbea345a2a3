"""What tracking costs a notebook's cells, against the same cells without it, in one run.

Real IPython shells, one process each, so that none finds what another has warmed up. Times are wall
clock, the median of many cells; the kinds take turns. ``--cells N`` sets how many tracked cells the
memory is measured over.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

CELLS = 200
CHILD = """
import gc, json, os, sys, time
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

kind, cells, warm = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
if kind != "plain":
    shell.run_line_magic("load_ext", "trackbook")
source = "%%track empty --quiet\\npass" if kind == "tracked" else "pass"


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def run(i):
    began = time.perf_counter()
    shell.run_cell(source, store_history=False, cell_id="cell")
    return time.perf_counter() - began


for i in range(warm):
    run(i)
gc.collect()
before = resident()
times = [run(i) for i in range(cells)]
time.sleep(1)
gc.collect()
print(json.dumps({"times": times, "grown": resident() - before}))
"""


def measure(kind: str, cells: int, warm: int = 30) -> dict[str, object]:
    """The seconds of each cell, and how many bytes the process grew over them."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", CHILD, kind, str(cells), str(warm)],
            cwd=folder,
            env={**os.environ, "TRACKBOOK_STORE": str(Path(folder) / ".trackbook")},
            capture_output=True,
            text=True,
            check=True,
        )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=1000, help="tracked cells for the memory")
    many = parser.parse_args().cells
    times: dict[str, list[float]] = {"plain": [], "loaded": [], "tracked": []}
    for _ in range(3):
        for kind, found in times.items():
            found += measure(kind, CELLS)["times"]  # type: ignore[arg-type]
    median = {kind: statistics.median(found) * 1e3 for kind, found in times.items()}
    grown = float(measure("tracked", many)["grown"]) / 2**20  # type: ignore[arg-type]
    print("| what | goal | measured |")
    print("|---|---|---:|")
    print(f"| an empty cell without Trackbook | | {median['plain']:.2f} ms |")
    print(f"| untracked, extension loaded | < 3 ms | {median['loaded']:.2f} ms |")
    over = median["tracked"] - median["plain"]
    print(f"| tracked empty cell, over the untracked | < 30 ms | {over:.2f} ms |")
    at = f"{many:,} tracked cells: memory grown"
    print(f"| {at} | < 50 MB for 10,000 | {grown:.1f} MiB |")


if __name__ == "__main__":
    main()
