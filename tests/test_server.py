"""The server extension in a real Jupyter server: every route, the event, and a clean end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from runs import write
from tornado.httpclient import HTTPClientError

from trackbook import settings
from trackbook.server import EVENT
from trackbook.store import Store

Fetch = Callable[..., Awaitable[Any]]


@pytest.fixture
def polling(served: Store, jp_serverapp: Any, jp_asyncio_loop: asyncio.AbstractEventLoop) -> None:
    """The extension started, as a server does once its loop runs (pytest-jupyter does not)."""
    jp_asyncio_loop.run_until_complete(jp_serverapp.extension_manager.start_all_extensions())


async def get(fetch: Fetch, *parts: str, **params: str) -> Any:
    reply = await fetch("trackbook", *parts, params=params)
    assert reply.headers["Content-Type"].startswith("application/json")
    return json.loads(reply.body)


async def refused(answer: Awaitable[Any]) -> tuple[int, str]:
    with pytest.raises(HTTPClientError) as failure:
        await answer
    assert failure.value.response is not None
    message = json.loads(failure.value.response.body)["message"]
    assert "\n" not in message
    return failure.value.code, message


# -- stores ----------------------------------------------------------------------------------------


async def test_stores_are_the_registered_ones(served: Store, jp_fetch: Fetch) -> None:
    answer = await get(jp_fetch, "stores")
    assert [s["id"] for s in answer["stores"]] == [served.id]
    assert set(answer["stores"][0]) == {"id", "path", "name"}
    assert answer["current"] == served.id


async def test_the_current_store_is_that_of_the_notebook(
    served: Store, jp_fetch: Fetch, jp_root_dir: Path
) -> None:
    from trackbook.store import open_store

    project = jp_root_dir / "project"
    project.mkdir()
    own = open_store(project / ".trackbook", create=True)
    assert own.path is not None
    settings.register(own.id, own.path)
    answer = await get(jp_fetch, "stores", path="project/study.ipynb")
    assert answer["current"] == own.id
    assert {s["name"] for s in answer["stores"]} == {"project", served.path.parent.name}  # type: ignore[union-attr]
    assert (await get(jp_fetch, "stores", path="../../../x.ipynb"))["current"] in {
        s["id"] for s in answer["stores"]
    }


async def test_no_store_is_no_error(
    jp_fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "empty"))
    assert await get(jp_fetch, "stores") == {"stores": [], "own": None, "current": None}


# -- runs ------------------------------------------------------------------------------------------


async def test_runs_come_as_a_table_then_as_what_changed(served: Store, jp_fetch: Fetch) -> None:
    first = write(served, params={"depth": 1}, metrics={"loss": [float("nan")]})
    whole = await get(jp_fetch, "stores", served.id, "runs")
    assert whole["full"] is True
    assert [row["id"] for row in whole["table"]["rows"]] == [first]
    assert whole["table"]["rows"][0]["headline"]["value"] == {"$float": "nan"}

    second = write(served, params={"depth": 2})
    delta = await get(jp_fetch, "stores", served.id, "runs", since=whole["revision"])
    assert delta["full"] is False
    assert [row["id"] for row in delta["table"]["rows"]] == [second]
    assert delta["table"]["total"] == 2
    assert "params.depth" in [c["key"] for c in delta["table"]["columns"]]
    assert delta["removed"] == []

    served.edit(first, {"deleted": True})
    after = await get(jp_fetch, "stores", served.id, "runs", since=delta["revision"])
    assert after["removed"] == [first]
    assert after["table"]["rows"] == []
    start, _, n = after["revision"].rpartition(".")
    assert after["revision"] != delta["revision"]
    assert delta["revision"].startswith(f"{start}.")
    assert n.isdecimal()


@pytest.mark.parametrize("since", ["other.1", "nonsense", "1.2.3", "."])
async def test_a_foreign_revision_means_everything(
    served: Store, jp_fetch: Fetch, since: str
) -> None:
    write(served)
    assert (await get(jp_fetch, "stores", served.id, "runs", since=since))["full"] is True


async def test_runs_are_filtered_sorted_and_limited(served: Store, jp_fetch: Fetch) -> None:
    ids = [write(served, metrics={"acc": [v]}, experiment=e) for v, e in ((0.5, "a"), (0.75, "b"))]
    runs = ("stores", served.id, "runs")

    async def found(**query: str) -> list[str]:
        answer = await get(jp_fetch, *runs, **query)
        return [row["id"] for row in answer["table"]["rows"]]

    assert await found(where="metrics.acc > 0.6") == [ids[1]]
    assert await found(experiment="a") == [ids[0]]
    assert await found(sort="metrics.acc") == ids
    assert await found(sort="-metrics.acc", limit="1") == [ids[1]]
    served.edit(ids[0], {"archived": True})
    assert await found() == [ids[1]]
    assert set(await found(archived="true")) == set(ids)


@pytest.mark.parametrize(
    "query", [{"where": "metrics.acc >"}, {"where": "__import__('os')"}, {"limit": "many"}]
)
async def test_a_bad_query_is_400(served: Store, jp_fetch: Fetch, query: dict[str, str]) -> None:
    code, message = await refused(get(jp_fetch, "stores", served.id, "runs", **query))
    assert code == 400
    assert message


# -- one run and several ---------------------------------------------------------------------------


async def test_one_run_comes_with_row_charts_and_artifacts(served: Store, jp_fetch: Fetch) -> None:
    run_id = write(served, metrics={"loss": [2.0, 1.0]})
    answer = await get(jp_fetch, "stores", served.id, "runs", run_id)
    assert answer["run"]["id"] == answer["row"]["id"] == run_id
    assert [chart["kind"] for chart in answer["charts"]] == ["curves"]
    assert answer["artifacts"] == []


async def test_compare_takes_several_refs(served: Store, jp_fetch: Fetch) -> None:
    ids = [write(served, params={"a": n}, source=f"a = {n}") for n in (1, 2)]
    view = await get(jp_fetch, "stores", served.id, "compare", refs=",".join(ids))
    assert view["refs"] == ids
    assert view["measures"][0]["name"] == "params.a"


async def test_a_patch_edits_and_answers_with_the_row(served: Store, jp_fetch: Fetch) -> None:
    run_id = write(served)
    body = json.dumps({"name": "tree", "star": True, "tags": {"baseline": ""}})
    reply = await jp_fetch(
        "trackbook", "stores", served.id, "runs", run_id, method="PATCH", body=body
    )
    row = json.loads(reply.body)["row"]
    assert (row["name"], row["star"]) == ("tree", True)
    assert served.document(run_id)["tags"] == {"baseline": ""}


@pytest.mark.parametrize("body", ["", "[1]", "{", '{"status": "finished"}', '{"star": "yes"}'])
async def test_a_patch_of_something_else_is_400(served: Store, jp_fetch: Fetch, body: str) -> None:
    run_id = write(served)
    before = served.document(run_id)
    patch = jp_fetch("trackbook", "stores", served.id, "runs", run_id, method="PATCH", body=body)
    assert (await refused(patch))[0] == 400
    assert served.document(run_id) == before


async def test_edits_are_told_and_undone(served: Store, jp_fetch: Fetch) -> None:
    run_id = write(served)
    parts = ("stores", served.id, "runs", run_id, "edits")
    assert await get(jp_fetch, *parts) == {"edits": []}
    served.edit(run_id, {"name": "tree"})
    served.edit(run_id, {"star": True})
    (first, _) = (await get(jp_fetch, *parts))["edits"]
    assert (first["change"], first["replaced"]) == ({"name": "tree"}, {"name": "forest"})

    async def undo(edit: str | None) -> Any:
        body = json.dumps({"undo": edit})
        reply = await jp_fetch("trackbook", *parts, method="PATCH", body=body)
        return json.loads(reply.body)

    assert (await undo(None))["row"]["star"] is False
    answer = await undo(first["id"])
    assert answer["row"]["name"] == "forest"
    assert [edit["undone"] for edit in answer["edits"]] == [True, True, False, False]
    assert (await undo(answer["edits"][-1]["id"]))["row"]["name"] == "tree"
    bodies = ("", "{}", '{"undo": 3}', '{"undo": "none"}', '{"undo": null, "name": "x"}')
    for body in (*bodies, '{"undo": "../x"}'):
        patch = jp_fetch("trackbook", *parts, method="PATCH", body=body)
        assert (await refused(patch))[0] == 400
    assert len(served.edits(run_id)) == 5


async def test_comparing_nothing_is_400(served: Store, jp_fetch: Fetch) -> None:
    assert (await refused(get(jp_fetch, "stores", served.id, "compare")))[0] == 400


MISSING = "20260101-000000-aaaaaaaaaa"


@pytest.mark.parametrize(
    ("parts", "method"),
    [
        (("stores", "nostore", "runs"), "GET"),
        (("stores", "nostore", "runs", MISSING), "PATCH"),
        (("stores", "STORE", "runs", MISSING), "GET"),
        (("stores", "STORE", "runs", MISSING), "PATCH"),
        (("stores", "STORE", "runs", "..%2F..%2Fetc"), "GET"),
        (("stores", "STORE", "runs", MISSING, "edits"), "GET"),
        (("stores", "nostore", "compare"), "GET"),
        (("stores", "STORE", "compare"), "GET"),
    ],
)
async def test_what_is_not_there_is_404(
    served: Store, jp_fetch: Fetch, parts: tuple[str, ...], method: str
) -> None:
    where = [served.id if part == "STORE" else part for part in parts]
    options = {"body": "{}"} if method == "PATCH" else {}
    params = {"refs": "nobody"} if "compare" in parts else {}
    answer = jp_fetch("trackbook", *where, method=method, params=params, **options)
    assert (await refused(answer))[0] == 404


ROUTES = [
    (("stores",), "GET"),
    (("stores", "STORE", "runs"), "GET"),
    (("stores", "STORE", "compare"), "GET"),
    (("stores", "STORE", "runs", "RUN"), "GET"),
    (("stores", "STORE", "runs", "RUN"), "PATCH"),
    (("stores", "STORE", "runs", "RUN", "edits"), "GET"),
    (("stores", "STORE", "runs", "RUN", "edits"), "PATCH"),
]


@pytest.mark.parametrize(("parts", "method"), ROUTES)
async def test_a_stranger_gets_nothing(
    served: Store, jp_fetch: Fetch, parts: tuple[str, ...], method: str
) -> None:
    run_id = write(served)
    where = [{"STORE": served.id, "RUN": run_id}.get(part, part) for part in parts]
    options = {"body": '{"name": "mine"}'} if method == "PATCH" else {}
    headers = {"Authorization": "token wrong"}
    answer = jp_fetch("trackbook", *where, method=method, headers=headers, **options)
    assert (await refused(answer))[0] == 403
    assert served.document(run_id)["name"] == "forest"


# -- the event -------------------------------------------------------------------------------------


async def test_a_change_is_told_by_one_event_with_its_revision(
    served: Store, polling: None, jp_fetch: Fetch, jp_ws_fetch: Fetch
) -> None:
    before = (await get(jp_fetch, "stores", served.id, "runs"))["revision"]
    socket = await jp_ws_fetch("api", "events", "subscribe")
    await asyncio.sleep(1.2)  # the looks that settle what the store was
    run_id = write(served)

    async def told() -> dict[str, Any]:
        while True:
            event = json.loads(await socket.read_message())
            if event["schema_id"] == EVENT and event["store"] == served.id:
                delta = await get(jp_fetch, "stores", served.id, "runs", since=before)
                if [row["id"] for row in delta["table"]["rows"]] == [run_id]:
                    return event

    event = await asyncio.wait_for(told(), 10)
    assert event["revision"].rpartition(".")[0] == before.rpartition(".")[0]
    socket.close()


async def test_a_store_that_appears_later_is_told_too(
    served: Store, polling: None, jp_ws_fetch: Fetch, tmp_path: Path
) -> None:
    from trackbook.store import open_store

    socket = await jp_ws_fetch("api", "events", "subscribe")
    await asyncio.sleep(1.2)
    later = open_store(tmp_path / "later" / ".trackbook", create=True)
    assert later.path is not None
    write(later)
    settings.register(later.id, later.path)

    async def told() -> None:
        while json.loads(await socket.read_message()).get("store") != later.id:
            pass

    await asyncio.wait_for(told(), 10)
    socket.close()


# -- its place in the server -----------------------------------------------------------------------


async def test_the_loop_runs_on_while_a_store_is_read(
    served: Store, jp_fetch: Fetch, jp_serverapp: Any
) -> None:
    """While the worker thread is busy, the server still answers other requests."""
    shelf = jp_serverapp.web_app.settings["trackbook_shelf"]
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    def busy() -> None:
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(30)

    work = asyncio.create_task(shelf.run(busy))
    reply = await asyncio.wait_for(jp_fetch("api", "status"), 10)
    assert reply.code == 200
    assert not work.done()
    release.set()
    await work
