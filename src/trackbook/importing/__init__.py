"""Runs of other trackers, read without them: MLflow's and Sacred's stores into ours."""

from __future__ import annotations

from .arrival import Brought, bring
from .origin import Source
from .recognise import source_at

__all__ = ["Brought", "Source", "bring", "source_at"]
