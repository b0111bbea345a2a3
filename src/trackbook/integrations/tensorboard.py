"""TensorBoard: the writer that comes with torch."""

from __future__ import annotations

from torch.utils.tensorboard import writer

from ..capture.patch import Patches
from . import summaries

TESTED = ("tensorboard", "2.18", "3")


def install(patches: Patches) -> None:
    """Wrap the writer; its files stay what they are."""
    summaries.watch(patches, writer.SummaryWriter)
