"""What a reader of a model's file is told, and the checks that all of them make."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import StoreError

_ROOM = 64 << 20


@dataclass(frozen=True)
class Wanted:
    """Which model, and what the caller allows."""

    name: str
    line: Mapping[str, Any]
    trust: bool | Sequence[str] = False
    into: Any = None
    ours: bool = False
    """Whether this user kept it on this machine."""

    def unreadable(self, problem: object) -> StoreError:
        """The error for a file that is not what it says."""
        kept = " ".join(str(self.line[key]) for key in ("library", "version") if key in self.line)
        reason = " ".join(str(problem).split())[:300]
        with_what = f" (kept with {kept})" if kept else ""
        return StoreError(f"the model {self.name!r} cannot be loaded{with_what}: {reason}")

    def ask_for_native(self, library: str) -> None:
        """Raise ``StoreError`` for a stranger's file that native code would read unchecked."""
        if not self.ours and self.trust is not True:
            raise StoreError(
                f"the model {self.name!r} was not kept by you on this machine, and {library} does "
                "not check all that it reads: a broken file ends the process, a crafted one may do "
                f"worse; load_model({self.name!r}, trust=True) if you trust where it is from"
            )


def check_zip(path: Path, wanted: Wanted) -> None:
    """Raise ``StoreError`` for an archive that unpacks to far more than it is."""
    try:
        with zipfile.ZipFile(path) as archive:
            total = sum(entry.file_size for entry in archive.infolist())
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as problem:
        raise wanted.unreadable(problem) from None
    # What we write is not packed at all; the blob around it is.
    if total > 20 * path.stat().st_size + _ROOM:
        raise wanted.unreadable(f"it would unpack to {total} bytes")
