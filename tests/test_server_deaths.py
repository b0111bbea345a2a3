"""Kernels that die under a run: the server says in the run how. Real servers, real kernels."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from runs import write
from tornado.httpclient import HTTPClientError

from trackbook import reading, settings
from trackbook.cli import trackbook as command
from trackbook.errors import RunNotFound
from trackbook.model import new_document
from trackbook.server import shelf
from trackbook.server.death import cause
from trackbook.server.kernels import Ending
from trackbook.store import Store, open_store

Fetch = Callable[..., Awaitable[Any]]
LOAD = "%load_ext trackbook\nimport os, time, trackbook as tb"


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {
        "ServerApp": {"jpserver_extensions": {"trackbook": True}},
        "KernelRestarter": {"time_to_dead": 0.3},
    }


@pytest.fixture
def store_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the kernels of a test write; the server finds it in the runtime folder."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
    return tmp_path / ".trackbook"


class Kernel:
    """A kernel of the server under test."""

    def __init__(self, server: Any, kernel_id: str) -> None:
        self.manager = server.kernel_manager
        self.id = kernel_id
        self.client = self.manager.get_kernel(kernel_id).client()

    @property
    def pid(self) -> int:
        return int(self.manager.get_kernel(self.id).provisioner.pid)

    async def run(self, code: str) -> None:
        reply = await self.client.execute_interactive(code, timeout=60, output_hook=lambda _: None)
        assert reply["content"]["status"] == "ok", reply["content"]

    async def begin(self, code: str, store_path: Path, ready: Path) -> dict[str, Any]:
        """Start a cell that will not end, and wait until it has written ``ready``."""
        self.client.execute(code)
        await until(ready.exists)
        return open_store(store_path).find()[0]


async def until(done: Callable[[], Any], seconds: float = 30.0) -> Any:
    for _ in range(int(seconds / 0.1)):
        if found := done():
            return found
        await asyncio.sleep(0.1)
    raise AssertionError("it did not come to that")


@pytest.fixture
def kernel(
    store_path: Path, jp_serverapp: Any, jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[Kernel]:
    async def start() -> Kernel:
        await jp_serverapp.extension_manager.start_all_extensions()
        kernel = Kernel(jp_serverapp, await jp_serverapp.kernel_manager.start_kernel())
        kernel.client.start_channels()
        await kernel.client.wait_for_ready(timeout=60)
        await kernel.run(LOAD)
        return kernel

    async def end() -> None:
        kernel.client.stop_channels()
        if kernel.id in kernel.manager:
            await asyncio.sleep(0.5)  # a kernel that was killed is about to be started anew
            await until(kernel.manager.get_kernel(kernel.id).ready.done)
            await kernel.manager.shutdown_kernel(kernel.id, now=True)

    kernel = jp_asyncio_loop.run_until_complete(start())
    yield kernel
    jp_asyncio_loop.run_until_complete(end())


async def death(store_path: Path, run_id: str) -> dict[str, Any]:
    store = open_store(store_path)
    await until(lambda: store.document(run_id).get("death"))
    document = store.document(run_id)
    assert document["status"] == "lost"
    return dict(document["death"])


TRAINING = """%%track forest
for step in range(3):
    tb.log_metric("loss", 1 / (step + 1))
time.sleep(0.5)
open({ready!r}, "w").close()
{rest}"""


@pytest.mark.parametrize(
    ("rest", "told", "code"),
    [
        ("os.kill(os.getpid(), 9)", "killed: signal 9 (SIGKILL)", -9),
        ("os.abort()", "crashed: signal 6 (SIGABRT)", -6),
        ("os.kill(os.getpid(), 11)", "crashed: signal 11 (SIGSEGV)", -11),
        ("os._exit(3)", "the kernel's process ended by itself with exit code 3", 3),
    ],
)
async def test_a_kernel_that_dies_leaves_a_certificate(
    kernel: Kernel, store_path: Path, tmp_path: Path, rest: str, told: str, code: int
) -> None:
    source = TRAINING.format(ready=str(tmp_path / "ready"), rest=rest)
    run = await kernel.begin(source, store_path, tmp_path / "ready")
    assert run["env"]["kernel"] == kernel.id
    found = await death(store_path, run["id"])
    assert found["cause"] == told
    assert found["exit"] == code
    step = found["last_step"]
    assert (step["key"], step["step"], step["value"]) == ("loss", 2, 1 / 3)
    kept = open_store(store_path).blobs.get(found["last_cell"]["source"]).decode()
    assert kept == source
    assert found["time"] >= run["started"]
    assert "memory" not in found  # it lived for less than five seconds


async def test_a_bare_run_says_in_which_cell_its_kernel_died(
    kernel: Kernel, store_path: Path, tmp_path: Path
) -> None:
    await kernel.run("run = tb.start_run('long')")
    await kernel.run("early = 1")
    ready = tmp_path / "ready"
    last = f"time.sleep(1.5)\nopen({str(ready)!r}, 'w').close()\ntime.sleep(60)"
    run = await kernel.begin(last, store_path, ready)
    os.kill(kernel.pid, signal.SIGKILL)
    found = await death(store_path, run["id"])
    store = open_store(store_path)
    assert store.blobs.get(found["last_cell"]["source"]).decode() == last
    assert "last_step" not in found


async def test_the_certificate_has_the_memory_of_the_process(
    kernel: Kernel, store_path: Path, tmp_path: Path
) -> None:
    await kernel.run("import trackbook.capture.system as s; s.INTERVAL_S = 0.2")
    ready = tmp_path / "ready"
    growing = (
        "%%track hungry\nheld = []\n"
        "for step in range(8):\n"
        "    held.append(bytearray(os.urandom(1 << 20) * 50)); time.sleep(0.3)\n"
        f"open({str(ready)!r}, 'w').close()\ntime.sleep(60)"
    )
    run = await kernel.begin(growing, store_path, ready)
    await asyncio.sleep(0.5)
    os.kill(kernel.pid, signal.SIGKILL)
    memory = (await death(store_path, run["id"]))["memory"]
    assert len(memory) >= 4
    assert [pair[0] for pair in memory] == sorted(pair[0] for pair in memory)
    assert memory[-1][1] - memory[0][1] > 0.2


async def test_what_ended_well_gets_no_certificate(
    kernel: Kernel, store_path: Path, tmp_path: Path
) -> None:
    await kernel.run("%%track good\nx = 1")
    run = await kernel.begin(
        f"%%track bad\nopen({str(tmp_path / 'r')!r}, 'w').close()\ntime.sleep(60)",
        store_path,
        tmp_path / "r",
    )
    os.kill(kernel.pid, signal.SIGKILL)
    await death(store_path, run["id"])
    good = reading.open_store(store_path).get_run("good")
    assert (good.status, good.death) == ("finished", None)


@pytest.mark.parametrize("action", ["restart", "shutdown"])
async def test_a_restart_that_has_to_kill_is_called_so(
    kernel: Kernel, store_path: Path, tmp_path: Path, action: str
) -> None:
    """The cell ignores the interrupt and the request to end, as a long call into C does."""
    deaf = (
        "%%track deaf\nimport signal\n"
        "for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, signal.SIG_IGN)\n"
        f"open({str(tmp_path / 'r')!r}, 'w').close()\ntime.sleep(60)"
    )
    run = await kernel.begin(deaf, store_path, tmp_path / "r")
    if action == "restart":
        await kernel.manager.restart_kernel(kernel.id)
    else:
        await kernel.manager.shutdown_kernel(kernel.id)
    found = await death(store_path, run["id"])
    done = {"restart": "restarted", "shutdown": "shut down"}[action]
    assert found["cause"] == f"the kernel was {done} while the run was open"
    assert "exit" not in found


async def test_a_restart_that_the_run_survives_is_no_death(
    kernel: Kernel, store_path: Path
) -> None:
    await kernel.run("run = tb.start_run('bare')")
    await kernel.manager.restart_kernel(kernel.id)
    await asyncio.sleep(1.5)
    (document,) = open_store(store_path).find()
    assert document["status"] == "finished"
    assert "death" not in document


# -- readers and the edit --------------------------------------------------------------------------


CERTIFICATE = {
    "time": 2e9,
    "cause": "likely out of memory: signal 9 (SIGKILL) with 97 % of the memory in use",
    "exit": -9,
    "last_step": {"key": "loss", "step": 7, "value": 0.5, "time": 2e9},
    "memory": [[1.9e9, 1.0], [2e9, 15.5]],
}


def test_readers_show_the_certificate(store: Store) -> None:
    from click.testing import CliRunner

    from trackbook.views import columns

    run_id = write(store, end=False)
    store.edit(run_id, {"death": CERTIFICATE})
    run = reading.open_store(store.path).get_run(run_id)
    assert run.death is not None
    assert run.death.cause == CERTIFICATE["cause"]
    assert run.death.memory == CERTIFICATE["memory"]
    assert columns.row(store.document(run_id))["death"] == CERTIFICATE["cause"]
    shown = CliRunner().invoke(command, ["show", run_id, "--store", str(store.path)]).output
    assert "likely out of memory" in shown
    assert "loss at step 7" in shown
    assert "15.5 GB" in shown


@pytest.mark.parametrize("bad", ["dead", 1, None, ["x"]])
def test_a_certificate_is_a_mapping(store: Store, bad: Any) -> None:
    from trackbook.errors import InvalidValue

    run_id = write(store)
    with pytest.raises(InvalidValue, match="death is a mapping"):
        store.edit(run_id, {"death": bad})
    assert "death" not in store.document(run_id)


async def test_a_person_cannot_write_one(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jp_fetch: Fetch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    assert store.path is not None
    settings.register(store.id, store.path)
    run_id = write(store)
    body = json.dumps({"death": CERTIFICATE})
    with pytest.raises(HTTPClientError) as failure:
        await jp_fetch("trackbook", "stores", store.id, "runs", run_id, method="PATCH", body=body)
    assert failure.value.code == 400
    assert "death" not in store.document(run_id)


@pytest.mark.parametrize(
    ("ending", "percent", "told"),
    [
        (
            {"exit": -9, "out_of_memory": True},
            None,
            "likely out of memory: signal 9 (SIGKILL), and",
        ),
        ({"exit": 137}, 95.0, "likely out of memory: signal 9 (SIGKILL) with 95 %"),
        ({"exit": -9}, 60.0, "killed: signal 9 (SIGKILL)"),
        ({"exit": -15}, 99.0, "killed: signal 15 (SIGTERM)"),
        ({"exit": -11, "out_of_memory": True}, 99.0, "crashed: signal 11 (SIGSEGV)"),
        ({"exit": 0}, None, "the kernel's process ended by itself with exit code 0"),
        ({}, 99.0, "the kernel died"),
    ],
)
def test_causes_say_no_more_than_is_known(
    ending: dict[str, Any], percent: float | None, told: str
) -> None:
    said = cause(Ending("k", 0.0, **ending), percent)
    assert said.startswith(told)
    assert ("likely" in said) == told.startswith("likely")


def test_stores_that_nobody_uses_stay_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person may have hundreds: the end of a kernel opens those that it can have written to."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    stores = []
    for n in range(8):
        store = open_store(tmp_path / f"{n}" / ".trackbook", create=True)
        write(store)
        assert store.path is not None
        settings.register(store.id, store.path)
        stores.append(store)
    opened: list[Path] = []

    def spied(path: Path) -> Store:
        opened.append(path)
        return open_store(path)

    monkeypatch.setattr(shelf, "open_store", spied)
    here = shelf.Shelf(tmp_path)
    assert here.changed() == []
    here.certify(Ending("k", 0.0, exit=-9))
    assert opened == []
    here.get(stores[3].id)
    document = new_document(name="forest", experiment="e")
    document["env"] = {"kernel": "k"}
    writer = stores[5].create(document)
    writer.save()
    writer.abandon()
    here.certify(Ending("k", 0.0, exit=-9))
    assert opened == [stores[3].path, stores[5].path]
    assert stores[5].document(document["id"])["death"]["cause"] == "killed: signal 9 (SIGKILL)"
    here.close()


def test_a_store_whose_folder_moved_is_opened_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    store = open_store(tmp_path / "before" / ".trackbook", create=True)
    run_id = write(store)
    here = shelf.Shelf(tmp_path)
    assert store.path is not None
    settings.register(store.id, store.path)
    assert here.get(store.id).document(run_id)
    (tmp_path / "before").rename(tmp_path / "after")
    with pytest.raises(RunNotFound, match="no registered store"):
        here.get(store.id)
    settings.register(store.id, tmp_path / "after" / ".trackbook")
    assert here.get(store.id).path == tmp_path / "after" / ".trackbook"
    assert here.get(store.id) is here.get(store.id)
    here.close()
