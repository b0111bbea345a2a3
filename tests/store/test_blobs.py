"""Blobs on disk: packed where it helps, whole or not there, and never more than they claim."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import zstandard

from trackbook.errors import StoreError
from trackbook.store import LocalStore, blobs


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "s")


def files(store: LocalStore) -> list[Path]:
    assert store.path
    return [path for path in (store.path / "blobs").rglob("*") if path.is_file()]


def test_what_packs_is_packed_and_what_does_not_is_not(store: LocalStore, tmp_path: Path) -> None:
    store.blobs.put(b"a" * 5000)
    assert [path.suffix for path in files(store)] == [".zst"]
    name = store.blobs.put(os.urandom(5000))
    assert (tmp_path / "s" / "blobs" / name[3:5] / name).stat().st_size == 5000


@pytest.mark.parametrize("packs", [True, False])
def test_large_files_are_streamed(store: LocalStore, tmp_path: Path, packs: bool) -> None:
    data = b"0123456789abcdef" * 200_000 if packs else os.urandom(3_200_000)
    file = tmp_path / "model.bin"
    file.write_bytes(data)
    name, size = store.blobs.put_file(file)
    assert size == 3_200_000
    assert name == store.blobs.put(data) == blobs.name_of(data)
    assert len(files(store)) == 1
    assert store.blobs.get(name) == data
    assert store.blobs.path(name).read_bytes() == data
    assert (store.blobs.path(name).parent.parent.name == "blobs") is not packs
    file.write_bytes(b"changed later")
    assert store.blobs.get(name) == data


def test_a_damaged_blob_is_found_out_and_mended_by_the_next_put(store: LocalStore) -> None:
    name = store.blobs.put(b"content" * 100)
    (file,) = files(store)
    file.write_bytes(b"")  # what a power cut leaves
    with pytest.raises(StoreError):
        store.blobs.get(name)
    assert store.blobs.put(b"content" * 100) == name
    assert store.blobs.get(name) == b"content" * 100
    file.write_bytes(zstandard.compress(b"something else"))
    with pytest.raises(StoreError, match="damaged"):
        store.blobs.get(name)
    file.write_bytes(b"no zstd at all")
    with pytest.raises(StoreError):
        store.blobs.get(name)
    with pytest.raises(StoreError):
        store.blobs.path(name)


def test_a_bomb_does_not_unpack(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs, "MEMORY_LIMIT", 1 << 20)
    monkeypatch.setattr(blobs, "FILE_LIMIT", 1 << 20)
    name = "b3-" + "ab" * 32
    file = tmp_path / "s" / "blobs" / "ab" / f"{name}.zst"
    file.parent.mkdir(parents=True)
    file.write_bytes(zstandard.compress(b"\0" * (50 << 20)))
    for read in (store.blobs.get, store.blobs.path):
        with pytest.raises(StoreError, match="more than 1 MiB"):
            read(name)


def test_a_store_keeps_the_algorithm_it_began_with(tmp_path: Path) -> None:
    LocalStore(tmp_path / "s").prepare()
    file = tmp_path / "s" / "store.json"
    file.write_text(file.read_text().replace('"b3"', '"s256"'))
    store = LocalStore(tmp_path / "s")
    name = store.blobs.put(b"x")
    assert name.startswith("s256-2d711642b726b044")
    assert store.blobs.get(name) == b"x"
    file.write_text(file.read_text().replace('"s256"', '"md4"'))
    with pytest.raises(StoreError, match="md4"):
        LocalStore(tmp_path / "s")


def test_a_put_that_fails_leaves_nothing(store: LocalStore, tmp_path: Path) -> None:
    store.prepare()
    (tmp_path / "s" / "blobs").write_text("in the way")
    with pytest.raises(StoreError):
        store.blobs.put(b"x")
    file = tmp_path / "large"
    file.write_bytes(b"x" * 2_000_000)
    with pytest.raises(StoreError):
        store.blobs.put_file(file)
