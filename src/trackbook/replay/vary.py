"""A run's recipe with other params: the result is a new run beside the first."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InvalidValue, StoreError
from ..model import Document, flatten, new_document
from ..store import Store, open_store
from . import bindings
from .judge import Progress, Wishes, setting_of
from .recipe import Recipe
from .trial import attempt

_FROM_REPLAY = ("started", "params", "tags", "env", "host", "inputs", "capture", "headline")
_FROM_ORIGINAL = ("notebook", "cell", "user", "git", "note")
_ARTIFACT_BLOBS = ("blob", "manifest")


def sources(recipe: Recipe, params: Mapping[str, Any]) -> dict[int, str]:
    """The sources of the cells, by order, that bind these params to other values.

    Raises ``InvalidValue`` for a param that no literal at the top level of a kept cell decides.
    """
    changed: dict[int, list[tuple[bindings.Binding, str]]] = {}
    texts = {cell.execution.order: cell.source for cell in recipe.cells}
    for name, value in params.items():
        text = bindings.literal_text(value)
        if text is None:
            raise InvalidValue(f"{name} takes a plain value, not {value!r:.60}")
        for order, binding in _places(recipe, name):
            changed.setdefault(order, []).append((binding, text))
    return {order: bindings.replaced(texts[order], found) for order, found in changed.items()}


def _places(recipe: Recipe, name: str) -> list[tuple[int, bindings.Binding]]:
    found = [
        (cell.execution.order, binding)
        for cell in recipe.cells
        for binding in bindings.literals(cell.source)
        if binding.name == name
    ]
    bound = sum(bindings.bound(cell.source).get(name, 0) for cell in recipe.cells)
    if not found:
        there = {b.name for c in recipe.cells for b in bindings.literals(c.source)}
        params = sorted(set(flatten(recipe.run.get("params") or {})) & there) or sorted(there)
        hint = f"; these are: {', '.join(params[:12])}" if params else ""
        raise InvalidValue(f"no kept cell binds {name} to a literal at its top level{hint}")
    if bound != len(found) or len({repr(binding.value) for _, binding in found}) > 1:
        raise InvalidValue(f"{name} is bound more than once in the kept cells; it cannot be varied")
    return found


def run(
    store: Store,
    original: Document,
    recipe: Recipe,
    params: Mapping[str, Any],
    wishes: Wishes,
    progress: Progress,
    parent: str | None,
) -> str:
    """Replay with other params; returns the id of the new run in the original's store.

    Raises ``InvalidValue`` for params that cannot be varied, ``StoreError`` where it fails.
    """
    changed = sources(recipe, params)
    setting = setting_of(store, original, recipe, wishes, changed)
    kept: list[str] = []

    def keep(path: Path, made: Document) -> None:
        kept.append(_keep(made, open_store(path), store, original, parent))

    try:
        tried = attempt(setting, recipe, lambda i, of: progress("varied", i + 1, of), keep=keep)
    except OSError as problem:
        raise StoreError(f"the replay does not run: {problem}") from problem
    if kept:
        return kept[0]
    number = len(tried.ran.cells)
    told = ": ".join(tried.ran.error) if tried.ran.error else tried.ran.stopped
    raise StoreError(f"with {dict(params)} it fails at cell {number}: {told or 'no run was made'}")


def _keep(made: Document, there: Store, into: Store, original: Document, parent: str | None) -> str:
    """The run that a replay made, in the store of the original.

    It is the next attempt of the original's series; below a ``parent`` a child of that.
    """
    document = new_document(
        name=original["name"],
        experiment=original["experiment"],
        kind="child" if parent else "run",
        series=f"{original['series']}/varied" if parent else original["series"],
        parent=parent,
    )
    document.update({key: made[key] for key in _FROM_REPLAY if key in made})
    document.update({key: original.get(key) for key in _FROM_ORIGINAL})
    document["number"] = into.next_number(document["series"])
    document.update(replay_of=original["id"], outputs=_outputs(made, there, into))
    writer = into.create(document)
    for key, points in there.points(made["id"]).items():
        for step, moment, value in zip(points.step, points.time, points.value, strict=True):
            writer.log(key, int(step), float(moment), float(value))
    for line in there.records(made["id"], "artifacts"):
        with contextlib.suppress(StoreError):
            for field in _ARTIFACT_BLOBS:
                if isinstance(line.get(field), str):
                    into.blobs.put_file(there.blobs.path(line[field]))
            writer.append("artifacts", line)
    ending = {"status": made["status"], "ended": made["ended"], "error": made["error"]}
    writer.document.update(ending, summary=writer.summary())
    writer.finish()
    return writer.id


def _outputs(made: Document, there: Store, into: Store) -> list[dict[str, Any]]:
    kept = []
    for entry in made.get("outputs") or []:
        with contextlib.suppress(StoreError):
            into.blobs.put(there.blobs.get(entry["blob"]))
            kept.append(dict(entry))
    return kept


def group(store: Store, original: Document, several: Sequence[Mapping[str, Any]]) -> str:
    """The parent of runs that differ in their params; returns its id."""
    document = new_document(
        name=original["name"],
        experiment=original["experiment"],
        series=f"{original['series']}/varied",
    )
    document.update(
        {key: original.get(key) for key in ("notebook", "user", "host", "git", "cell")},
        number=store.next_number(document["series"]),
        note=f"replays of {original['name']} #{original['number']} with {len(several)} sets of "
        f"params: {', '.join(sorted({key for params in several for key in params}))}",
        replay_of=original["id"],
        tags={"varied": ""},
    )
    writer = store.create(document)
    writer.document.update(status="finished", ended=document["started"])
    writer.finish()
    return writer.id
