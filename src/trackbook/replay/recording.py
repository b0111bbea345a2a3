"""The two recipes of a run in a store: the cells that mattered, and its whole log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..jsonable import loads
from ..model import Document
from ..store import Blobs, Store
from .folder import modules_of
from .log import Execution
from .recipe import Recipe, RecipeCell


class Recipes(NamedTuple):
    """The short recipe, and the one of everything."""

    short: Recipe
    whole: Recipe


def recipes(store: Store, document: Document) -> Recipes:
    """What a run is replayed from; recipes without cells where it has no log."""
    lines = store.records(str(document["id"]), "cells")
    executions = _read(lines, store.blobs)
    cells = tuple(RecipeCell(one, "the whole log") for one in executions)
    modules = tuple(modules_of(document, store.blobs))
    whole = Recipe(document, cells, full=True, modules=modules)
    return Recipes(whole, whole)


def _read(lines: Sequence[Mapping[str, Any]], blobs: Blobs) -> list[Execution]:
    found: list[Execution] = []
    for line in lines:
        if "segment" in line:
            inner = [loads(part) for part in blobs.get(line["segment"]).splitlines()]
            found += _read(inner, blobs)
        else:
            found.append(
                Execution(
                    order=line["order"],
                    cell=line["cell"],
                    count=line["count"],
                    source=blobs.get(line["source"]).decode("utf-8", "replace"),
                    started=line["started"],
                    ended=line["ended"],
                    ok=line["ok"],
                    error=line["error"],
                )
            )
    return found
