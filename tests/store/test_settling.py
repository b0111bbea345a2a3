"""Runs that had just been written when the catalogue was: looked at once more, then left alone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from trackbook.model import new_document
from trackbook.store import LocalStore, folder


def test_a_run_that_has_settled_is_read_by_no_later_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / ".trackbook"
    writer = LocalStore(root).create(new_document(name="forest", experiment="e"))
    writer.document.update(status="finished", ended=time.time())
    writer.finish()
    early = LocalStore(root)
    early.find()
    early.write_back()
    time.sleep(3.2)  # a folder that changed this recently may change again unseen
    second = LocalStore(root)
    second.find()
    second.write_back()
    read: list[str] = []
    real = folder.read_document

    def counted(path: Path) -> Any:
        read.append(path.name)
        return real(path)

    monkeypatch.setattr(folder, "read_document", counted)
    assert len(LocalStore(root).find()) == 1
    assert read == []
