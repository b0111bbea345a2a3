"""What a run document is: its names, its ids, and how one begins.

A document is plain data (``dict``), as it stands in ``run.json``; ``docs/run.schema.json`` is its
schema. Readers see it through ``reading.Run``.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Mapping
from typing import Any

FORMAT = 1
STATUSES = ("running", "finished", "failed", "interrupted", "lost")
KINDS = ("run", "child", "step", "trial", "worker", "replay")

Document = dict[str, Any]

_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"
_RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-z]{10}")


def new_run_id(now: float | None = None) -> str:
    """A fresh id, ``<YYYYMMDD>-<HHMMSS>-<10 random base32>`` in UTC."""
    moment = time.gmtime(time.time() if now is None else now)
    # os.urandom, not random: the user's random state is not ours to touch.
    tail = "".join(_BASE32[byte & 31] for byte in os.urandom(10))
    return time.strftime("%Y%m%d-%H%M%S-", moment) + tail


def derived_run_id(origin: str, moment: float) -> str:
    """The id that always comes of the same origin and start, so that nothing is taken in twice."""
    digest = hashlib.sha256(origin.encode("utf-8", "surrogatepass")).digest()
    tail = "".join(_BASE32[byte & 31] for byte in digest[:10])
    return time.strftime("%Y%m%d-%H%M%S-", time.gmtime(moment)) + tail


def is_run_id(text: str) -> bool:
    """Whether text has the form of a run id, so that it is safe to build a path from."""
    return _RUN_ID.fullmatch(text) is not None


def new_document(
    *,
    name: str,
    experiment: str,
    kind: str = "run",
    series: str = "",
    number: int = 1,
    parent: str | None = None,
) -> Document:
    """A complete document of a run that starts now; every field of format 1 is there."""
    now = time.time()
    return {
        "format": FORMAT,
        "id": new_run_id(now),
        "kind": kind,
        "name": name,
        "number": number,
        "series": series,
        "experiment": experiment,
        "status": "running",
        "started": now,
        "ended": None,
        "parent": parent,
        "user": "",
        "host": "",
        "params": {},
        "summary": {},
        "tags": {},
        "note": "",
        "notebook": None,
        "cell": None,
        "git": None,
        "env": {},
        "error": None,
        "inputs": [],
        "outputs": [],
        "capture": [],
    }


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one level, joined by ``.``: ``{"a": {"b": 1}}`` -> ``{"a.b": 1}``."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat
