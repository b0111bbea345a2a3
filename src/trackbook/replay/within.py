"""What runs inside the kernel of a replay: an IPython extension that a job file tells what to do.

It loads Trackbook, so that the run is recorded again, in the store of the replay's own folder.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import settings
from ..jsonable import dumps, loads
from . import generators, guard

JOB = "TRACKBOOK_REPLAY"
"""The environment variable that names the job file; set inside a replay alone."""


class Within:
    """Puts each cell's generators and number back before it runs."""

    def __init__(self, shell: Any, job: Mapping[str, Any]) -> None:
        self._shell = shell
        self._job = job
        self._cells: list[dict[str, Any]] = list(job["cells"])
        # Read now: what is read in a cell's time is taken for its input.
        names = {file for cell in self._cells for file in cell["rng"].values()}
        self._states = {name: Path(name).read_bytes() for name in names}
        self._next = 0
        self._depth = 0
        self._report = Path(job["report"])
        self._missing: set[str] = set()

    def install(self) -> None:
        """From now on."""
        sys.path[:0] = [path for path in self._job["paths"] if path not in sys.path]
        self._shell.events.register("pre_run_cell", self.before)
        self._shell.events.register("post_run_cell", self.after)
        self._number()

    def before(self, info: Any) -> None:
        """``pre_run_cell``; also called for cells that a cell runs itself."""
        self._depth += 1
        if self._depth > 1 or self._next >= len(self._cells):
            return
        cell = self._cells[self._next]
        if cell["count"]:
            # ``In`` is a list, to which this cell is added next.
            history = self._shell.history_manager
            for inputs in (history.input_hist_parsed, history.input_hist_raw):
                inputs.extend([""] * (cell["count"] - len(inputs)))
        states = {name: self._states[file] for name, file in cell["rng"].items()}
        self._missing.update(generators.restore(states, info.raw_cell or ""))

    def after(self, result: Any) -> None:
        """``post_run_cell``."""
        self._depth = max(self._depth - 1, 0)
        if self._depth:
            return
        self._next += 1
        self._number()

    def _number(self) -> None:
        """The next cell counts as it did; what it is numbered is decided before it begins."""
        if self._next < len(self._cells) and self._cells[self._next]["count"]:
            self._shell.execution_count = self._cells[self._next]["count"]

    def finish(self) -> None:
        """End the runs, and report what was imported from where.

        The file that says "ready" goes when that is done, also where a full disk takes no report.
        """
        try:
            self._shell.extension_manager.unload_extension("trackbook")
            told = {"modules": _imported(), "generators": sorted(self._missing)}
            self._report.write_bytes(dumps({**told, "ended": time.time()}))
        finally:
            Path(self._job["ready"]).unlink(missing_ok=True)


def _imported() -> list[dict[str, str]]:
    """The modules that nobody installed: ``name`` and ``file``."""
    found = []
    standard = tuple(os.path.realpath(p) for p in (sys.base_prefix, sys.prefix))
    ours = str(Path(__file__).parent.parent)
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__dict__", {}).get("__file__")
        if not isinstance(file, str) or not file.endswith(".py") or name == "__main__":
            continue
        if "site-packages" in file or "dist-packages" in file or file.startswith(ours):
            continue
        if os.path.realpath(file).startswith(standard):
            continue
        found.append({"name": name, "file": file})
    return found


_active: list[Within] = []


def finish() -> None:
    """What the replay asks for after the last cell."""
    _active[-1].finish()


def load_ipython_extension(shell: Any) -> None:
    """Read the job, load Trackbook, stand guard, and say that all of it is done."""
    job = loads(Path(os.environ[JOB]).read_bytes())
    shell.extension_manager.load_extension("trackbook")
    # Wherever the cells would put runs, these are the replay's.
    settings.choose_store = _stay
    within = Within(shell, job)
    within.install()
    _active.append(within)
    if not job["allow_writes"]:
        connection = Path(job["connection"])
        guard.stand(Path(job["folder"]), [connection])
    Path(job["ready"]).touch()


def _stay(path: Any) -> None:
    """The store stays the one that ``TRACKBOOK_STORE`` names."""
