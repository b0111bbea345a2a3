"""The hash of a large file by parts of it at fixed places, equal in every process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import blake3

from . import os_copies

BUDGET = 48 << 20
"""What is hashed whole, in some 50 ms; of a larger file a sample of about a quarter of it."""
SAMPLE = 12 << 20
PARTS = 64


def add_file(digest: Any, path: Path, size: int, budget: int) -> bool:
    """Add a file's content, or its size and parts of it; returns whether it was parts."""
    with os_copies.open_regular(path) as file:
        if size <= budget:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
            return False
        digest.update(f"sample of {size}\0".encode())
        part = max(min(budget, SAMPLE) // PARTS, 1)
        for number in range(PARTS):
            file.seek((size - part) * number // (PARTS - 1))
            digest.update(file.read(part))
    return True


def hash_of(path: Path) -> str:
    """The hash of a file as a log names it where it says ``sampled``; raises ``OSError``."""
    digest = blake3.blake3()
    add_file(digest, path, path.stat().st_size, BUDGET)
    return f"b3-{digest.hexdigest()}"
