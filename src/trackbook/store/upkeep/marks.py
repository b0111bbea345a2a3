"""Which blobs runs need: those they tell, those that these lead to, and any they merely mention.

What is *told* must exist. What is *mentioned*, anywhere in a run's files or in a blob that is JSON,
is kept where it exists: a newer part of Trackbook may name blobs in a place that is unknown here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import StoreError
from ...jsonable import loads
from ...model import FORMAT
from .. import blobs, folder, limits, manifest, metriclog, os_calls
from . import layout

_MENTION = re.compile(rb"(?:b3|s256)-[0-9a-f]{64}")
_OVERLAP = 80
_CHUNK = 1 << 20
# What a person logged may look like the name of a blob and be none.
_THEIRS = {"params", "param_history", "tags", "note", "name", "summary", "env", "error", "inputs"}
# The blobs under these keys are JSON that tells more blobs.
_LEADING = {"segment", "snapshot", "modules"}
# The blob under this key tells the files of a folder, whose paths are the user's.
_MANIFEST = "manifest"


@dataclass
class Named:
    """The blobs that one run names."""

    told: set[str] = field(default_factory=set)
    leading: set[str] = field(default_factory=set)
    manifests: set[str] = field(default_factory=set)
    artifacts: set[str] = field(default_factory=set)
    mentioned: set[str] = field(default_factory=set)


def of_run(place: Path) -> Named:
    """What a run names; raises ``StoreError`` where a part of it cannot be read."""
    named = Named()
    for entry in layout.files_below(place):
        if entry.name != metriclog.BIN and not entry.name.endswith(".tmp"):
            named.mentioned |= _mentions(_file_chunks(Path(entry.path)))
    document = _document(place)
    if document is not None:
        _tell(named, {key: value for key, value in document.items() if key not in _THEIRS})
    for kind in folder.KINDS_OF_LINES:
        records = _records(place / f"{kind}.jsonl")
        if records and document is None:
            raise StoreError(f"run {place.name} has no {folder.RUN}")
        for record in records:
            if kind == "artifacts" and isinstance(record, dict):
                record.pop("name", None)  # what a person chose
            told = _tell(named, record)
            if kind == "artifacts":
                named.artifacts |= told
    return named


def _document(place: Path) -> dict[str, Any] | None:
    document, _ = folder.read_document(place)
    if document is None:
        return None
    if folder.is_damaged(document):
        raise StoreError(f"run {place.name}: {document['error']['message']}")
    if not isinstance(document["format"], int) or document["format"] > FORMAT:
        raise StoreError(f"run {place.name} was written by a newer Trackbook: update Trackbook")
    return document


def _records(path: Path) -> list[Any]:
    """Every line; a last one that was cut off, or is being written, names nothing yet."""
    try:
        lines = os_calls.read_plain(path, limits.LINES).split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise StoreError(f"{path} cannot be read: {problem.strerror}") from problem
    try:
        return [loads(line) for line in lines if line]
    except ValueError:
        raise StoreError(f"run {path.parent.name} has a damaged line in {path.name}") from None


def _tell(named: Named, tree: Any) -> set[str]:
    told = set()
    for key, text in _strings(tree):
        if blobs.is_name(text):
            told.add(text)
            if key in _LEADING:
                named.leading.add(text)
            if key == _MANIFEST:
                named.manifests.add(text)
    named.told |= told
    return told


def _strings(tree: Any) -> Iterator[tuple[str, str]]:
    """Every string of a tree with the key it stands under."""
    stack: list[tuple[str, Any]] = [("", tree)]
    while stack:
        key, value = stack.pop()
        if isinstance(value, str):
            yield key, value
        elif isinstance(value, dict):
            stack += value.items()
        elif isinstance(value, list):
            stack += ((key, item) for item in value)


def _file_chunks(path: Path) -> Iterator[bytes]:
    try:
        with os_calls.open_plain(path) as file:
            os_calls.check_size(file, limits.PART)
            while chunk := file.read(_CHUNK):
                yield chunk
    except FileNotFoundError:
        return  # an owner's lock goes with its owner
    except OSError as problem:
        raise StoreError(f"{path} cannot be read: {problem.strerror}") from problem


def _mentions(chunks: Iterable[bytes]) -> set[str]:
    found: set[str] = set()
    tail = b""
    for chunk in chunks:
        data = tail + chunk
        found.update(match.decode("ascii") for match in _MENTION.findall(data))
        tail = data[-_OVERLAP:]
    return found


class Reach:
    """Follows names through the blobs of one store; each blob is read once."""

    def __init__(self, kept: blobs.LocalBlobs) -> None:
        self._blobs = kept
        self._inner: dict[str, frozenset[str]] = {}
        self._folders: dict[str, frozenset[str]] = {}

    def told(self, named: Named) -> set[str]:
        """What the run tells, by way of its segments and snapshot too."""
        inner = (self._inside(name) for name in named.leading)
        return named.told.union(*inner, *(self._files(name) for name in named.manifests))

    def artifacts(self, named: Named) -> set[str]:
        """The artifacts of the run, the files of its folders among them."""
        return named.artifacts.union(*(self._files(name) for name in named.manifests))

    def all(self, named: Named) -> set[str]:
        """Every blob that exists and that the run may need; raises ``StoreError``."""
        waiting = named.told | named.mentioned
        reached: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name not in reached and self._blobs.find(name) is not None:
                reached.add(name)
                waiting |= self._inside(name)
        return reached

    def missing(self, named: Named) -> set[str]:
        """What the run tells and the store does not have."""
        return {name for name in self.told(named) if self._blobs.find(name) is None}

    def _files(self, name: str) -> frozenset[str]:
        """What a manifest tells; nothing where it is missing, which ``told`` shows, or damaged."""
        found = self._folders.get(name)
        if found is None:
            if self._blobs.find(name) is None:
                return frozenset()
            try:
                told = {entry.blob for entry in manifest.unpack(self._blobs.get(name))}
            except StoreError:
                told = set()
            found = self._folders[name] = frozenset(filter(blobs.is_name, told))
        return found

    def _inside(self, name: str) -> frozenset[str]:
        found = self._inner.get(name)
        if found is None:
            if self._blobs.find(name) is None:
                return frozenset()  # it may come yet
            found = self._inner[name] = frozenset(_mentions(_if_json(self._blobs.chunks(name))))
        return found


def _if_json(chunks: Iterator[bytes]) -> Iterator[bytes]:
    first = next(chunks, b"")
    if first.lstrip()[:1] in (b"{", b"["):
        yield first
        yield from chunks
