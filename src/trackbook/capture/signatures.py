"""Signs what of a run is code, so that its replay need not ask whoever recorded it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from .. import signing
from ..jsonable import dumps
from .live import ActiveRun

_lock = threading.Lock()


class SignedLogs:
    """The logs of cells of the open runs; each line is part of what is signed."""

    def __init__(self) -> None:
        self._digests: dict[str, signing.LogDigest | None] = {}

    def add(self, run: ActiveRun, line: Mapping[str, Any]) -> None:
        """A line was added to the run's log."""
        if run.id not in self._digests:
            # Of a run that is resumed there are lines that this kernel has not written.
            resumed = "log" in (run.document.get("signed") or {})
            self._digests[run.id] = None if resumed else signing.LogDigest(run.id)
        digest = self._digests[run.id]
        if digest is not None:
            digest.add(dumps(line))

    def sign(self, run: ActiveRun) -> None:
        """Sign the lines so far; a log that is not all ours gets no signature."""
        digest = self._digests.get(run.id)
        _sign(run, "log", digest.content() if digest is not None else None)

    def forget(self, run: ActiveRun) -> None:
        """No more lines will come."""
        self._digests.pop(run.id, None)


def amend_signed(run: ActiveRun, purpose: str, blob: str | None, **fields: Any) -> None:
    """Change fields that name a blob, the run's ``modules`` or ``patch``, and sign it with them."""
    content = None if blob is None else signing.blob_content(purpose, blob)
    _sign(run, purpose, content, **fields)


def _sign(run: ActiveRun, purpose: str, content: bytes | None, **fields: Any) -> None:
    signature = None if content is None else signing.sign(content)
    with _lock:  # modules and patch are signed by the thread that reads them
        signed = dict(run.document.get("signed") or {})
        if signature is not None or purpose in signed:
            signed[purpose] = signature
            fields["signed"] = signed
        run.amend(**fields)
