"""What is read about runs beside them: commit and patch, modules, packages, machine."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..model import Document
from ..store import Store
from . import git as repositories
from .distributions import Distributions
from .environment import Environment
from .live import ActiveRun
from .modules import Modules
from .patch import Guard
from .randomness import Randomness, States
from .signatures import amend_signed

# Beyond what git is given.
_PATIENCE_S = 2.0


class Background:
    """One thread that reads for all runs that have begun or ended meanwhile; none of them waits."""

    def __init__(self, store: Store, environment: Environment) -> None:
        self._store = store
        self._environment = environment
        self._git = repositories.Git(store.blobs, store.path)
        self._modules = Modules(store.blobs)
        self._distributions = Distributions(store.blobs)
        self._randomness = Randomness(store.blobs)
        kinds = ("git", "random states", "environment", "modules")
        self._guards = {what: Guard(what) for what in kinds}
        self._lock = threading.Lock()
        self._begun: list[tuple[ActiveRun, Path, States]] = []
        self._ended: dict[ActiveRun, Path] = {}
        self._thread: threading.Thread | None = None
        self._root: Path | None = None

    def run_begins(self, run: ActiveRun, folder: Path, states: States) -> None:
        """Have everything read; ``folder`` is the notebook's, ``states`` the random ones by now."""
        with self._lock:
            self._begun.append((run, folder, states))
            self._work_soon()

    def run_ends(self, run: ActiveRun, folder: Path) -> None:
        """Have modules and packages read again, which the run may have imported."""
        with self._lock:
            self._ended[run] = folder
            self._work_soon()

    def wait(self) -> None:
        """Until everything is read, or a little longer than git may take."""
        thread = self._thread
        if thread is not None:
            thread.join(repositories.BUDGET_S + _PATIENCE_S)
        elif self._begun or self._ended:
            self._work()

    def _work_soon(self) -> None:
        if self._thread is not None:
            return
        thread = threading.Thread(target=self._work, name="trackbook-background", daemon=True)
        # From Python 3.12 on a process that ends starts no thread; then ``wait`` does the work.
        with contextlib.suppress(RuntimeError):
            thread.start()
            self._thread = thread

    def _work(self) -> None:
        while True:
            with self._lock:
                begun, self._begun = self._begun, []
                ended, self._ended = self._ended, {}
                if not begun and not ended:
                    self._thread = None
                    return
            self._read(begun, ended)

    def _read(
        self, begun: list[tuple[ActiveRun, Path, States]], ended: dict[ActiveRun, Path]
    ) -> None:
        folders = {folder for _, folder, _ in begun}
        runs = [run for run, _, _ in begun]
        readings = {folder: self._read_git(folder, runs) for folder in folders}
        for run, folder, states in begun:
            found: dict[str, Any] = {}
            reading = readings[folder]
            if reading is not None:
                found["git"] = reading.git
                if reading.git is not None:
                    run.note_capture("git", "captured", "beside the run", ms=reading.ms)
                for what, state, reason in reading.notes:
                    run.note_capture(what, state, reason)
            kept = self._try("random states", [run], self._randomness.keep, states)
            if kept:
                found["rng"] = kept
                run.note_capture("random states", "captured", ", ".join(kept))
            started = time.perf_counter()
            found |= self._try("environment", [run], self._read_environment, run.document) or {}
            if "env" in found:
                took = round(1000 * (time.perf_counter() - started), 1)
                run.note_capture("environment", "captured", "beside the run", ms=took)
            amend_signed(run, "patch", (found.get("git") or {}).get("patch"), **found)
        for run, folder in {**{run: folder for run, folder, _ in begun}, **ended}.items():
            self._try("modules", [run], self._read_modules, run, folder)
        for run in ended:
            self._try("environment", [run], self._read_packages, run)

    def _try(self, what: str, runs: list[ActiveRun], step: Callable[..., Any], *args: Any) -> Any:
        """The result of a step; None where it failed, or where the disk has no room just now."""

        def attempt() -> Any:
            try:
                return step(*args)
            except StoreError as problem:  # what is said of a full disk is said elsewhere
                for run in runs:
                    run.note_capture(what, "skipped", str(problem))
                return None

        return self._guards[what].run(attempt)

    def _read_git(self, folder: Path, runs: list[ActiveRun]) -> repositories.Reading | None:
        started = time.perf_counter()
        reading: repositories.Reading | None = self._try("git", runs, self._git.read, folder)
        if reading is None:
            return None
        reading.ms = round(1000 * (time.perf_counter() - started), 1)
        if reading.top is not None:
            self._root = reading.top
        return reading

    def _read_environment(self, document: Document) -> dict[str, Any]:
        blob = self._distributions.keep()
        self._environment.name_versions(self._distributions.versions())
        machine = self._environment.read_machine()
        packages = {**document["env"].get("packages", {}), **self._environment.packages()}
        env = {**document["env"], **machine, "packages": packages}
        return {"env": env, "distributions": blob}

    def _read_packages(self, run: ActiveRun) -> None:
        env = run.document["env"]
        packages = {**env.get("packages", {}), **self._environment.packages()}
        if packages != env.get("packages"):
            run.amend(env={**env, "packages": packages})

    def _read_modules(self, run: ActiveRun, folder: Path) -> None:
        started = time.perf_counter()
        kept = self._modules.keep(self._root_of(folder))
        if kept.blob is None or run.document.get("modules") == kept.blob:
            return
        cost = {"ms": round(1000 * (time.perf_counter() - started), 1)}
        run.note_capture("modules", "captured", f"{kept.count} of the project", **cost)
        if kept.redacted:
            hidden = f"{kept.redacted} value(s) that look like secrets"
            run.note_capture("modules", "redacted", hidden)
        if kept.left_out:
            run.note_capture("modules", "left out", ", ".join(kept.left_out[:5]))
        amend_signed(run, "modules", kept.blob, modules=kept.blob)

    def _root_of(self, folder: Path) -> Path:
        if self._root is not None and folder.is_relative_to(self._root):
            return self._root
        store = self._store.path
        return store.parent if store is not None and folder.is_relative_to(store.parent) else folder
