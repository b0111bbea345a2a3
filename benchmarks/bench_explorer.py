"""How long a comparison waits for curves of a million points: a real Jupyter server, over HTTP.

``--points N --runs N`` set the size. Times are wall clock of one request each; the first one
includes the import of numpy and of the sampling library in the server.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trackbook import settings
from trackbook.model import new_document
from trackbook.store import Store, open_store

REPEATS = 7


def fill(folder: Path, runs: int, points: int) -> tuple[Store, list[str]]:
    """A store with runs of one metric each, logged through the real writer."""
    store = open_store(folder / ".trackbook", create=True)
    ids = []
    for number in range(1, runs + 1):
        document = new_document(name="long", experiment="bench", series="long", number=number)
        writer = store.create(document)
        start = document["started"]
        for step in range(points):
            writer.log("loss", step, start + step * 0.01, (step * 7919 % 1000) / (step + 1000.0))
        writer.document["summary"] = writer.summary()
        writer.document.update(status="finished", ended=start + points * 0.01)
        writer.finish()
        ids.append(writer.id)
    return store, ids


@contextmanager
def served(folder: Path, port: int, token: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"]
    command += [f"--ServerApp.port={port}", f"--IdentityProvider.token={token}"]
    command += [f"--ServerApp.root_dir={folder}", "--ServerApp.port_retries=0"]
    command += ["--ServerApp.jpserver_extensions={'trackbook': True}"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=folder, stdout=quiet, stderr=quiet) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=20)


def ask(address: str, **query: str) -> tuple[float, bytes]:
    """Seconds and bytes of one answer."""
    began = time.perf_counter()
    with urllib.request.urlopen(f"{address}&{urllib.parse.urlencode(query)}", timeout=60) as reply:
        body = reply.read()
    return time.perf_counter() - began, body


def wait(address: str) -> None:
    for _ in range(200):
        try:
            ask(address)
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def median(address: str, **query: str) -> tuple[float, bytes]:
    answers = [ask(address, **query) for _ in range(REPEATS)]
    return statistics.median(seconds for seconds, _ in answers), answers[0][1]


def measure(folder: Path, runs: int, points: int) -> None:
    store, ids = fill(folder, runs, points)
    assert store.path is not None
    settings.register(store.id, store.path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(8)
    root = f"http://127.0.0.1:{port}/trackbook/stores"
    chart = f"{root}/{store.id}/compare/chart?token={token}&key=loss&width=600&refs="
    with served(folder, port, token):
        wait(f"{root}?token={token}")
        ask(f"{root}/{store.id}/runs?form=packed&token={token}")
        time.sleep(3)  # a person looks at the table before
        middle = json.dumps({"within": [points // 2, points // 2 + 500]})
        asked = [
            ("first curve of a server", ask(chart + ids[0])),
            ("again", median(chart + ids[0])),
            ("zoomed to 500 steps", median(chart + ids[0], options=middle, spec="0")),
            ("smoothed", median(chart + ids[0], options='{"smoothing": 0.9}')),
            ("against time", median(chart + ids[0], options='{"x": "relative"}')),
            (f"{runs} runs at once", median(chart + ",".join(ids))),
        ]
    print(f"{points:,} points a run, 600 px")
    for what, (seconds, body) in asked:
        count = len(json.loads(body)["columns"]["x"])
        print(f"{what:24} {seconds * 1000:6.0f} ms  {count:6,} points  {len(body) / 1000:6.0f} kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runtime = Path(folder) / "runtime"
        runtime.mkdir()
        os.environ["JUPYTER_RUNTIME_DIR"] = str(runtime)
        measure(Path(folder), arguments.runs, arguments.points)


if __name__ == "__main__":
    main()
