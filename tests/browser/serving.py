"""A real JupyterLab server, which a test may end and start again."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

START_S = 90


@contextmanager
def serve(
    project: Path, log: Path, *options: str, address: str | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A JupyterLab on this folder: its process and its address, token included.

    ``options`` are the command line's; ``address`` is that of an earlier one, which has ended.
    """
    if address is None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port, token = str(probe.getsockname()[1]), secrets.token_hex(16)
    else:
        port, token = address.split(":")[2].partition("/")[0], address.rpartition("=")[2]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser"),
                *(["--allow-root"] if os.geteuid() == 0 else []),
                f"--ServerApp.root_dir={project}",
                f"--ServerApp.port={port}",
                "--ServerApp.port_retries=0",
                f"--IdentityProvider.token={token}",
                "--LabApp.expose_app_in_browser=True",
                "--JupyterNotebookApp.expose_app_in_browser=True",
                *options,
            ],
            cwd=project,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_up(process, f"http://127.0.0.1:{port}/api?token={token}", log)
        yield process, f"http://127.0.0.1:{port}/?token={token}"
    finally:
        stop(process)


def _wait_until_up(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    stop(process)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-4000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the server as a service manager does; what is left of its group is killed."""
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)
