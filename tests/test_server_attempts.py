"""The routes of the attempt strip, in a real Jupyter server."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from runs import write
from tornado.httpclient import HTTPClientError

from trackbook import settings
from trackbook.store import Store, open_store

Fetch = Callable[..., Awaitable[Any]]


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {"ServerApp": {"jpserver_extensions": {"trackbook": True}}}


@pytest.fixture
def served(jp_root_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store at the server's root, registered."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    store = open_store(jp_root_dir / ".trackbook", create=True)
    assert store.path is not None
    settings.register(store.id, store.path)
    return store


def attempt(store: Store, number: int, acc: float, **more: Any) -> str:
    series = more.pop("series", "nb/work.ipynb#forest")
    return write(
        store,
        number=number,
        series=series,
        notebook={"path": "nb/work.ipynb"},
        metrics={"acc": [acc]},
        started=float(number),
        **more,
    )


async def ask(fetch: Fetch, store: Store, path: str = "nb/work.ipynb", **query: str) -> Any:
    params = {"path": path, **query}
    reply = await fetch("trackbook", "stores", store.id, "attempts", params=params)
    return json.loads(reply.body)


async def test_a_notebooks_cells_have_their_attempts(served: Store, jp_fetch: Fetch) -> None:
    ids = [attempt(served, n, acc) for n, acc in ((1, 0.5), (2, 0.9), (3, 0.7))]
    write(served, notebook={"path": "nb/other.ipynb"}, series="nb/other.ipynb#forest")
    answer = await ask(jp_fetch, served)
    [strip] = answer["strips"]
    assert (strip["name"], strip["total"], strip["key"]) == ("forest", 3, "acc")
    assert strip["best"] == ids[1]
    assert [dot["id"] for dot in strip["attempts"]] == ids
    assert [dot["shade"] for dot in strip["attempts"]] == [0.0, 1.0, 0.5]


async def test_only_the_strips_that_changed_come_again(served: Store, jp_fetch: Fetch) -> None:
    first = attempt(served, 1, 0.5)
    attempt(served, 1, 0.5, series="nb/work.ipynb@abc")
    whole = await ask(jp_fetch, served)
    assert whole["full"]
    assert len(whole["strips"]) == 2
    nothing = await ask(jp_fetch, served, since=whole["revision"])
    assert (nothing["full"], nothing["strips"]) == (False, [])
    attempt(served, 2, 0.6)
    delta = await ask(jp_fetch, served, since=whole["revision"])
    assert [strip["total"] for strip in delta["strips"]] == [2]
    served.edit(first, {"deleted": True})
    after = await ask(jp_fetch, served, since=delta["revision"])
    assert [strip["total"] for strip in after["strips"]] == [1]


async def test_a_long_series_shows_its_last_sixty(served: Store, jp_fetch: Fetch) -> None:
    for n in range(1, 66):
        attempt(served, n, n / 100)
    [strip] = (await ask(jp_fetch, served))["strips"]
    assert strip["total"] == 65
    assert [dot["number"] for dot in strip["attempts"]] == list(range(6, 66))


async def test_lower_is_better_for_a_loss_and_nan_has_no_shade(
    served: Store, jp_fetch: Fetch
) -> None:
    for n, loss in enumerate((3.0, float("nan"), 1.0), 1):
        write(
            served,
            number=n,
            series="nb/work.ipynb#net",
            notebook={"path": "nb/work.ipynb"},
            metrics={"val_loss": [loss]},
            started=float(n),
        )
    [strip] = (await ask(jp_fetch, served))["strips"]
    assert [dot["shade"] for dot in strip["attempts"]] == [0.0, None, 1.0]
    assert strip["best"] == strip["attempts"][2]["id"]


async def test_too_long_a_path_is_400(served: Store, jp_fetch: Fetch) -> None:
    with pytest.raises(HTTPClientError) as failure:
        await ask(jp_fetch, served, "x" * 2000)
    assert failure.value.code == 400


@pytest.mark.parametrize("path", ["../../etc/x.ipynb", "'] or True or notebook in ['", "a\0b"])
async def test_a_hostile_path_finds_nothing(served: Store, jp_fetch: Fetch, path: str) -> None:
    attempt(served, 1, 0.5)
    assert (await ask(jp_fetch, served, path))["strips"] == []


async def test_the_source_of_an_attempt(served: Store, jp_fetch: Fetch) -> None:
    with_source = attempt(served, 1, 0.5, source="%%track\nx = 1")
    reply = await jp_fetch("trackbook", "stores", served.id, "runs", with_source, "source")
    assert json.loads(reply.body) == {"source": "%%track\nx = 1"}
    bare = attempt(served, 2, 0.5, source=None)
    reply = await jp_fetch("trackbook", "stores", served.id, "runs", bare, "source")
    assert json.loads(reply.body)["source"] is None
