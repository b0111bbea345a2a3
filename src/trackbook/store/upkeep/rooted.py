"""The folder of a store that is to be looked after."""

from __future__ import annotations

from pathlib import Path

from ...errors import StoreError
from ..local import LocalStore


def root_of(store: LocalStore) -> Path:
    """The folder of an existing store; raises ``StoreError`` where there is none yet."""
    if not store.id or store.path is None:
        raise StoreError(f"there is no store in {store.path}")
    return store.path
