"""The colour and the dashes of a run: the same wherever it is drawn, told apart without colour."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

from ..model import Document

# Okabe and Ito: told apart with every kind of colour vision, on white and on black. Their yellow
# and black are left out, since each of them vanishes on one of the two backgrounds.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999")
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4], [4, 6], [2, 6], [12, 3, 2, 3, 2, 3])


class Style(NamedTuple):
    """How a run is drawn."""

    colour: str
    dash: list[int]


def styles(documents: Sequence[Document]) -> list[Style]:
    """A style for each run, all different for up to 56 of them.

    It comes from the run's series and number, so that it stays when other runs come and go, and
    neighbouring attempts differ; only where two runs want the same does the later one give way.
    """
    taken: set[tuple[int, int]] = set()
    found: dict[str, Style] = {}
    for document in sorted(documents, key=lambda d: str(d["id"])):
        slot = _slot(_wanted(document), taken)
        taken.add(slot)
        found[document["id"]] = Style(PALETTE[slot[1]], DASHES[slot[0]])
    return [found[document["id"]] for document in documents]


def _wanted(document: Document) -> int:
    number = document.get("number")
    series = zlib.crc32(str(document.get("series")).encode("utf-8", "replace"))
    return (series + (number if isinstance(number, int) else 0)) % len(PALETTE)


def _slot(wanted: int, taken: set[tuple[int, int]]) -> tuple[int, int]:
    for level in range(len(DASHES)):
        for step in range(len(PALETTE)):
            slot = (level, (wanted + step) % len(PALETTE))
            if slot not in taken:
                return slot
    return (0, wanted)
