"""Replay from where people ask for it: Python, ``%track``, the command line, the server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from kernels import kernel
from replay.conftest import run_cells
from tornado.httpclient import HTTPClientError

from trackbook import settings
from trackbook.errors import InvalidValue, UntrustedRun
from trackbook.reading import OpenStore, Run, open_store

Fetch = Callable[..., Awaitable[Any]]
CELLS = (
    "import random, time, os\nbase = 2.5",
    "unused = 1",
    "%%track made\ndepth, rate = 3, 0.5\nacc = base * depth * rate + random.random()\nprint(acc)",
    "%%track long\ndepth = 2\nacc = 1.0 * depth\n"
    "if 'TRACKBOOK_REPLAY' in os.environ:\n    time.sleep(300)",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces")
    run_cells(folder, CELLS)
    return folder


@pytest.fixture
def store(folder: Path) -> OpenStore:
    return open_store(folder / ".trackbook")


@pytest.fixture
def made(store: OpenStore) -> Run:
    return next(run for run in store.runs(sort="started") if run.name == "made")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for somebody else, who has another key."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "another"))


# -- recipes ---------------------------------------------------------------------------------------


def test_a_recipe_says_why_each_cell_is_kept(made: Run) -> None:
    recipe = made.recipe()
    assert [cell.target for cell in recipe.cells] == [False] * (len(recipe.cells) - 1) + [True]
    assert all(cell.reason for cell in (*recipe.cells, *recipe.dropped))
    told = recipe.explain(dropped=True)
    assert "depth, rate = 3, 0.5" in told and "unused = 1" in told
    assert "unused = 1" not in recipe.explain()
    assert len(made.recipe(full=True).cells) > len(recipe.cells)


def test_a_recipe_is_a_notebook_with_params_that_papermill_varies(
    made: Run, tmp_path: Path
) -> None:
    import papermill

    path = made.recipe().save(tmp_path / "made.ipynb")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    tagged = [c for c in notebook.cells if c.metadata.get("tags") == ["parameters"]]
    assert tagged[0].source == "depth = 3\nrate = 0.5"
    assert "%%track" not in "".join(cell.source for cell in notebook.cells)
    out = tmp_path / "out.ipynb"
    papermill.execute_notebook(path, out, {"depth": 40}, progress_bar=False, kernel_name="python3")
    printed = nbformat.read(out, as_version=4).cells[-1].outputs[0].text
    assert 50 <= float(printed) <= 51


def test_a_recipe_is_a_script_that_runs(made: Run, tmp_path: Path) -> None:
    path = made.recipe().save(tmp_path / "made.py")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True)
    assert 3.75 <= float(done.stdout) <= 4.75
    assert "random number generators are not in this file" in path.read_text()
    with pytest.raises(InvalidValue, match=r"\.ipynb or \.py"):
        made.recipe().save(tmp_path / "made.txt")


# -- other params ----------------------------------------------------------------------------------


def test_other_params_make_the_next_attempt(made: Run) -> None:
    again = made.replay({"depth": 7})
    assert again.params == {**made.params, "depth": 7}
    assert again.number > made.number and again.series == made.series
    assert again.metrics["acc"] == pytest.approx(made.metrics["acc"] + 4 * 2.5 * 0.5)
    assert again.replay().status == "reproduced"


def test_a_list_of_params_makes_a_group(made: Run) -> None:
    runs = made.replay([{"depth": 1}, {"rate": 0.25}], jobs=2)
    assert sorted(run.params["depth"] for run in runs) == [1, 3]
    parents = {run.parent.id for run in runs if run.parent is not None}
    assert len(parents) == 1


def test_what_no_literal_decides_cannot_be_varied(made: Run, store: OpenStore) -> None:
    before = len(store.runs(archived=True))
    for params in ({"nothing": 1}, {"acc": 1}, [{"depth": 1}, {"random": 1}]):
        with pytest.raises(InvalidValue, match="binds"):
            made.replay(params)
    with pytest.raises(InvalidValue, match="plain value"):
        made.replay({"depth": object()})
    assert len(store.runs(archived=True)) == before


# -- whose code it is ------------------------------------------------------------------------------


@pytest.mark.usefixtures("elsewhere")
def test_code_of_somebody_else_is_shown_and_not_run(made: Run) -> None:
    with pytest.raises(UntrustedRun, match="trust=True") as refused:
        made.replay()
    assert "depth, rate = 3, 0.5" in refused.value.code
    assert made.replay(trust=True).status == "reproduced"


@pytest.mark.usefixtures("elsewhere")
def test_the_magic_shows_code_of_somebody_else(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACKBOOK_STORE", str(folder / ".trackbook"))
        with kernel(folder) as one:
            one.run("%load_ext trackbook")
            got = one.run("%track replay made")
            shown = "".join(str(message) for message in got)
            assert "not recorded and signed here" in shown and "depth" in shown


# -- the magic, from a kernel ----------------------------------------------------------------------


def test_a_cell_replays_and_an_interrupt_ends_the_replay(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACKBOOK_STORE", str(folder / ".trackbook"))
        with kernel(folder) as one:
            one.run("%load_ext trackbook\nimport os, trackbook as tb")
            told = str(one.run("%track recipe made"))
            assert "makes the run" in told
            assert "reproduced: acc" in str(one.run("%track replay made"))
            pid = int(one.printed("print(os.getpid())"))
            one.send("tb.get_run('long').replay()")
            child = _wait_for(lambda: psutil.Process(pid).children(recursive=True)[1:])
            time.sleep(3)
            os.kill(pid, signal.SIGINT)
            _wait_for(lambda: not any(process.is_running() for process in child))


def _wait_for(what: Callable[[], Any], seconds: float = 40) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen")


# -- the command line ------------------------------------------------------------------------------


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    store = ["--store", str(folder / ".trackbook")]
    return subprocess.run(
        [sys.executable, "-m", "trackbook.cli", *words, *store],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_the_command_says_it_and_by_its_exit_code(folder: Path, made: Run, tmp_path: Path) -> None:
    done = command(folder, "replay", made.id)
    assert (done.returncode, done.stdout.split(":")[0]) == (0, "reproduced")
    assert json.loads(command(folder, "replay", made.id, "--json").stdout)["status"] == "reproduced"
    late = command(folder, "replay", "long", "--timeout", "5")
    assert late.returncode == 1 and "did not end within 5 s" in late.stdout
    assert command(folder, "replay", made.id, "--param", "x").returncode == 2
    assert command(folder, "replay", "no such run").returncode == 1
    varied = command(folder, "replay", made.id, "-p", "depth=5")
    assert varied.returncode == 0 and varied.stdout.startswith("made #")
    target = tmp_path / "x.ipynb"
    assert command(folder, "recipe", made.id, "-o", str(target)).returncode == 0
    assert target.exists()
    assert "makes the run" in command(folder, "recipe", made.id).stdout


@pytest.mark.usefixtures("elsewhere")
def test_the_command_runs_no_code_of_somebody_else(folder: Path, made: Run) -> None:
    done = command(folder, "replay", made.id)
    assert done.returncode == 1 and "not recorded and signed here" in done.stderr
    assert command(folder, "replay", made.id, "--trust").returncode == 0


# -- the server ------------------------------------------------------------------------------------


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {"ServerApp": {"jpserver_extensions": {"trackbook": True}}}


@pytest.fixture
def served(store: OpenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    assert store.path is not None
    settings.register(store.id, store.path)
    return store.id


async def ask(fetch: Fetch, *parts: str, **options: Any) -> Any:
    return json.loads((await fetch("trackbook", "stores", *parts, **options)).body)


async def done(fetch: Fetch, served: str, job: str) -> Any:
    while (told := await ask(fetch, served, "replays", job))["state"] == "running":
        await asyncio.sleep(0.2)
    return told


async def test_the_server_tells_the_recipe_and_replays(
    jp_fetch: Fetch, served: str, made: Run
) -> None:
    recipe = await ask(jp_fetch, served, "runs", made.id, "recipe")
    assert recipe["cells"][-1]["target"] and recipe["cells"][-1]["reason"]
    assert {cell["source"] for cell in recipe["dropped"]} >= {"unused = 1"}
    assert recipe["grade"]["letter"] in "ABCDEF" and recipe["grade"]["reasons"][0]["cure"]
    body = json.dumps({"trust": False, "allow_writes": False})
    begun = await ask(jp_fetch, served, "runs", made.id, "replay", method="POST", body=body)
    told = await done(jp_fetch, served, begun["job"])
    assert told["verdict"]["status"] == "reproduced" and told["cell"] == told["of"] > 0
    after = await ask(jp_fetch, served, "runs", made.id, "recipe")
    assert after["verdict"]["status"] == "reproduced"


async def test_the_server_cancels_a_replay(jp_fetch: Fetch, served: str, store: OpenStore) -> None:
    run = store.get_run("long").id
    body = json.dumps({"trust": False, "allow_writes": False})
    job = (await ask(jp_fetch, served, "runs", run, "replay", method="POST", body=body))["job"]
    same = (await ask(jp_fetch, served, "runs", run, "replay", method="POST", body=body))["job"]
    assert same == job
    while (await ask(jp_fetch, served, "replays", job))["cell"] == 0:
        await asyncio.sleep(0.2)
    told = await ask(jp_fetch, served, "replays", job, method="DELETE")
    assert told["state"] == "done" and told["verdict"]["text"] == "not determined: cancelled"


@pytest.mark.usefixtures("elsewhere")
async def test_the_server_shows_code_of_somebody_else(
    jp_fetch: Fetch, served: str, made: Run
) -> None:
    with pytest.raises(HTTPClientError) as refused:
        await ask(jp_fetch, served, "runs", made.id, "replay", method="POST", body="{}")
    assert refused.value.code == 403 and refused.value.response is not None
    told = json.loads(refused.value.response.body)
    assert "depth, rate = 3, 0.5" in told["code"] and "signed" in told["message"]


async def test_the_server_refuses_what_it_does_not_know(
    jp_fetch: Fetch, served: str, made: Run
) -> None:
    for body in ("[]", '{"trust": 1}', '{"params": {}}'):
        with pytest.raises(HTTPClientError) as refused:
            await ask(jp_fetch, served, "runs", made.id, "replay", method="POST", body=body)
        assert refused.value.code == 400
    with pytest.raises(HTTPClientError) as missing:
        await ask(jp_fetch, served, "replays", "0" * 16)
    assert missing.value.code == 404
