"""The routes of the table in a real Jupyter server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from runs import write
from tornado.httpclient import HTTPClientError

from trackbook.store import Store

Fetch = Callable[..., Awaitable[Any]]


async def get(fetch: Fetch, *parts: str, **params: str) -> Any:
    return json.loads((await fetch("trackbook", "stores", *parts, params=params)).body)


async def patch(fetch: Fetch, *parts: str, **body: Any) -> Any:
    sent = json.dumps(body)
    return json.loads((await fetch("trackbook", "stores", *parts, method="PATCH", body=sent)).body)


async def refused(answer: Awaitable[Any]) -> tuple[int, dict[str, Any]]:
    with pytest.raises(HTTPClientError) as failure:
        await answer
    assert failure.value.response is not None
    return failure.value.code, json.loads(failure.value.response.body)


async def test_packed_runs_come_whole_then_as_what_changed(served: Store, jp_fetch: Fetch) -> None:
    first = write(served, params={"depth": 1}, metrics={"loss": [float("nan")]})
    whole = await get(jp_fetch, served.id, "runs", form="packed")
    assert whole["full"] is True
    assert whole["table"]["packed"]["ids"] == [first]
    assert whole["table"]["packed"]["headline"]["value"] == [{"$float": "nan"}]

    second = write(served, params={"depth": 1})
    known = {"since": whole["revision"], "layout": whole["table"]["layout"]}
    delta = await get(jp_fetch, served.id, "runs", form="packed", **known)
    assert delta["full"] is False
    assert delta["table"]["packed"]["ids"] == [second]
    assert delta["table"]["total"] == 2

    served.edit(first, {"deleted": True})
    after = await get(jp_fetch, served.id, "runs", form="packed", since=delta["revision"])
    assert after["removed"] == [first]
    trash = await get(jp_fetch, served.id, "runs", form="packed", trash="1")
    assert trash["table"]["packed"]["ids"] == [first]


async def test_columns_that_somebody_chose_are_packed_too(served: Store, jp_fetch: Fetch) -> None:
    for _ in range(2):
        write(served, params={"same, or not": 3})
    asked = {"form": "packed", "with": json.dumps(["params.same, or not"])}
    cells = (await get(jp_fetch, served.id, "runs", **asked))["table"]["packed"]["cells"]
    assert cells["params.same, or not"] == [3, 3]


@pytest.mark.parametrize("wanted", ["params.x", "[1]", '{"a": 1}', "["])
async def test_a_bad_list_of_columns_is_400(served: Store, jp_fetch: Fetch, wanted: str) -> None:
    asked = {"form": "packed", "with": wanted}
    assert (await refused(get(jp_fetch, served.id, "runs", **asked)))[0] == 400


async def test_a_bad_filter_says_where(served: Store, jp_fetch: Fetch) -> None:
    code, told = await refused(get(jp_fetch, served.id, "runs", where="metrics.acc > 0.5 and nme"))
    assert code == 400
    assert told["position"] == 22
    assert "did you mean name?" in told["message"]


async def test_many_runs_are_edited_at_once_and_undone(served: Store, jp_fetch: Fetch) -> None:
    ids = [write(served) for _ in range(3)]
    made = await patch(jp_fetch, served.id, "runs", ids=ids, change={"archived": True})
    assert set(made["edits"]) == set(ids)
    assert made["problems"] == {}
    assert len(served.find()) == 0
    undone = await patch(jp_fetch, served.id, "edits", undo=made["edits"])
    assert len(served.find()) == 3
    await patch(jp_fetch, served.id, "edits", undo=undone["edits"])
    assert len(served.find()) == 0


async def test_a_run_that_cannot_be_edited_holds_up_no_other(
    served: Store, jp_fetch: Fetch
) -> None:
    run_id = write(served)
    gone = "20200101-000000-abcdefghij"
    made = await patch(jp_fetch, served.id, "runs", ids=[gone, run_id], change={"star": True})
    assert list(made["problems"]) == [gone]
    assert served.document(run_id)["star"] is True


@pytest.mark.parametrize(
    "body",
    [
        {"ids": "all", "change": {"star": True}},
        {"ids": ["RUN"], "change": []},
        {"ids": ["RUN"], "change": {"death": {}}},
        {"ids": ["RUN"], "change": {"replay": "reproduced"}},
        {"ids": ["RUN"], "change": {"verdict": {"status": "reproduced"}}},
        {"ids": ["RUN"], "change": {"status": "finished"}},
        {"ids": ["RUN"], "change": {"star": True}, "more": 1},
        {"ids": [1], "change": {"star": True}},
    ],
)
async def test_a_bad_edit_changes_nothing(
    served: Store, jp_fetch: Fetch, body: dict[str, Any]
) -> None:
    run_id = write(served)
    before = served.document(run_id)
    if body["ids"] == ["RUN"]:
        body = {**body, "ids": [run_id]}
    assert (await refused(patch(jp_fetch, served.id, "runs", **body)))[0] == 400
    assert served.document(run_id) == before


@pytest.mark.parametrize("body", [{"undo": None}, {"undo": {"a": 1}}, {}, {"undo": {}, "x": 1}])
async def test_a_bad_undo_is_400(served: Store, jp_fetch: Fetch, body: dict[str, Any]) -> None:
    assert (await refused(patch(jp_fetch, served.id, "edits", **body)))[0] == 400


async def test_curves_are_small_and_only_of_runs_that_have_one(
    served: Store, jp_fetch: Fetch
) -> None:
    drawn = write(served, metrics={"loss": [1 / (n + 1) for n in range(500)]})
    plain = write(served, metrics={"acc": [0.5]})
    asked = ",".join([drawn, plain, "../../etc/passwd", "20200101-000000-abcdefghij"])
    told = (await get(jp_fetch, served.id, "curves", runs=asked))["curves"]
    assert told[drawn]["key"] == "loss"
    assert len(told[drawn]["values"]) <= 48
    assert [told[key] for key in list(told)[1:]] == [None, None, None]
    assert (await refused(get(jp_fetch, served.id, "curves", runs="")))[0] == 400


@pytest.mark.parametrize(
    ("method", "route"),
    [("GET", "runs"), ("PATCH", "runs"), ("PATCH", "edits"), ("GET", "curves")],
)
async def test_nobody_gets_in_without_a_token(
    served: Store, jp_fetch: Fetch, method: str, route: str
) -> None:
    sent = {"body": "{}"} if method == "PATCH" else {}
    headers = {"Authorization": "token wrong"}
    parts = ("trackbook", "stores", served.id, route)
    assert (await refused(jp_fetch(*parts, method=method, headers=headers, **sent)))[0] == 403


async def test_the_loop_is_not_held_up_by_many_runs(served: Store, jp_fetch: Fetch) -> None:
    """Ticks of the event loop while a table of 1,200 runs is made, encoded and sent."""
    for n in range(1200):
        write(served, params={"depth": n % 7, "lr": n / 3}, metrics={"acc": [n / 11]})
    await get(jp_fetch, served.id, "runs", form="packed")
    waits: list[float] = []
    over = asyncio.Event()

    async def tick() -> None:
        while not over.is_set():
            before = time.perf_counter()
            await asyncio.sleep(0.002)
            waits.append(time.perf_counter() - before)

    ticking = asyncio.create_task(tick())
    reply = await jp_fetch("trackbook", "stores", served.id, "runs", params={"form": "packed"})
    over.set()
    await ticking
    assert len(json.loads(reply.body)["table"]["packed"]["ids"]) == 1200
    print(f"longest wait of the loop: {max(waits) * 1e3:.1f} ms")
    assert max(waits) < 0.5
