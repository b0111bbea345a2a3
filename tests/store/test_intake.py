"""Files on their way into a store: read steadily, beside the main thread, or not at all."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import faults
import pytest

from trackbook.errors import StoreError
from trackbook.store import LocalStore, Watch, blobs, os_copies
from trackbook.store.intake import Reading, Unsteady

MIB = 1 << 20


class Seen(Watch):
    def __init__(self) -> None:
        self.bytes = 0
        self.files: list[Path] = []

    def copied(self, count: int) -> None:
        self.bytes += count

    def changed(self, path: Path) -> None:
        self.files.append(path)


@pytest.fixture
def kept(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "s")
    store.prepare()
    return store


def leftovers(store: LocalStore) -> list[str]:
    assert store.path
    return [str(path) for path in store.path.rglob("*.tmp")]


@pytest.mark.parametrize("size", [0, 10, MIB - 1, MIB, MIB + 1, 8 * MIB, 9 * MIB + 7])
@pytest.mark.parametrize("packs", [True, False])
def test_every_size_comes_back_and_is_counted(
    kept: LocalStore, tmp_path: Path, size: int, packs: bool
) -> None:
    data = b"x" * size if packs else os.urandom(size)
    (tmp_path / "f").write_bytes(data)
    seen = Seen()
    assert kept.blobs.put_file(tmp_path / "f", seen) == (blobs.name_of(data), size)
    assert kept.blobs.get(blobs.name_of(data)) == data
    assert kept.blobs.put(data) == blobs.name_of(data)
    assert seen.bytes == size and seen.files == [] and leftovers(kept) == []


def test_a_blob_is_never_the_users_file_by_another_name(kept: LocalStore, tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(os.urandom(2 * MIB))
    name, _ = kept.blobs.put_file(file)
    assert file.stat().st_nlink == 1
    with file.open("r+b") as opened:
        opened.write(b"changed in place")
    assert blobs.name_of(kept.blobs.get(name)) == name


@pytest.mark.parametrize("change", ["grows", "shrinks", "is rewritten"])
def test_a_file_that_changes_while_it_is_read_is_found_out(tmp_path: Path, change: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"a" * 3 * MIB)
    for patient in (True, False):
        with os_copies.open_regular(path) as file:
            reading = Reading(path, file, patient=patient)
            chunks = reading.chunks(file.read(MIB))
            next(chunks)
            time.sleep(0.02)  # past the clock of the file system
            with path.open("r+b") as other:
                other.seek(0 if change == "is rewritten" else 3 * MIB)
                other.write(b"b" * 100)
                if change == "shrinks":
                    other.truncate(2 * MIB)
            for _ in chunks:
                pass
            if patient:
                with pytest.raises(Unsteady):
                    reading.check()
            else:
                reading.check()


def test_a_file_that_never_rests_is_kept_with_a_word(kept: LocalStore, tmp_path: Path) -> None:
    path = tmp_path / "growing.log"
    path.write_bytes(os.urandom(12 * MIB))
    code = "import sys\nwith open(sys.argv[1], 'ab', 0) as f:\n while True: f.write(b'line')"
    writer = subprocess.Popen([sys.executable, "-c", code, str(path)])
    try:
        before = path.stat().st_size
        while path.stat().st_size == before:
            time.sleep(0.01)
        seen = Seen()
        name, size = kept.blobs.put_file(path, seen)
    finally:
        writer.kill()
        writer.wait()
    assert seen.files == [path]
    assert len(kept.blobs.get(name)) == size >= 12 * MIB
    # The first, disturbed attempt has left nothing behind.
    assert kept.path and len([p for p in (kept.path / "blobs").rglob("*") if p.is_file()]) == 1


@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "folder"])
def test_what_is_no_file_is_refused_at_once(kept: LocalStore, tmp_path: Path, kind: str) -> None:
    import socket

    path = tmp_path / "x"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        here = socket.socket(socket.AF_UNIX)
        here.bind(str(path))
    elif kind == "folder":
        path.mkdir()
    else:
        path = Path("/dev/zero")
    with pytest.raises(OSError):
        kept.blobs.put_file(path)
    assert leftovers(kept) == []


INTERRUPTED = """
    import sys, threading
    from pathlib import Path
    from trackbook.store import LocalStore, Watch

    class Tick(Watch):
        def copied(self, count):
            print("copying", flush=True)

    store = LocalStore(Path(sys.argv[1]))
    try:
        store.blobs.put_file(Path(sys.argv[2]), Tick())
    except KeyboardInterrupt:
        left = [str(p) for p in Path(sys.argv[1]).rglob("*") if p.is_file() and "blobs" in p.parts]
        print("interrupted", left, store.blobs.put(b"still works")[:3], flush=True)
    else:
        print("not interrupted", flush=True)
"""


def test_ctrl_c_while_a_large_file_is_copied_passes_and_leaves_nothing(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(20 << 30)  # sparse, and far more than can be read in the meantime
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(INTERRUPTED), tmp_path / "s", large],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "copying\n"
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert out.splitlines()[-1] == "interrupted [] b3-"
    assert process.returncode == 0


FULL = """
    import os, sys
    from pathlib import Path
    from trackbook.errors import StoreError
    from trackbook.store import LocalStore

    store = LocalStore(Path(sys.argv[1]) / "s")
    store.prepare()
    file = Path(sys.argv[2])
    for size in (9 << 20, 3 << 20):
        file.write_bytes(os.urandom(size))
        for put in (lambda: store.blobs.put_file(file), lambda: store.blobs.put(file.read_bytes())):
            try:
                put()
            except StoreError as problem:
                print("StoreError", problem)
    print([str(p) for p in (store.path / "blobs").rglob("*") if p.is_file()])
    name = store.blobs.put(b"small")
    print(store.blobs.get(name))
"""


@pytest.mark.skipif(not faults.may_mount(), reason="this user may not mount")
def test_a_full_disk_leaves_no_part_of_a_blob(tmp_path: Path) -> None:
    done = faults.on_small_disk(FULL, tmp_path / "disk", tmp_path / "file")
    assert done.returncode == 0, done.stderr
    *told, left, small = done.stdout.splitlines()
    assert len(told) == 4 and all("is full" in line for line in told)
    assert (left, small) == ("[]", "b'small'")


def test_a_limit_of_file_size_leaves_no_part_of_a_blob(tmp_path: Path) -> None:
    code = FULL.replace(
        "file.write_bytes(os.urandom(size))",
        "lift(); file.write_bytes(os.urandom(size)); limit()",
    )
    limits = """
    import resource
    def limit(): resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
    def lift(): resource.setrlimit(resource.RLIMIT_FSIZE, (-1, resource.RLIM_INFINITY))
    """
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    done = faults.python(limits + code, tmp_path, tmp_path / "file")
    assert done.returncode == 0, done.stderr
    *told, left, small = done.stdout.splitlines()
    assert len(told) == 4 and all("ulimit -f" in line for line in told)
    assert (left, small) == ("[]", "b'small'")


def test_a_file_that_cannot_be_read_to_its_end_is_no_fault_of_the_store(kept: LocalStore) -> None:
    # Reading the memory of a process fails at its first, unmapped page.
    with pytest.raises((StoreError, OSError), match=r"Input/output error"):
        kept.blobs.put_file(Path("/proc/self/mem"))
    assert leftovers(kept) == []


def test_a_blob_unpacks_no_further_than_its_line_says(kept: LocalStore) -> None:
    name = kept.blobs.put(b"\0" * 50 * MIB)
    with pytest.raises(StoreError, match="more than 1 MiB"):
        kept.blobs.path(name, MIB)
    assert kept.blobs.path(name, 50 * MIB).stat().st_size == 50 * MIB
