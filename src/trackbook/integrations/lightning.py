"""Lightning under its newer name."""

from __future__ import annotations

from ..capture.patch import Patches
from . import lightnings

TESTED = ("lightning", "2.4", "3")


def install(patches: Patches) -> None:
    """Wrap its trainer."""
    lightnings.watch(patches, "lightning.pytorch")
