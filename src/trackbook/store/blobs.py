"""Content by its hash: ``blobs/<2 hex>/<algorithm>-<hash>[.zst]``; equal content is kept once."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import blake3
import zstandard

from ..errors import StoreError
from . import background, os_calls, os_copies, room
from .intake import Reading, Unsteady, Watch
from .manifest import Entry, Recent, Remembered, Scan, pack

ALGORITHMS: dict[str, Callable[[], Any]] = {"b3": blake3.blake3, "s256": hashlib.sha256}
DEFAULT = "b3"
_NAME = re.compile(r"(b3|s256)-([0-9a-f]{64})")
_CHUNK = 1 << 20
# What takes long enough to hash beside the main thread.
_LARGE = 8 << 20
_WORTH = 0.9
# How old a kept blob may get before it is marked as used again; far less than ``gc`` waits.
_FRESH_S = 3600.0
# What a compressed blob may grow to: a store is data from anywhere.
MEMORY_LIMIT = 1 << 29
FILE_LIMIT = 1 << 36


def check_name(name: str) -> str:
    """The hash of a well-formed name; raises ``StoreError`` otherwise, before a path is built."""
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        raise StoreError(f"{name!r:.80} is not the name of a blob")
    return match[2]


def is_name(text: str) -> bool:
    """Whether text has the form of a blob's name, so that it is safe to build a path from."""
    return _NAME.fullmatch(text) is not None


def name_of(data: bytes, algorithm: str = DEFAULT) -> str:
    """The name that content has."""
    return f"{algorithm}-{ALGORITHMS[algorithm](data).hexdigest()}"  # type: ignore[call-arg]


def check_file(path: Path, name: str) -> None:
    """Raise ``StoreError`` where a file does not have the content that a blob's name says."""
    check_name(name)
    algorithm = name.partition("-")[0]
    digest = ALGORITHMS[algorithm]()
    try:
        with os_copies.open_regular(path) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as problem:
        raise StoreError(f"blob {name} cannot be read: {problem}") from problem
    if f"{algorithm}-{digest.hexdigest()}" != name:
        raise StoreError(f"blob {name} is damaged: its content has another hash")


class LocalBlobs:
    """The blobs below one folder. ``prepare`` is called before the first write."""

    def __init__(self, root: Path, prepare: Callable[[], None]) -> None:
        self._root = root
        self._prepare = prepare
        self.algorithm = DEFAULT
        self._recent = Recent()
        self._unpacked: tempfile.TemporaryDirectory[str] | None = None

    def put(self, data: bytes) -> str:
        """Keep the bytes; returns their name."""
        if len(data) >= _LARGE:
            return self._put_large(data)
        try:
            self._prepare()
            name = name_of(data, self.algorithm)
            if self.keeps(name):
                return name
            packed = zstandard.ZstdCompressor(level=3).compress(data)
            smaller = len(packed) <= _WORTH * len(data)
            target = self._target(name, smaller)
            # Not synced one by one: a hundred cells would take seconds. A file that a power cut
            # left empty is found out by its size or its hash, and written again.
            os_calls.replace(target, packed if smaller else data, durable=False)
            return name
        except OSError as problem:
            raise self._unwritten("a blob", problem) from problem

    def _put_large(self, data: bytes) -> str:
        def work(stop: background.Stop) -> str:
            name = name_of(data, self.algorithm)
            if self.keeps(name):
                return name
            view = memoryview(data)
            parts = (view[i : i + _CHUNK] for i in range(0, len(view), _CHUNK))
            return self._stream(_checking(parts, stop), data[:_CHUNK], self.algorithm)[0]

        try:
            self._prepare()
            return background.run(work)
        except OSError as problem:
            raise self._unwritten("a blob", problem) from problem

    def put_file(self, path: Path, watch: Watch | None = None) -> tuple[str, int]:
        """Keep a copy of a file, streamed; returns its name and size in bytes."""
        watch = watch or Watch()
        if (known := self._recent.get(path)) is not None and self.keeps(known[0]):
            watch.copied(known[1])
            return known
        before = time.time_ns()
        try:
            kept = self._put_file(path, watch, patient=True)
            if kept[1] >= _LARGE:
                self._recent.learn(path, kept, before)
            return kept
        except Unsteady:
            kept = self._put_file(path, watch, patient=False)
            watch.changed(path)
            return kept

    def _put_file(self, path: Path, watch: Watch, *, patient: bool) -> tuple[str, int]:
        with os_copies.open_regular(path) as file:
            reading = Reading(path, file, patient=patient)
            first = file.read(_CHUNK)
            if len(first) < _CHUNK:
                reading.took(len(first))
                reading.check()
                watch.copied(len(first))
                return self.put(first), len(first)

            def work(stop: background.Stop) -> tuple[str, int]:
                chunks = _checking(reading.chunks(first), stop)
                return self._stream(chunks, first, self.algorithm, reading=reading)

            try:
                self._prepare()
                if reading.size < _LARGE:
                    kept = work(background.Stop())
                else:
                    kept = background.run(work, lambda: watch.copied(reading.news()))
            except OSError as problem:
                raise self._unwritten(str(path), problem) from problem
            watch.copied(reading.news())
            return kept

    def put_folder(self, found: Scan, watch: Watch | None = None) -> tuple[str, list[Entry]]:
        """Keep the files of a folder and their manifest; returns its name and what it names.

        Files that did not change since this store last kept the folder are not read again.
        """
        watch = watch or Watch()
        self._prepare()
        place = name_of(os.fsencode(os.path.realpath(found.root)))[3:27]
        known = Remembered(self._root.parent / "index" / f"folder-{place}.json", is_name)
        entries = [self._entry(found.root, p, s, known, watch) for p, s in found.files.items()]
        name = self.put(pack(entries))
        with contextlib.suppress(OSError):  # the next time costs more, that is all
            known.write(_replace)
        return name, entries

    def _entry(
        self, root: Path, path: str, state: os_copies.State, known: Remembered, watch: Watch
    ) -> Entry:
        blob = known.blob(path, state)
        if blob is not None and self.keeps(blob):
            watch.copied(state.size)
            return Entry(path, state.size, blob)
        before = time.time_ns()
        blob, size = self.put_file(root / path, watch)
        known.learn(path, state, blob, before)
        return Entry(path, size, blob)

    def take(self, name: str, content: Iterator[bytes]) -> int:
        """Keep content that came with its name, from another store; returns its size.

        Raises ``StoreError`` where the content has another hash, and keeps nothing of it.
        """
        check_name(name)
        first = next(content, b"")
        try:
            self._prepare()
            whole = itertools.chain([first] if first else [], content)
            return self._stream(whole, first, name.partition("-")[0], name)[1]
        except OSError as problem:
            raise self._unwritten(f"blob {name}", problem) from problem

    def _stream(
        self,
        chunks: Iterable[bytes | memoryview],
        first: bytes,
        algorithm: str,
        wanted: str | None = None,
        reading: Reading | None = None,
    ) -> tuple[str, int]:
        """A new blob, whole or not there: written beside its place, then moved to it."""
        packer = zstandard.ZstdCompressor(level=3)
        smaller = len(packer.compress(first)) <= _WORTH * len(first) and bool(first)
        self._root.mkdir(parents=True, exist_ok=True)
        digest, size = ALGORITHMS[algorithm](), 0
        temporary = os_calls.temporary_beside(self._root / "incoming")
        try:
            with os_calls.new_file(temporary) as raw:
                cloned = reading is not None and not smaller and reading.clone_to(raw, temporary)
                sink: Any = packer.stream_writer(raw, closefd=False) if smaller else raw
                for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    if not cloned:
                        sink.write(chunk)
                if reading is not None:
                    reading.check()
                if smaller:
                    sink.close()
                os_calls.sync_file(raw)
            name = f"{algorithm}-{digest.hexdigest()}"
            if wanted not in (None, name):
                raise StoreError(f"blob {wanted} is damaged: its content has another hash")
            if not self.keeps(name):
                os.replace(temporary, self._target(name, smaller))
            return name, size
        finally:
            os_calls.remove(temporary)

    def _unwritten(self, what: str, problem: OSError) -> StoreError:
        return StoreError(f"{what} cannot be kept: {room.reason(self._root.parent, problem)}")

    def keeps(self, name: str) -> bool:
        """Whether the content is here, and from now on safe from a ``gc`` at the same time.

        A sweep moves a blob aside and looks at its time once more, so either it sees this mark
        and puts the blob back, or the mark finds no file and the content is written anew.
        """
        found = self.find(name)
        return found is not None and os_calls.mark_used(found, _FRESH_S)

    def _target(self, name: str, packed: bool) -> Path:
        folder = self._root / check_name(name)[:2]
        folder.mkdir(parents=True, exist_ok=True)
        os_calls.check_folders(folder)
        return folder / (name + (".zst" if packed else ""))

    def find(self, name: str) -> Path | None:
        """The file that holds a blob, packed or plain; None where there is none."""
        folder = self._root / check_name(name)[:2]
        for path in (folder / f"{name}.zst", folder / name):
            try:
                os_calls.check_folders(folder)
                # Only empty content may be an empty file.
                if os_calls.size_of(path) or name == name_of(b"", name.partition("-")[0]):
                    return path
            except OSError:
                continue
        return None

    def get(self, name: str) -> bytes:
        """The bytes of a name; raises ``StoreError`` where there are none or they are damaged."""
        found = self._existing(name)
        try:
            if os_calls.size_of(found) > MEMORY_LIMIT:
                raise StoreError(f"blob {name} is larger than {_told(MEMORY_LIMIT)}; use its file")
            with os_calls.open_plain(found) as file:
                data = b"".join(_unpacked(file, found, MEMORY_LIMIT))
        except (OSError, zstandard.ZstdError) as problem:
            raise StoreError(f"blob {name} cannot be read: {problem}") from problem
        if name_of(data, name.partition("-")[0]) != name:
            raise StoreError(f"blob {name} is damaged: its content has another hash")
        return data

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of a name in parts, its hash not checked; raises ``StoreError``."""
        found = self._existing(name)
        try:
            with os_calls.open_plain(found) as file:
                yield from _unpacked(file, found, FILE_LIMIT)
        except (OSError, zstandard.ZstdError) as problem:
            raise StoreError(f"blob {name} cannot be read: {problem}") from problem

    def path(self, name: str, limit: int | None = None) -> Path:
        """A readable file with the content (decompressed); never write to it.

        Raises ``StoreError`` where it unpacks to more than ``limit`` bytes, or than there is room.
        """
        found = self._existing(name)
        if found.suffix != ".zst":
            return found
        # Not into the store: it may be read-only.
        if self._unpacked is None:
            self._unpacked = tempfile.TemporaryDirectory(prefix="trackbook-")
        target = Path(self._unpacked.name) / name
        if not target.exists():
            self._unpack(found, target, FILE_LIMIT if limit is None else min(limit, FILE_LIMIT))
        return target

    def _unpack(self, found: Path, target: Path, limit: int) -> None:
        temporary = os_calls.temporary_beside(target)
        try:
            # A little that unpacks to very much does not fill the disk.
            limit = min(limit, int(shutil.disk_usage(target.parent).free * 0.9))
            with os_calls.open_plain(found) as file, os_calls.new_file(temporary) as sink:
                for chunk in _unpacked(file, found, limit):
                    sink.write(chunk)
            os.replace(temporary, target)
        except (OSError, zstandard.ZstdError) as problem:
            raise StoreError(f"blob {target.name} cannot be read: {problem}") from problem
        finally:
            os_calls.remove(temporary)

    def _existing(self, name: str) -> Path:
        found = self.find(name)
        if found is None:
            raise StoreError(f"the store has no blob {name}")
        return found


def _checking(
    chunks: Iterable[bytes | memoryview], stop: background.Stop
) -> Iterator[bytes | memoryview]:
    for chunk in chunks:
        stop.check()
        yield chunk


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    os_calls.replace(path, data, durable=False)


def _unpacked(file: IO[bytes], path: Path, limit: int) -> Iterator[bytes]:
    """The content in parts; raises ``StoreError`` where it grows beyond the limit."""
    packed = path.suffix == ".zst"
    source: Any = zstandard.ZstdDecompressor().stream_reader(file) if packed else file
    size = 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        if packed and size > limit:
            raise StoreError(f"blob {path.name} unpacks to more than {_told(limit)}")
        yield chunk


def _told(limit: int) -> str:
    return f"{limit >> 20} MiB" if limit >> 20 else f"{limit} bytes"
