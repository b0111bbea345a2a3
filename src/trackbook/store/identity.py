"""What makes a folder a store: ``store.json``, written once."""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path
from typing import NamedTuple

from ..errors import StoreError
from ..jsonable import dumps, loads
from ..model import FORMAT
from . import blobs, limits, os_calls, room, series

FILE = "store.json"
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
# Where any of these is a link, what is written would go elsewhere, and what is read be anything.
_FOLDERS = ("runs", "blobs", "index", "index/changes", "index/series")


class Identity(NamedTuple):
    """Who a store is: its id, its format, and the algorithm that names its blobs."""

    id: str
    format: int
    algorithm: str


def read(root: Path) -> Identity | None:
    """The identity of a store, None where there is none yet; raises ``StoreError``."""
    try:
        data = os_calls.read_plain(root / FILE, limits.IDENTITY)
        os_calls.check_folders(*(root / name for name in _FOLDERS))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as problem:
        why = f"{problem.filename} is {problem.strerror}"
        raise StoreError(f"the store {root} cannot be read: {why}") from problem
    try:
        content = loads(data)
        found = Identity(content["id"], content["format"], content.get("hash", blobs.DEFAULT))
        # The id becomes the name of a file, and a part of an address.
        if not _ID.fullmatch(found.id) or type(found.format) is not int:
            raise ValueError(found.id)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StoreError(
            f"{root / FILE} is damaged; delete it, and the next write makes it anew"
        ) from None
    if found.algorithm not in blobs.ALGORITHMS and found.format <= FORMAT:
        raise StoreError(f"{root} keeps blobs by {found.algorithm!r:.40}, which is not known here")
    return found


def write(root: Path) -> None:
    """Make the folder a store; raises ``StoreError`` where that cannot be."""
    content = {
        "format": FORMAT,
        "id": os.urandom(8).hex(),
        "hash": blobs.DEFAULT,
        "created": time.time(),
    }
    try:
        (root / "runs").mkdir(parents=True, exist_ok=True)
        if next((root / "runs").iterdir(), None) is None:
            series.mark_complete(root / "index")
        for name, data in ((".gitignore", b"*\n"), (FILE, dumps(content, pretty=True) + b"\n")):
            # What is there stays: a user's own file, or another process was faster.
            with contextlib.suppress(FileExistsError):
                os_calls.create(root / name, data)
    except OSError as problem:
        why = room.reason(root, problem)
        raise StoreError(f"no store can be made in {root}: {why}") from problem


def is_another(root: Path, known: str) -> bool:
    """Whether the folder is no longer the store of a known id."""
    try:
        return bool(loads(os_calls.read_plain(root / FILE, limits.IDENTITY))["id"] != known)
    except FileNotFoundError:
        return True
    except (OSError, ValueError, KeyError, TypeError):
        return False
