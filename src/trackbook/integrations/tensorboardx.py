"""TensorboardX: its writer is watched as TensorBoard's own is."""

from __future__ import annotations

from tensorboardX.writer import SummaryWriter

from ..capture.patch import Patches
from . import summaries

TESTED = ("tensorboardX", "2.6.2", "3")


def install(patches: Patches) -> None:
    """Wrap the writer of tensorboardX."""
    summaries.watch(patches, SummaryWriter)
