"""What the tests of a run's page ask the server, and what they put into a run first."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from trackbook.capture import artifacts
from trackbook.store import Store

Fetch = Callable[..., Awaitable[Any]]


def keep(store: Store, run_id: str, *kept: artifacts.Kept) -> None:
    """Add artifacts to a finished run."""
    writer = store.resume(run_id)
    for one in kept:
        for line in one.lines:
            writer.append("artifacts", line)
    writer.document["status"] = "finished"
    writer.finish()


def log(store: Store, run_id: str, text: str) -> None:
    writer = store.resume(run_id)
    writer.write_log(text)
    writer.document["status"] = "finished"
    writer.finish()


async def page(fetch: Fetch, store: Store, run: str, piece: str, **params: Any) -> Any:
    parts = ("trackbook", "stores", store.id, "runs", run, "page", piece)
    reply = await fetch(*parts, params=params)
    return json.loads(reply.body)


async def content(fetch: Fetch, store: Store, run: str, headers: Any = None, **params: str) -> Any:
    parts = ("trackbook", "stores", store.id, "runs", run, "artifact")
    return await fetch(*parts, params=params, headers=headers or {})


async def refused(answer: Awaitable[Any]) -> tuple[int, str]:
    with pytest.raises(HTTPClientError) as failure:
        await answer
    assert failure.value.response is not None
    message = json.loads(failure.value.response.body)["message"]
    assert "\n" not in message
    return failure.value.code, message
