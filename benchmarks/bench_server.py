"""What our extension costs a Jupyter server: stalls of its event loop, memory, and idle CPU.

Run it by itself: ``python benchmarks/bench_server.py [RUNS]``. The server is a real one, in a
process of its own; the ticks that are late are counted in its event loop.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bench_store import build
from tornado.httpclient import AsyncHTTPClient

from trackbook import settings
from trackbook.cli.alone import PageServer
from trackbook.store import open_store

_TICK_S = 0.002
_IDLE_S = 20.0


def main() -> None:
    """Print the table for this many runs, by default 10,000."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / ".trackbook"
        build(root, runs)
        store = open_store(root)
        some = store.find()[:50].ids()
        print(f"{runs} runs, bytes and times of a local client")
        for extension in (False, True):
            found = elsewhere(Path(folder), root, some if extension else [])
            print(f"\n{'with' if extension else 'without'} Trackbook")
            for name, text in found:
                print(f"  {name:<34}{text}")


def elsewhere(folder: Path, root: Path, some: list[str]) -> list[list[str]]:
    runtime = folder / f"runtime-{len(some)}"
    command = [sys.executable, __file__, "--serve", str(root), *some]
    environment = {**os.environ, "JUPYTER_RUNTIME_DIR": str(runtime)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return list(json.loads(done.stdout.splitlines()[-1]))


# -- inside the server's process -------------------------------------------------------------------


def serve(root: Path, some: list[str]) -> None:
    found: list[list[str]] = []
    app = PageServer.instance(
        jpserver_extensions={"trackbook": True} if some else {},
        open_browser=False,
        allow_root=True,
        log_level="ERROR",
        port=free_port(),
        port_retries=0,
    )
    if some:
        store = open_store(root)
        settings.register(store.id, root)
        del store
    app.initialize(argv=[], find_extensions=False)

    async def measure() -> None:
        try:
            found.extend(await rows(app, root, some))
        finally:
            app.stop(from_signal=False)

    app.io_loop.add_callback(measure)
    app.start()
    if not found:
        raise SystemExit("nothing was measured")
    print(json.dumps(found))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def rows(app: Any, root: Path, some: list[str]) -> list[list[str]]:
    base = f"http://127.0.0.1:{app.port}{app.base_url}trackbook"
    headers = {"Authorization": f"token {app.identity_provider.token}"}

    async def get(path: str) -> int:
        reply = await AsyncHTTPClient().fetch(base + path, headers=headers, request_timeout=120)
        return len(reply.body)

    await asyncio.sleep(1)
    found = [["memory before", f"{memory():.0f} MB"]]
    if some:
        store = open_store(root)
        ids = {"store": store.id, "run": some[0], "refs": ",".join(some)}
        for name, path in ROUTES.items():
            for turn in ("first", "again"):
                size, took, late = await watched(lambda p=path: get(p.format(**ids)))
                told = f"{size / 1e3:9.0f} kB {took * 1e3:8.0f} ms, loop late {late * 1e3:5.1f} ms"
                found.append([f"{name}, {turn}", told])
        found.append(["memory after", f"{memory():.0f} MB"])
    before = time.process_time()
    await asyncio.sleep(_IDLE_S)
    idle = (time.process_time() - before) / _IDLE_S
    found.append(["idle", f"{idle * 100:.2f} % of a CPU"])
    return found


ROUTES = {
    "stores": "/stores",
    "runs": "/stores/{store}/runs",
    "runs of a filter": "/stores/{store}/runs?where=metrics.acc+%3E+0.9",
    "runs, packed": "/stores/{store}/runs?form=packed",
    "attempts": "/stores/{store}/attempts?path=part1.ipynb",
    "one run": "/stores/{store}/runs/{run}",
    "50 compared": "/stores/{store}/compare?refs={refs}",
}


async def watched(work: Callable[[], Awaitable[int]]) -> tuple[int, float, float]:
    """The result of the work, its seconds, and how late the latest tick of the loop was."""
    worst = 0.0
    ended = asyncio.Event()

    async def tick() -> None:
        nonlocal worst
        while not ended.is_set():
            due = time.perf_counter() + _TICK_S
            await asyncio.sleep(_TICK_S)
            worst = max(worst, time.perf_counter() - due)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0.05)
    worst = 0.0
    began = time.perf_counter()
    size = await work()
    took = time.perf_counter() - began
    ended.set()
    await ticking
    return size, took, worst


def memory() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(Path(sys.argv[2]), sys.argv[3:])
    else:
        main()
