"""Runs that the tests of the readers look at, written through a real store."""

from __future__ import annotations

from typing import Any

from trackbook.jsonable import dumps
from trackbook.model import new_document
from trackbook.store import Store

HOSTILE = '<script>alert("x")</script>'


def write(
    store: Store,
    name: str = "forest",
    *,
    metrics: dict[str, list[float]] | None = None,
    source: str | None = None,
    end: bool = True,
    **fields: Any,
) -> str:
    """A run with these metrics (a list of points each) and fields; returns its id."""
    document = new_document(
        name=name,
        experiment=fields.pop("experiment", "lab/study"),
        series=fields.pop("series", name),
        number=fields.pop("number", store.next_number(name)),
    )
    if source is not None:
        document["cell"] = {"id": "cell-1", "source": store.blobs.put(source.encode())}
    document.update(fields)
    writer = store.create(document)
    for key, values in (metrics or {}).items():
        for step, value in enumerate(values):
            writer.log(key, step, document["started"] + step, value)
    writer.document["summary"] = writer.summary()
    if end:
        writer.document.update(
            status=fields.get("status", "finished"), ended=document["started"] + 2.5
        )
        writer.finish()
    else:
        writer.save()
    return writer.id


def snapshot(store: Store, cells: list[tuple[str, str, str]], tracked: str) -> str:
    """The blob of a notebook of (id, type, source) cells."""
    kept = [
        {"id": i, "type": kind, "source": store.blobs.put(text.encode()), "executed": True}
        for i, kind, text in cells
    ]
    return store.blobs.put(dumps({"cells": kept, "path": "study.ipynb", "tracked": tracked}))
