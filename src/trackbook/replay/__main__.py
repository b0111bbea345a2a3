"""A replay in a process of its own: ``python -m trackbook.replay``, the order as JSON on stdin.

It answers with a JSON object a line on stdout; ``process.py`` is who asks.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidValue, StoreError, TrackbookError, UntrustedRun
from ..jsonable import dumps, loads
from ..model import Document
from ..store import Store, open_store
from . import trust, vary
from .judge import Wishes, judge
from .recording import recipes
from .verdict import Verdict

_WISHES = {field.name for field in dataclasses.fields(Wishes)}


def main() -> None:
    """Do what stdin asks for."""
    signal.signal(signal.SIGTERM, _stop)
    order = loads(sys.stdin.buffer.read())
    try:
        _do(order)
    except UntrustedRun as problem:
        _tell(event="untrusted", message=str(problem), code=problem.code)
    except TrackbookError as problem:
        _tell(event="error", kind=type(problem).__name__, message=str(problem))


def _do(order: Mapping[str, Any]) -> None:
    store = open_store(order["store"])
    document = store.document(str(order["run"]))
    found = recipes(store, document)
    wishes = Wishes(**{k: v for k, v in order.items() if k in _WISHES})
    recipe = found.whole if wishes.full else found.short
    if recipe.cells and not order.get("trust"):
        trust.check(store, document, found.whole)
    if order.get("params"):
        parent = order.get("parent")
        run = vary.run(store, document, recipe, order["params"], wishes, _progress, parent)
        _tell(event="run", run=run)
        return
    verdict = judge(store, document, recipe, found.whole, wishes, _progress)
    _tell(event="verdict", verdict=_keep(store, document, verdict).plain())


def _keep(store: Store, document: Document, verdict: Verdict) -> Verdict:
    """The verdict as an edit of the run; where that cannot be, it says so."""
    try:
        store.edit(document["id"], {"replay": verdict.status, "verdict": verdict.plain()})
    except (StoreError, InvalidValue) as problem:
        causes = (*verdict.causes, f"this verdict is not kept: {problem}")
        return dataclasses.replace(verdict, causes=causes)
    return verdict


def _progress(which: str, cell: int, of: int) -> None:
    _tell(event="cell", recipe=which, cell=cell, of=of)


def _tell(**message: Any) -> None:
    sys.stdout.buffer.write(dumps(message) + b"\n")
    sys.stdout.buffer.flush()


def _stop(number: int, frame: Any) -> None:
    # As by Ctrl-C: what is open is closed, the kernel ended, the folder removed.
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.stdout.flush()
        os._exit(130)
