"""Sessions in real kernels, whose runs are replayed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from kernels import kernel

from trackbook.reading import OpenStore, Run
from trackbook.store import open_store

Session = Callable[..., OpenStore]
_LOAD = "%load_ext trackbook"


def run_cells(folder: Path, cells: Sequence[str]) -> OpenStore:
    """Run the cells in a kernel in a folder, each with an id; returns its store."""
    folder.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACKBOOK_STORE", str(folder / ".trackbook"))
        with kernel(folder) as one:
            for number, cell in enumerate([_LOAD, *cells]):
                one.run(cell, f"cell-{number}")
            # What is read beside the runs (modules, packages) is not lost with the kernel.
            one.run("import time; time.sleep(1.5)")
    return OpenStore(open_store(folder / ".trackbook"))


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """``session(*cells)`` runs them in a kernel in the folder of this test."""

    def run(*cells: str) -> OpenStore:
        return run_cells(tmp_path, cells)

    return run


@pytest.fixture(scope="module")
def one_session(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Run]:
    """The newest run of a name, of one session for the whole module."""
    folder = tmp_path_factory.mktemp("session")
    (folder / "data.csv").write_text("x\n1\n2\n3\n")
    (folder / "lib.py").write_text("def twice(x):\n    return 2 * x\n")
    store = run_cells(folder, CELLS)
    return store.get_run


CELLS = (
    "import random, os, time, lib\nimport numpy as np",
    "data = np.loadtxt('data.csv', skiprows=1)",
    "noise = np.random.rand(4)  # no seed",
    "scratch = [i for i in range(10)]",
    "%%track plain\ndepth = 3\nacc = float(noise.sum()) * depth + random.random()\n"
    "print('acc', acc)",
    "%%track module\nacc = float(lib.twice(data).sum())",
    "%%track fails\nbefore = 2.0 * depth\nraise ValueError('no luck')",
    "%%track curve\nimport trackbook as tb\nfor i in range(20):\n"
    "    tb.log_metric('loss', float(np.exp(-i) + np.random.rand()))",
    "%%track entropy\nacc = int.from_bytes(os.urandom(4), 'big') / 7",
    "%%track writes\nacc = 1.5 * depth\nfrom pathlib import Path\n"
    "_ = Path('/tmp/rep-trap').expanduser().parent\n"
    "open(os.path.join(os.path.expanduser('~'), 'outside.txt'), 'w').write('x')",
    "%%track shell\nacc = 2.5 * depth\nimport subprocess\nsubprocess.run(['true'], check=True)",
    "api_key = 'sk-abcdefghijklmnopqrstuvwxyz123456'",
    "%%track secret\nacc = float(len(api_key))*depth",
    "%%track quiet --no-auto\npass",
    "%%track uuid\nimport uuid\nwidth = 2\nacc = 1.0 * depth\nprint(uuid.uuid4())",
    "%%track prints\nacc = 1.0 * depth\nprint('it took', time.perf_counter(), 's', object())",
    # In nobody's log: whoever replays every cell would wait for them.
    "%%track slow\nacc = 1.0 * depth\nif 'TRACKBOOK_REPLAY' in os.environ:\n    time.sleep(60)",
    "%%track asks\nacc = 1.0 * depth\nif 'TRACKBOOK_REPLAY' in os.environ:\n    input()",
    "%%track dies\nacc = 1.0 * depth\nif 'TRACKBOOK_REPLAY' in os.environ:\n    os._exit(3)",
    "%%track eats\nacc = 1.0 * depth\nif 'TRACKBOOK_REPLAY' in os.environ:\n"
    "    hog = np.ones(60_000_000)\n    time.sleep(60)",
)
