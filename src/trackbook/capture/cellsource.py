"""The first lines of a cell: ours, and magics that run the rest of it as Python."""

from __future__ import annotations

import re

from IPython.core.inputtransformer2 import TransformerManager

from ..errors import InvalidValue
from . import options
from .cellfacts import LONGEST

_TRACK_LINE = re.compile(r"%%track(?:[ \t]+(?P<options>.*?))?[ \t]*$")
# They run the rest of the cell in the user's namespace; the last one by ``run_cell``, where our
# hooks see it as a cell within the cell.
_IN_PLACE = re.compile(r"%%(time|prun)\b")
_IPYTHON = TransformerManager()
_CAPTURE = re.compile(r"%%capture\b")


def strip_track_line(lines: list[str]) -> list[str]:
    """The input transformer: takes a good ``%%track`` line off, so that the cell is ordinary code.

    A bad line stays, so that the cell magic runs in its place and says what is wrong.
    """
    if not lines or _options_of(lines[0]) is None:
        return lines
    if len(lines) > 1 and lines[1].startswith("%%"):
        return lines[1:]
    # It stays as a comment, so that tracebacks have the line numbers of the cell.
    return [f"#{lines[0]}", *lines[1:]]


def track_options(raw: str) -> options.Options | None:
    """What the ``%%track`` line of a cell asks for, on its first line or below a ``%%time``."""
    for line in _from_first_word(raw):
        if not _IN_PLACE.match(line):
            return _options_of(line)
    return None


def _options_of(line: str) -> options.Options | None:
    match = _TRACK_LINE.match(line.rstrip("\n"))
    if match is None:
        return None
    try:
        return options.parse(match["options"] or "")
    except InvalidValue:
        return None


def python(raw: str) -> str:
    """What Python the cell is, without the magics that run the rest of it, at the same lines."""
    lines = _from_first_word(raw)
    for i, line in enumerate(lines):
        if not (_TRACK_LINE.match(line) or _IN_PLACE.match(line) or _CAPTURE.match(line)):
            break
        lines[i] = "#"
    if len(raw) > LONGEST:
        return "\n".join(lines)  # whose values are not read
    # Transformers of the user's own may do more than transform, and are left alone.
    return str(_IPYTHON.transform_cell("\n".join(lines)))


def is_captured(raw: str) -> bool:
    """Whether the cell runs by ``%%capture``, which keeps its exception to itself."""
    return _magic_line(raw, _CAPTURE) > 0


def failing_line(raw: str, error: BaseException | None) -> int | None:
    """The line of ``python(raw)`` where an exception came from; 0 where nothing of it ran."""
    if error is None:
        return None
    if isinstance(error, SyntaxError) and error.__traceback__ is None:
        return 0
    timed = _magic_line(raw, _IN_PLACE)
    above = timed or _magic_line(raw, _CAPTURE)
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_name == "<module>" and (not timed or code.co_filename.startswith("<timed")):
            return trace.tb_lineno + above
        trace = trace.tb_next
    return 0


def _magic_line(raw: str, magic: re.Pattern[str]) -> int:
    """Which of the first lines is this magic, from 1; 0 where none is."""
    for number, line in enumerate(_from_first_word(raw), start=1):
        if magic.match(line):
            return number
        if not line.startswith("%%"):
            break
    return 0


def _from_first_word(raw: str) -> list[str]:
    # IPython takes empty lines at the top off.
    lines = raw.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), len(lines))
    return [lines[first].lstrip(), *lines[first + 1 :]] if lines[first:] else []
