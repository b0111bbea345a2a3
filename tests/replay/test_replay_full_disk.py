"""A replay that finds no room says so, and nothing of the user's is changed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from faults import may_mount, on_small_disk

from trackbook.reading import OpenStore

REPLAY = """
import os, sys
import trackbook as tb
os.environ["TMPDIR"] = sys.argv[1]
run = tb.open_store(sys.argv[2]).get_run(sys.argv[3])
print(run.replay().text)
print(os.listdir(sys.argv[1]))
"""
CELLS = (
    "data = open('data.csv').read()",
    "%%track big\nopen('big.bin', 'wb').write(bytes(60_000_000))\nacc = len(data) / 7",
)


@pytest.mark.skipif(not may_mount(), reason="this user may not mount a small disk")
@pytest.mark.parametrize(
    ("size", "told"),
    [
        ("64k", "not determined: no room for the replay's folder; TMPDIR says where it lies"),
        ("1m", "not determined: no room for the replay's folder; TMPDIR says where it lies"),
        ("24m", "fails at cell 3: OSError: [Errno 28] No space left on device"),
    ],
)
def test_a_replay_on_a_full_disk_says_so(
    session: Callable[..., OpenStore], tmp_path: Path, size: str, told: str
) -> None:
    (tmp_path / "data.csv").write_text("1,2,3\n" * 500_000)
    store = session(*CELLS)
    run = store.get_run("big")
    document = next(tmp_path.glob(f".trackbook/runs/*/{run.id}/run.json"))
    before = document.read_bytes()
    tiny = tmp_path / "tiny"
    tiny.mkdir()
    done = on_small_disk(REPLAY, tiny, str(tmp_path / ".trackbook"), run.id, size=size)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [told, "[]"]
    assert document.read_bytes() == before
