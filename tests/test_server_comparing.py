"""The routes of a comparison in a real Jupyter server: outline, charts, code, images."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from runs import write
from tornado.httpclient import HTTPClientError

from trackbook.store import Store

Fetch = Callable[..., Awaitable[Any]]
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


async def get(fetch: Fetch, *parts: str, **params: str) -> Any:
    return json.loads((await fetch("trackbook", "stores", *parts, params=params)).body)


async def refused(answer: Awaitable[Any]) -> tuple[int, str]:
    with pytest.raises(HTTPClientError) as failure:
        await answer
    assert failure.value.response is not None
    return failure.value.code, json.loads(failure.value.response.body)["message"]


@pytest.fixture
def two(served: Store) -> list[str]:
    curve = [1.0 / (n + 1) for n in range(5000)]
    return [
        write(
            served,
            params={"rate": rate},
            metrics={"loss": [*curve, float("nan")], "acc": [rate]},
            source=f"fit({rate})",
        )
        for rate in (0.1, 0.2)
    ]


def chart(fetch: Fetch, store: Store, refs: list[str], **params: str) -> Awaitable[Any]:
    return get(fetch, store.id, "compare", "chart", refs=",".join(refs), **params)


async def test_the_outline_has_no_points_and_no_code(
    served: Store, two: list[str], jp_fetch: Fetch
) -> None:
    answer = await jp_fetch(
        "trackbook", "stores", served.id, "compare", params={"refs": ",".join(two)}
    )
    view = json.loads(answer.body)
    assert len(answer.body) < 10_000
    assert view["charts"] == []
    assert view["metrics"] == [{"key": "acc", "kind": "bar"}, {"key": "loss", "kind": "curves"}]
    assert [set(style) for style in view["styles"]] == [{"colour", "dash"}] * 2


async def test_a_chart_comes_sampled_with_its_data_apart(
    served: Store, two: list[str], jp_fetch: Fetch
) -> None:
    reply = await chart(jp_fetch, served, two, key="loss", width="300")
    assert reply["spec"]["data"] == {"values": []}
    columns = reply["columns"]
    assert {len(column) for column in columns.values()} == {len(columns["run"])}
    assert 1000 <= len(columns["run"]) <= 1400
    assert columns["odd"][-1] == "nan"
    assert reply["python"].endswith('.chart(kind="curves", y="loss")')

    part = json.dumps({"within": [100, 150], "smoothing": 0.5})
    again = await chart(jp_fetch, served, two, key="loss", spec="0", options=part)
    assert again["spec"] is None
    assert len(again["columns"]["x"]) == 2 * 53
    assert "within=[100, 150]" in again["python"]


@pytest.mark.parametrize("kind", ["scatter", "parallel", "bar", "histogram"])
async def test_every_kind_comes(served: Store, two: list[str], jp_fetch: Fetch, kind: str) -> None:
    reply = await chart(jp_fetch, served, two, kind=kind, key="metrics.acc")
    assert reply["columns"]
    assert reply["spec"]["$schema"].startswith("https://vega.github.io/schema/vega-lite/")


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"options": "{"}, "JSON object"),
        ({"options": '{"nothing": 1}'}, "no option 'nothing'"),
        ({"options": '{"smoothing": "x"}'}, "smoothing cannot be 'x'"),
        ({"options": '{"within": [1]}'}, "within cannot be [1]"),
        ({"options": '{"bins": true}'}, "bins cannot be True"),
        ({"options": '{"smoothing": 5}'}, "below 1"),
        ({"kind": "pie"}, "there is no chart 'pie'"),
        ({"kind": "importance"}, "importance needs 5 runs"),
        ({"key": "nothing"}, "no run has the metric"),
        ({"width": "-3"}, "whole number"),
    ],
)
async def test_a_chart_that_cannot_be_is_400_with_one_sentence(
    served: Store, two: list[str], jp_fetch: Fetch, params: dict[str, str], told: str
) -> None:
    code, message = await refused(chart(jp_fetch, served, two, **params))
    assert code == 400
    assert told in message
    assert "\n" not in message


async def test_runs_that_are_not_there_and_too_many(served: Store, jp_fetch: Fetch) -> None:
    assert (await refused(chart(jp_fetch, served, ["nobody"])))[0] == 404
    assert (await refused(chart(jp_fetch, served, [])))[0] == 400
    many = [str(n) for n in range(51)]
    code, message = await refused(get(jp_fetch, served.id, "compare", refs=",".join(many)))
    assert (code, "up to 50" in message) == (400, True)
    assert (await refused(get(jp_fetch, "elsewhere", "compare", refs="a")))[0] == 404


async def test_code_is_of_two_runs(served: Store, two: list[str], jp_fetch: Fetch) -> None:
    found = await get(jp_fetch, served.id, "compare", "code", refs=",".join(two))
    assert [cell["status"] for cell in found["cells"]] == ["changed"]
    assert found["cells"][0]["lines"][0]["right"] == [1, "fit(0.2)"]
    assert (await refused(get(jp_fetch, served.id, "compare", "code", refs=two[0])))[0] == 400


def image(
    store: Store, data: bytes, name: str, step: int | None, kind: str = "image/png"
) -> dict[str, Any]:
    line = {"name": name, "kind": "image", "type": kind, "blob": store.blobs.put(data)}
    return {**line, "size": len(data), "time": 0.0, **({} if step is None else {"step": step})}


async def test_images_by_name_and_step_and_nothing_but_pixels(
    served: Store, two: list[str], jp_fetch: Fetch
) -> None:
    writer = served.resume(two[0])
    for step in (0, 5):
        writer.append("artifacts", image(served, PNG, "sample.png", step))
    writer.append("artifacts", image(served, b"<script>1</script>", "evil.png", None))
    writer.append("artifacts", image(served, b"<svg/>", "drawing.svg", None, "image/svg+xml"))
    writer.finish()
    found = await get(jp_fetch, served.id, "compare", "images", refs=",".join(two))
    assert found["images"][0] == {"name": "sample.png", "steps": [[0, 5], None]}
    assert [entry["name"] for entry in found["images"]] == ["sample.png", "evil.png"]

    where = ("trackbook", "stores", served.id, "runs", two[0], "image")
    reply = await jp_fetch(*where, params={"name": "sample.png", "step": "5"})
    assert reply.body == PNG
    assert reply.headers["Content-Type"] == "image/png"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in reply.headers["Content-Security-Policy"]
    for params in (
        {"name": "evil.png"},
        {"name": "drawing.svg"},
        {"name": "sample.png", "step": "7"},
    ):
        assert (await refused(jp_fetch(*where, params=params)))[0] == 404
    assert (await refused(jp_fetch(*where, params={"name": "sample.png", "step": "x"})))[0] == 400
    assert (await refused(jp_fetch(*where)))[0] == 400


@pytest.mark.parametrize(
    "route", ["compare", "compare/chart", "compare/code", "compare/images", "runs/x/image"]
)
async def test_nobody_gets_anything_without_the_token(
    served: Store, two: list[str], jp_fetch: Fetch, route: str
) -> None:
    params = {"refs": ",".join(two), "name": "x"}
    address = ("trackbook", "stores", served.id, *route.split("/"))
    with pytest.raises(HTTPClientError) as failure:
        await jp_fetch(*address, params=params, headers={"Authorization": ""})
    assert failure.value.code in (302, 403)
