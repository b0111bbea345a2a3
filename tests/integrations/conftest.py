"""Autolog is on in a store of the test, and off and forgotten afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import trackbook as tb
from trackbook import settings
from trackbook.capture import session as sessions


@pytest.fixture(autouse=True)
def logged(tmp_path: Path) -> Iterator[None]:
    sessions.current.close_all()
    sessions.reset()
    tb.set_store(tmp_path / ".trackbook")
    tb.autolog()
    yield
    tb.autolog(False)
    sessions.current.close_all()
    sessions.reset()
    settings.choose_store(None)
