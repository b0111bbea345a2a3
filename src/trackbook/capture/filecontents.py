"""The contents of small files that cells read, until a run keeps them."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any

from .. import redact
from ..store import Blobs

_MOST_BYTES = 16 << 20
_LOOKED_AT = 1 << 16
_PRIVATE = re.compile(
    r"\A(\.env.*|\.netrc|.*\.(pem|key|p12|pfx|kdbx)|id_\w+|.*(credential|secret|password|token).*)\Z",
    re.IGNORECASE,
)


class Contents:
    """By hash; what looks like a secret is not kept."""

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}
        self._size = 0

    def hold(self, path: str, name: str, data: bytes) -> None:
        """Hold the content of a file, by its hash, while there is room."""
        if name in self._held or self._size + len(data) > _MOST_BYTES:
            return
        if _PRIVATE.match(PurePath(path).name):
            return
        self._held[name] = data
        self._size += len(data)

    def told(self, file: dict[str, Any], blobs: Blobs) -> dict[str, Any]:
        """The entry of a file with its blob, where the content is held."""
        name = file.get("hash")
        data = self._held.get(name) if name is not None else None
        if data is None or _has_secret(data):
            return file
        return {**file, "blob": blobs.put(data)}


def _has_secret(data: bytes) -> bool:
    if b"\0" in data[:1024]:
        return False
    return redact.text(data[:_LOOKED_AT].decode("utf-8", "replace"))[1] > 0
