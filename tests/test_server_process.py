"""A Jupyter server as a process of its own, with our extension in it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path


def test_a_server_under_a_base_url_answers_and_ends_when_asked(tmp_path: Path) -> None:
    runtime = tmp_path / "runtime"
    arguments = ["--ServerApp.base_url=/deep/base/", "--no-browser", "--allow-root", "--port=0"]
    arguments += [f"--ServerApp.root_dir={tmp_path}", "--IdentityProvider.token=key"]
    arguments += ["--ServerApp.jpserver_extensions={'trackbook': True}"]
    with (tmp_path / "log.txt").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *arguments],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=tmp_path,
            env={**os.environ, "JUPYTER_RUNTIME_DIR": str(runtime)},
        )
    try:
        url = _address(runtime)
        assert json.loads(_answer(f"{url}trackbook/stores?token=key")) == {
            "stores": [],
            "own": None,
            "current": None,
        }
        assert url.endswith("/deep/base/")
        time.sleep(1)  # some looks for changes
        server.terminate()
        code = server.wait(60)  # it hung for ever here when a task was not awaited
    finally:
        server.kill()
        server.wait()
        said = (tmp_path / "log.txt").read_text()
        print(said)  # shown where the test fails
    assert code == 0
    assert "extension app 'trackbook' stopped" in said or "Shutting down" in said
    assert "Traceback" not in said
    assert "never awaited" not in said
    assert "was destroyed" not in said


def _answer(url: str) -> bytes:
    """What the server answers; it tells its address a moment before it listens there."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=60) as reply:
                return bytes(reply.read())
        except urllib.error.URLError as problem:
            if not isinstance(problem.reason, ConnectionRefusedError):
                raise
            assert time.monotonic() < deadline
            time.sleep(0.1)


def _address(runtime: Path) -> str:
    for _ in range(600):
        for info in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(ValueError):  # half written
                return str(json.loads(info.read_text())["url"])
        time.sleep(0.1)
    raise AssertionError("the server did not come up")
