"""Lightning under its older name."""

from __future__ import annotations

from ..capture.patch import Patches
from . import lightnings

TESTED = ("pytorch_lightning", "2.4", "3")


def install(patches: Patches) -> None:
    """Wrap its trainer."""
    lightnings.watch(patches, "pytorch_lightning")
