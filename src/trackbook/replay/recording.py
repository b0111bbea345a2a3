"""The two recipes of a run in a store: the cells that mattered, and its whole log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import formats
from ..model import Document
from ..store import Store
from . import log
from .recipe import Recipe, recipe_of


class Recipes(NamedTuple):
    """The short recipe, and the one of everything."""

    short: Recipe
    whole: Recipe


def recipes(store: Store, document: Document) -> Recipes:
    """What a run is replayed from; recipes without cells where it has no log."""
    lines = store.records(str(document["id"]), "cells")
    executions = log.read(document, lines, store.blobs)
    times = list(_times(store, document))
    short, whole = (
        recipe_of(document, executions, store.blobs, full=full, times=times)
        for full in (False, True)
    )
    return Recipes(short, whole)


def _times(store: Store, document: Document) -> Iterator[float]:
    """When it logged: the cells of these moments belong to the run."""
    run_id = str(document["id"])
    for key, points in store.points(run_id).items():
        if not formats.of_machine(key):  # those are logged whatever runs
            yield from points.time.tolist()
    for line in store.records(run_id, "artifacts"):
        moment = line.get("time")
        if isinstance(moment, int | float):
            yield float(moment)
