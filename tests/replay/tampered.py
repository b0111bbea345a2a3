"""A session whose run is tampered with, in every way that we could think of."""

from __future__ import annotations

from pathlib import Path

import pytest
from kernels import kernel

from trackbook.reading import Run, open_store

CELLS = (
    "%load_ext trackbook\nimport trackbook as tb, random\nimport numpy as np\nimport helper",
    "rows = np.loadtxt('data.csv', delimiter=',', skiprows=1)\nnoise = np.random.rand(8)",
    "shift = 0.25",
    "%%track made -p extra=7\nrate, depth, name, flag = 0.5, 3, 'fine', True\n"
    "config = {'width': 8, 'layers': [4, 2]}\n"
    "total = float((rows * rate).sum() + noise.sum() + helper.bias(depth) + shift)\n"
    "for step in range(25):\n"
    "    tb.log_metric('loss', float(np.exp(-rate * step) + noise[step % 8]), step=step)\n"
    "acc = 1 / (1 + abs(total))\n"
    "tb.log_input(rows, 'rows')\n"
    "print('total', total)\nprint('depth is', depth)\n"
    "from IPython.display import Image, display\n"
    "import base64\n"
    "display(Image(data=base64.b64decode(helper.PIXEL), format='png'))\n"
    "round(acc, 6)",
)
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HELPER = f"PIXEL = '{PIXEL}'\n\ndef bias(depth):\n    return depth * 1.5\n"
DATA = "a,b\n" + "\n".join(f"{i},{i * i / 7:.3f}" for i in range(12)) + "\n"


def record(folder: Path) -> Run:
    (folder / "helper.py").write_text(HELPER)
    (folder / "data.csv").write_text(DATA)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACKBOOK_STORE", str(folder / ".trackbook"))
        with kernel(folder) as one:
            for number, cell in enumerate(CELLS):
                got = one.run(cell, f"cell-{number}")
                assert not [m for m in got if m["type"] == "error"], got
            one.run("import time; time.sleep(1.5)")
    return open_store(folder / ".trackbook").get_run("made")
