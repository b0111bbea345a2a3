"""The Python of a cell: magics as the calls they become, the lines kept."""

from __future__ import annotations

import re
from functools import lru_cache

# They run the rest of the cell in the user's namespace.
_IN_PLACE = re.compile(r"%%(track|time|timeit|prun|capture)\b")
_LONGEST = 500_000


@lru_cache(maxsize=1024)
def python(raw: str) -> str:
    """What Python a cell is, as it was executed; the lines of its magics become comments."""
    from IPython.core.inputtransformer2 import TransformerManager

    lines = raw.split("\n")
    for i, line in enumerate(lines):
        if line.strip() and not _IN_PLACE.match(line.lstrip()):
            break
        lines[i] = "#" if line.strip() else line
    if len(raw) > _LONGEST:
        return "\n".join(lines)
    try:
        return str(TransformerManager().transform_cell("\n".join(lines)))
    except (SyntaxError, ValueError, RecursionError):
        return "\n".join(lines)
