"""A fresh kernel that runs a recipe's cells one after the other, within limits."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from ..errors import StoreError
from ..jsonable import dumps, loads
from . import within

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

_START_S = 60
_END_S = 30
_LOOK_S = 0.25
# A socket's path may have so many bytes.
_SOCKET_PATH = 90
_EXTENSION = "trackbook.replay.within"
_OFF = ("TRACKBOOK_DISABLED", "JPY_SESSION_NAME", "TRACKBOOK_STORE", "PYTHONSTARTUP")


@dataclass(frozen=True, slots=True)
class Step:
    """A cell for the kernel."""

    source: str
    count: int | None
    rng: Mapping[str, str]
    """Generator to the file with its state."""
    may_fail: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """What a replay may use."""

    seconds: float
    memory: int
    """Bytes, of the kernel and its children together."""
    allow_writes: bool = False


@dataclass
class Ran:
    """What became of the cells."""

    cells: list[dict[str, Any]] = field(default_factory=list)
    """``started``, ``ended``, ``ok``, ``error`` (type and message) of each that ran."""
    outputs: list[list[dict[str, Any]]] = field(default_factory=list)
    stopped: str = ""
    """Why it was stopped before the end; empty where it was not."""
    error: tuple[str, str] | None = None
    """Type and message of the error that ended it."""
    start: float = 0.0
    """Seconds from the call to the first cell."""
    modules: list[dict[str, str]] = field(default_factory=list)
    generators: list[str] = field(default_factory=list)
    """Generators whose states could not be put back."""


def run(
    steps: Sequence[Step],
    folder: Path,
    cwd: Path,
    paths: Sequence[str],
    limits: Limits,
    variables: Mapping[str, str],
    told: Callable[[int], None],
) -> Ran:
    """Run the cells in a kernel in ``cwd``; ``told`` hears the number of each cell as it begins.

    Raises ``StoreError`` where the kernel does not start.
    """
    return asyncio.run(_Kernel(steps, folder, cwd, paths, limits, variables, told).run())


class _Kernel:
    def __init__(
        self,
        steps: Sequence[Step],
        folder: Path,
        cwd: Path,
        paths: Sequence[str],
        limits: Limits,
        variables: Mapping[str, str],
        told: Callable[[int], None],
    ) -> None:
        self._steps = steps
        self._folder = folder
        self._cwd = cwd
        self._limits = limits
        self._told = told
        self._ran = Ran()
        self._began = time.monotonic()
        self._files = {name: folder / f"replay-{name}.json" for name in ("job", "ready", "report")}
        self._manager = self._make_manager()
        self._environment = {
            **{key: value for key, value in os.environ.items() if key not in _OFF},
            **variables,
            **_own_folders(folder),
            within.JOB: str(self._files["job"]),
        }
        job = {
            "cells": [{"count": step.count, "rng": dict(step.rng)} for step in steps],
            "paths": list(paths),
            "folder": str(folder),
            "connection": self._manager.connection_file,
            "allow_writes": limits.allow_writes,
            **{name: str(self._files[name]) for name in ("ready", "report")},
        }
        self._files["job"].write_bytes(dumps(job))

    def _make_manager(self) -> AsyncKernelManager:
        from jupyter_client.kernelspec import KernelSpec
        from jupyter_client.manager import AsyncKernelManager

        manager = AsyncKernelManager(connection_file=str(self._folder / "kernel.json"))
        if len(str(self._folder)) < _SOCKET_PATH:
            # Sockets in the folder: nothing listens on the network.
            manager.transport, manager.ip = "ipc", str(self._folder / "ipc")
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        manager._kernel_spec = KernelSpec(argv=command, language="python", display_name="replay")
        return manager

    async def run(self) -> Ran:
        import nbformat.v4
        from nbclient import NotebookClient

        cells = [
            nbformat.v4.new_code_cell(
                step.source, metadata={"tags": ["raises-exception"] if step.may_fail else []}
            )
            for step in self._steps
        ]
        client = NotebookClient(
            nbformat.v4.new_notebook(cells=cells),
            km=self._manager,
            timeout=None,
            startup_timeout=_START_S,
            store_widget_state=False,
            extra_arguments=[
                f'--IPKernelApp.extensions=["{_EXTENSION}"]',
                "--HistoryManager.enabled=False",
            ],
        )
        # Nothing of a replay's talk goes to stderr of whoever asked for it.
        client.log.disabled = True
        try:
            await self._start(client)
            await self._run_all(client, cells)
        finally:
            await self._end(client)
        return self._ran

    async def _start(self, client: Any) -> None:
        with (self._folder / "kernel.log").open("wb") as log:
            try:
                await client.async_start_new_kernel(
                    cwd=str(self._cwd), env=self._environment, stdout=log, stderr=log
                )
                await client.async_start_new_kernel_client()
            except RuntimeError as problem:
                raise StoreError(f"the replay's kernel does not start: {self._last_words()}") from (
                    problem
                )
        if not self._files["ready"].exists():
            raise StoreError(f"the replay's kernel cannot be prepared: {self._last_words()}")
        self._ran.start = time.monotonic() - self._began

    async def _run_all(self, client: Any, cells: Sequence[Any]) -> None:
        watching = asyncio.ensure_future(self._watch())
        running = asyncio.ensure_future(self._run_cells(client, cells))
        try:
            await asyncio.wait({watching, running}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                self._ran.stopped = watching.result()
        finally:
            for task in (watching, running):
                task.cancel()
            done = await asyncio.gather(watching, running, return_exceptions=True)
        problem = done[1]
        if isinstance(problem, BaseException) and not isinstance(problem, asyncio.CancelledError):
            raise problem

    async def _run_cells(self, client: Any, cells: Sequence[Any]) -> None:
        from nbclient.exceptions import CellExecutionError, DeadKernelError

        for index, cell in enumerate(cells):
            self._told(index)
            told: dict[str, Any] = {"started": time.time(), "ended": None, "ok": True}
            self._ran.cells.append(told)
            try:
                await client.async_execute_cell(cell, index)
            except CellExecutionError as problem:
                self._ran.error = (str(problem.ename), str(problem.evalue))
            except DeadKernelError:
                self._ran.stopped = self._ran.stopped or "the kernel died"
            told["ended"] = time.time()
            failed = next((o for o in cell.outputs if o["output_type"] == "error"), None)
            if failed is not None:
                told.update(ok=False, error=[failed["ename"], failed["evalue"]])
            self._ran.outputs.append([dict(output) for output in cell.outputs])
            if self._ran.error or self._ran.stopped:
                break
        if not self._ran.stopped:
            await self._finish(client)

    async def _finish(self, client: Any) -> None:
        """Let the kernel end its runs, and say what it has imported."""
        code = f"import {_EXTENSION} as _; _.finish()"
        client.kc.execute(code, silent=True, store_history=False)
        until, ready = time.monotonic() + _END_S, self._files["ready"]
        while time.monotonic() < until and ready.exists() and await client.kc._async_is_alive():
            await asyncio.sleep(0.02)
        if told := _report(self._files["report"]):
            self._ran.modules, self._ran.generators = told["modules"], told["generators"]
            return
        if self._ran.error is None:  # which is what there is to say
            self._ran.stopped = "the kernel did not say what it had run"

    async def _watch(self) -> str:
        """Why the kernel has to stop: returns when it must."""
        while True:
            spent = time.monotonic() - self._began
            if spent > self._limits.seconds:
                return f"it did not end within {self._limits.seconds:.4g} s"
            if self._memory() > self._limits.memory:
                return f"it took more than {self._limits.memory / 1e9:.2g} GB of memory"
            await asyncio.sleep(_LOOK_S)

    def _memory(self) -> int:
        total = 0
        for process in self._processes():
            try:
                total += process.memory_info().rss
            except psutil.Error:  # gone meanwhile
                continue
        return total

    def _processes(self) -> list[psutil.Process]:
        pid = getattr(self._manager.provisioner, "pid", None)
        try:
            kernel = psutil.Process(pid) if pid else None
            return [kernel, *kernel.children(recursive=True)] if kernel else []
        except psutil.Error:
            return []

    async def _end(self, client: Any) -> None:
        processes = self._processes()
        if client.kc is not None:
            client.kc.stop_channels()
        if self._manager.has_kernel:
            await self._manager.shutdown_kernel(now=True)
        for process in processes:
            try:
                process.kill()
            except psutil.Error:  # it ended by itself
                continue

    def _last_words(self) -> str:
        try:
            lines = (self._folder / "kernel.log").read_text("utf-8", "replace").splitlines()
        except OSError:
            lines = []
        told = [line for line in lines if line.strip()]
        return told[-1][:300] if told else "it says nothing"


def _own_folders(folder: Path) -> dict[str, str]:
    """What programs write beside their work goes into the replay's folder."""
    names = {
        "TMPDIR": "tmp",
        "JOBLIB_TEMP_FOLDER": "tmp",
        "IPYTHONDIR": "ipython",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "TRACKBOOK_STORE": "store",
    }
    for name in set(names.values()):
        (folder / name).mkdir(exist_ok=True)
    shutil.rmtree(folder / "store")
    return {
        **{key: str(folder / name) for key, name in names.items()},
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _report(file: Path) -> dict[str, Any] | None:
    try:
        found = loads(file.read_bytes())
    except (OSError, ValueError):
        return None  # its kernel died, or the disk is full
    return found if isinstance(found, dict) else None
