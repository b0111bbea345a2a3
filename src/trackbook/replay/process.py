"""Asks for a replay: a process of its own does it, so that the caller's kernel is not touched."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from typing import IO, Any

from ..errors import InvalidValue, StoreError, TrackbookError, UntrustedRun
from ..jsonable import dumps, loads
from ..model import Document
from ..store import Store
from . import within
from .verdict import Verdict, of_plain

_PATIENCE_S = 10


def python_of(document: Document) -> str:
    """The Python that made the run, where a kernel of this machine is installed with it.

    Otherwise the one that asks: a server may live in another environment than its kernels, and a
    path that a store names alone is run by nobody.
    """
    recorded = document["env"].get("executable")
    if recorded == sys.executable or not isinstance(recorded, str):
        return sys.executable
    from jupyter_client.kernelspec import KernelSpecManager

    specs = KernelSpecManager().get_all_specs().values()
    known = {argv[0] for argv in (s["spec"].get("argv") for s in specs) if argv}
    return recorded if recorded in known and os.access(recorded, os.X_OK) else sys.executable


class Replay:
    """A replay that is under way."""

    def __init__(self, store: Store, run_id: str, wishes: Mapping[str, Any]) -> None:
        if store.path is None:
            raise StoreError("only a run of a store in a folder can be replayed")
        if within.JOB in os.environ:
            raise StoreError("a replay does not replay")
        self.cell = 0
        """The number of the cell that is running; 0 before the first."""
        self.of = 0
        self.recipe = ""
        self.verdict: Verdict | None = None
        self.run: str | None = None
        """The id of the run that a replay with other params made."""
        self._problem: TrackbookError | None = None
        self._errors: IO[bytes]
        self._process: subprocess.Popen[bytes]
        self._python = python_of(store.document(run_id))
        order = dumps({"store": str(store.path), "run": run_id, **wishes})
        failed: list[OSError] = []

        def begin() -> None:
            try:
                self._begin(order)
            except OSError as problem:
                failed.append(problem)

        # By a thread of ours: what it opens and starts is not the doing of the user's cell.
        thread = threading.Thread(target=begin, name="trackbook-replay")
        thread.start()
        thread.join()
        if failed:
            raise StoreError(f"the replay does not start: {failed[0]}") from failed[0]

    def _begin(self, order: bytes) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by cancel
        self._process = subprocess.Popen(
            [self._python, "-m", "trackbook.replay"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,  # Ctrl-C is the caller's, who then ends it
        )
        assert self._process.stdin is not None
        with self._process.stdin as given:
            given.write(order)

    def events(self) -> Iterator[Mapping[str, Any]]:
        """What it tells until it is over: ``event`` is ``cell``, ``verdict`` or ``run``.

        Raises what ended it otherwise. Whoever leaves the loop early cancels the replay.
        """
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                message = loads(line)
                self._take(message)
                yield message
            self._process.wait()
            self._check()
        finally:
            self.cancel()

    def stop(self) -> None:
        """Ask it to end, as from another thread than the one that hears it."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)

    def cancel(self) -> None:
        """End it, its kernel and its folder; does nothing when it is over."""
        self.stop()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    def _take(self, message: Mapping[str, Any]) -> None:
        kind = message.get("event")
        if kind == "cell":
            self.cell, self.of = int(message["cell"]), int(message["of"])
            self.recipe = str(message["recipe"])
        elif kind == "verdict":
            self.verdict = of_plain(message["verdict"])
        elif kind == "untrusted":
            self._problem = UntrustedRun(str(message["message"]), str(message["code"]))
        elif kind == "error":
            known = InvalidValue if message.get("kind") == "InvalidValue" else StoreError
            self._problem = known(str(message["message"]))
        elif kind == "run":
            self.run = str(message["run"])

    def _check(self) -> None:
        if self._problem is not None:
            raise self._problem
        if self.verdict is None and self.run is None:
            self._errors.seek(0)
            words = self._errors.read().decode("utf-8", "replace").strip().splitlines()
            told = words[-1][:300] if words else f"exit code {self._process.returncode}"
            raise StoreError(f"the replay ended without a verdict: {told}")
