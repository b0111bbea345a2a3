"""The processes of ``bench_replay.py``: one that records a session, one that runs cells again."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import sys
import time
from pathlib import Path
from typing import Any

_MASKS = (
    (re.compile(r"0x[0-9a-f]+"), "0x"),
    (re.compile(r"\b(id|at) ?[=:]? ?\d{9,}"), "id"),
    (re.compile(r"(CPU times|Wall time|Parser)[^\n]*"), "time"),
    (re.compile(r"[\d.,]+ ?(ns|µs|μs|us|ms|s|min)\b[^\n]*"), "time"),
    (re.compile(r"The slowest run[^\n]*\n"), ""),
    (re.compile(r"(Date|Time): +[^\n]*"), ""),
    (re.compile(r"\bOut\[\d+\]"), "Out"),
    (re.compile(r"/[^\s'\"]*bench-replay-[^\s'\"]*"), "path"),
    (re.compile(r"Cell In\[\d+\]"), "Cell In"),
)


def record(task: dict[str, Any]) -> dict[str, Any]:
    """Run a session until its limit; what was seen, the log, and the slice of every cell."""
    os.environ["TRACKBOOK_STORE"] = task["store"]
    shell = _shell()
    shell.run_line_magic("load_ext", "trackbook")
    visible = []
    until = time.monotonic() + task["limit"]
    for source, cell in task["steps"]:
        if time.monotonic() > until:
            break
        visible.append(_run(shell, source, cell))
    shell.run_cell("%%track the_end\npass", store_history=True)
    import trackbook as tb
    from trackbook.replay import log, slice
    from trackbook.store import open_store

    store = open_store(Path(task["store"]))
    run = tb.get_run("latest").id
    executions = log.read(store.document(run), store.records(run, "cells"), store.blobs)
    outer = [e for e in executions if not e.extra.get("within")][: len(visible)]
    cells = [
        {
            "order": e.order,
            "source": e.source,
            "count": e.count,
            "rng": {name: store.blobs.get(blob).decode() for name, blob in e.rng.items()},
        }
        for e in outer
    ]
    kept = {e.order: list(slice.cut(executions, {e.order}).kept) for e in outer}
    costs = [e.extra["ms"] for e in outer if "ms" in e.extra]
    return {"visible": visible, "cells": cells, "kept": kept, "ms": costs}


def replay(task: dict[str, Any]) -> dict[str, Any]:
    """Run the cells, random states restored; what the last of them shows."""
    shell = _shell()
    seen: dict[str, Any] = {}
    for cell in task["cells"]:
        shell.execution_count = cell["count"]
        _restore(cell["rng"])
        seen = _run(shell, cell["source"], None)
    return {"visible": seen.get("text"), "error": seen.get("error")}


def _shell() -> Any:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    quiet = {"HistoryManager": {"enabled": False}, "InteractiveShell": {"colors": "nocolor"}}
    shell = InteractiveShell.instance(config=Config(quiet))
    sys.path.insert(0, "")
    return shell


def _run(shell: Any, source: str, cell: str | None) -> dict[str, Any]:
    from IPython.utils.capture import capture_output

    with capture_output() as captured:
        done = shell.run_cell(source, store_history=True, cell_id=cell)
    error = done.error_before_exec or done.error_in_exec
    parts = [captured.stdout]
    for shown in captured.outputs:
        for kind, data in sorted(shown.data.items()):
            if kind.startswith("image/"):
                raw = data if isinstance(data, bytes) else str(data).encode()
                parts.append(f"{kind} {hashlib.sha256(raw).hexdigest()}")
            elif kind == "text/plain":
                parts.append(str(data))
    text = "\n".join(parts)
    for pattern, stands in _MASKS:
        text = pattern.sub(stands, text)
    usable = error is None and bool(text.strip()) and len(text) < 1_000_000
    return {"text": text, "usable": usable, "error": None if error is None else repr(error)[:300]}


def _restore(states: dict[str, str]) -> None:
    from trackbook.jsonable import loads

    for name, data in states.items():
        state = loads(data.encode())["state"]
        if name == "python":
            random.setstate((state[0], tuple(state[1]), state[2]))
        elif name == "numpy":
            import numpy as np

            state["state"]["key"] = np.array(state["state"]["key"], dtype="uint32")
            np.random.set_state(state)
        elif name == "torch" and "torch" in sys.modules:
            import torch

            torch.set_rng_state(torch.tensor(list(bytes.fromhex(state)), dtype=torch.uint8))


if __name__ == "__main__":
    what, given, result = sys.argv[1:]
    found = {"record": record, "replay": replay}[what](json.loads(Path(given).read_text()))
    Path(result).write_text(json.dumps(found))
    os._exit(0)  # threads of the notebook's are not waited for
