"""Small notebooks, read from the ``.traps`` files beside this one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Trap:
    """Cells that run in order, the last one as a run, and which of them it needs."""

    name: str
    wanted: tuple[int, ...] = ()
    """Order numbers of the cells that may not be missing, without the last."""
    spare: tuple[int, ...] = ()
    """Those that may be kept besides."""
    cells: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)


def read(name: str) -> list[Trap]:
    """The traps of a file."""
    text = Path(__file__).with_name(f"{name}.traps").read_text()
    return [_trap(part) for part in text.split("\n=== ")[1:]]


def _trap(text: str) -> Trap:
    head, *parts = text.split("\n--- ")
    name, *lines = head.splitlines()
    trap = Trap(name)
    for word, *numbers in (line.split() for line in lines if line):
        found = tuple(int(number) for number in numbers)
        trap.wanted, trap.spare = (found, trap.spare) if word == "needs" else (trap.wanted, found)
    for title, body in _titled(parts):
        if title.startswith("file "):
            trap.files[title.removeprefix("file ")] = body + "\n"
        else:
            trap.cells.append(body)
    return trap


def _titled(parts: list[str]) -> Iterator[tuple[str, str]]:
    for part in parts:
        title, _, body = part.partition("\n")
        yield title, body.rstrip("\n")
