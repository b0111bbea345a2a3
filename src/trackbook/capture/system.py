"""How the machine fares while runs are open: ``system/*`` metrics, every 5 s."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from .. import settings
from ..errors import TrackbookWarning
from ..store import os_calls
from ..store.cgroup import MemoryGroup
from .live import ActiveRun
from .patch import Guard

INTERVAL_S = 5.0
_GB = 1e9


class Sampler:
    """One daemon thread for all runs; asleep while none is open, never there in a forked child.

    A run that lives for less than 5 s gets no ``system/*`` metrics.
    """

    def __init__(self) -> None:
        self._runs: dict[str, ActiveRun] = {}
        self._some = threading.Event()
        self._thread: threading.Thread | None = None
        self._guard = Guard("system metrics")
        self._machine: Machine | None = None
        self._over = threading.Event()
        self._pid = os.getpid()

    def opened(self, run: ActiveRun) -> None:
        """Sample for an open run."""
        self._guard.run(self._opened, run)

    def _opened(self, run: ActiveRun) -> None:
        if not settings.wanted("system"):
            return
        self._runs[run.id] = run
        self._some.set()
        if self._thread is None:
            thread = threading.Thread(target=self._work, name="trackbook-system", daemon=True)
            with suppress(RuntimeError):  # the interpreter is ending
                thread.start()
                self._thread = thread

    def ended(self, run: ActiveRun) -> None:
        """Sample for the run no more."""
        self._runs.pop(run.id, None)
        if not self._runs:
            self._some.clear()

    def let_go(self) -> None:
        """Sample never more."""
        self._runs.clear()
        if os.getpid() == self._pid:  # in a forked child the thread's locks may be held for ever
            self._over.set()
            self._some.set()

    def _work(self) -> None:
        while not self._guard.shut:
            self._some.wait()
            if self._over.wait(INTERVAL_S):
                return
            with suppress(TrackbookWarning):  # where warnings are errors
                self._guard.run(self._sample)

    def _sample(self) -> None:
        now = time.time()
        old = [r for r in list(self._runs.values()) if now - r.document["started"] >= INTERVAL_S]
        if not old:
            return
        if self._machine is None:
            self._machine = Machine()
        values = self._machine.read(settings.here())
        for run in old:
            if run.open:
                run.log_metrics(values, step=round(now - run.document["started"]))


class Machine:
    """CPU, memory, disk and NVIDIA GPUs, as far as they can be read."""

    def __init__(self) -> None:
        with os_calls.no_forks():
            import psutil

        self._psutil = psutil
        self._process = psutil.Process()
        self._group = MemoryGroup.of()
        self._gpus = Gpus()
        psutil.cpu_percent(interval=0.1)  # the first answer means nothing

    def read(self, folder: Path) -> dict[str, float]:
        """The metrics now; ``folder`` says which disk."""
        memory = self._psutil.virtual_memory()
        limited = self._group.percent(memory.total) if self._group else None
        values = {
            "system/cpu_percent": self._psutil.cpu_percent(),
            "system/memory_gb": self._process.memory_info().rss / _GB,
            "system/memory_percent": memory.percent if limited is None else limited,
        }
        with suppress(OSError):
            values["system/disk_free_gb"] = shutil.disk_usage(folder).free / _GB
        return {**values, **dict(self._gpus.read())}


class Gpus:
    """NVIDIA's cards, where ``nvidia-ml-py`` and a driver are there."""

    def __init__(self) -> None:
        self._nvml: Any = None
        self._handles: list[Any] = []
        with suppress(ImportError):
            with os_calls.no_forks():
                import pynvml

            with suppress(pynvml.NVMLError):
                pynvml.nvmlInit()
                count = pynvml.nvmlDeviceGetCount()
                self._handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(count)]
                self._nvml = pynvml

    def read(self) -> Iterator[tuple[str, float]]:
        """Use and memory of each card; what a card does not tell (as MIG ones) is left out."""
        for index, handle in enumerate(self._handles):
            with suppress(self._nvml.NVMLError):
                used = self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu
                yield f"system/gpu{index}_percent", float(used)
            with suppress(self._nvml.NVMLError):
                used = self._nvml.nvmlDeviceGetMemoryInfo(handle).used
                yield f"system/gpu{index}_memory_gb", used / _GB
