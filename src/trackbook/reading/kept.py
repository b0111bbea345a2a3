"""What a run kept, found by name: files, folders, pictures of several steps, and models."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from .. import modelfiles
from ..errors import StoreError
from ..store import Blobs, Store, manifest
from ..store.blobs import check_file

_folders: list[tempfile.TemporaryDirectory[str]] = []


def lines(store: Store, run_id: str) -> list[dict[str, Any]]:
    """The artifacts in the order they were logged, those of a folder one by one.

    What is damaged is left out, or stands for itself: it hides nothing else.
    """
    return list(_lines(store, run_id))


def _lines(store: Store, run_id: str) -> Iterator[dict[str, Any]]:
    for line in store.records(run_id, "artifacts"):
        if not isinstance(line.get("name"), str):
            continue
        blob = line.get("manifest")
        if not isinstance(blob, str):
            yield line
            continue
        try:
            yield from manifest.lines(line, store.blobs.get(blob))
        except StoreError:
            yield line


def by_name(found: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Name to the last line of it, with the ``steps`` of those that were logged at several."""
    named: dict[str, dict[str, Any]] = {}
    for line in found:
        before = named.get(line["name"])
        step = line.get("step")
        steps = [] if before is None else before.get("steps") or [before.get("step")]
        named[line["name"]] = dict(line)
        if step is not None and steps:
            every = dict.fromkeys([*steps, step])
            named[line["name"]]["steps"] = [s for s in every if s is not None]
    return named


def one(
    found: Sequence[dict[str, Any]], name: str, step: int | None, label: str
) -> dict[str, Any] | list[dict[str, Any]]:
    """The last line of a name (at a step), the suffix left out where it is clear; or a folder's.

    Raises ``StoreError``, which names what there is.
    """
    there = [line for line in found if line["name"] == name]
    there = there or [line for line in found if _bare(line["name"]) == name]
    at_step = [line for line in there if step is None or line.get("step") == step]
    if at_step:
        return at_step[-1]
    if there:
        steps = ", ".join(str(line["step"]) for line in there if line.get("step") is not None)
        raise StoreError(f"{name!r} of {label} has no step {step}; it has {steps or 'no steps'}")
    below = {line["name"]: line for line in found if line["name"].startswith(f"{name}/")}
    if below and step is None:
        return list(below.values())
    names = list(dict.fromkeys(line["name"] for line in found))
    some = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
    raise StoreError(f"{label} has no artifact {name!r}; it has {some or 'none'}")


def _bare(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix else name


def file(blobs: Blobs, line: Mapping[str, Any]) -> Path:
    """The file of a line; ``StoreError`` where its content is larger than the line says."""
    blob, size = line.get("blob"), line.get("size")
    if not isinstance(blob, str):
        raise StoreError(f"the artifact {line['name']!r} cannot be read: its line names no blob")
    known = isinstance(size, int) and not isinstance(size, bool) and size >= 0
    return blobs.path(blob, size if known else None)


def folder(blobs: Blobs, name: str, found: Sequence[Mapping[str, Any]]) -> Path:
    """A folder with copies of the files below a name; it goes with the process."""
    place = tempfile.TemporaryDirectory(prefix="trackbook-")
    _folders.append(place)
    for line in found:
        if reason := manifest.fault(line["name"]):
            raise StoreError(f"the artifact {line['name']!r:.80} {reason}")
        target = Path(place.name) / str(line["name"]).removeprefix(f"{name}/")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file(blobs, line), target)
        except OSError as problem:
            raise StoreError(f"{name!r} cannot be laid out: {problem}") from problem
    return Path(place.name)


def model(
    store: Store,
    run_id: str,
    name: str,
    label: str,
    trust: bool | Sequence[str],
    into: Any,
) -> Any:
    """The last model of a name, loaded."""
    models = [line for line in lines(store, run_id) if line.get("kind") == "model"]
    if not models:
        raise StoreError(f"{label} has no model; log_model keeps one")
    line = one(models, name, None, label)
    if isinstance(line, list):
        raise StoreError(f"{label} has no model {name!r} but {len(line)} below it; name one")
    path = file(store.blobs, line)
    # What reads models is less patient with damage than what reads tables.
    check_file(path, line["blob"])
    return modelfiles.load(path, line, trust, into)
