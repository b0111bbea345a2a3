"""Parsing the user's source without a word: what there is to warn of, his own run of it tells."""

from __future__ import annotations

import ast
import re
import warnings
from typing import Any

UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What ``parse`` raises for source that is not Python, or nested too deeply."""
_FILE = "<source read by trackbook>"
_QUIET = ("ignore", None, Warning, re.compile(re.escape(_FILE)), 0)


def parse(source: str) -> ast.Module:
    """The tree of a source; raises one of ``UNREADABLE``."""
    # An escape such as "\d" is warned of when the user's cell runs, and not again by us. Only our
    # own entry in the filters keeps what Python remembers of the user's warnings.
    filters: list[Any] = warnings.filters  # type: ignore[assignment]
    if filters[:1] != [_QUIET]:
        filters[:] = [_QUIET, *(entry for entry in filters if entry != _QUIET)]
    return ast.parse(source, _FILE)
