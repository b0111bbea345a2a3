"""What a real kernel makes of JupyterLab's messages about the open notebook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from trackbook import reading
from trackbook.capture.livenotebook import LiveNotebook, found

LOAD = "%load_ext trackbook"
TRACKED = "%%track forest\ndepth = 3\nacc = depth / 10"
START_S = 60


class Front:
    """A front end as far as this kernel can see."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client
        self.comm = ""

    def run(self, source: str, cell_id: str | None = None) -> None:
        content = {"code": source, "silent": False, "store_history": True, "allow_stdin": False}
        metadata = {"cellId": cell_id} if cell_id else {}
        message = self.client.session.msg("execute_request", content, metadata=metadata)
        self.client.shell_channel.send(message)
        while True:
            got = self.client.get_iopub_msg(timeout=START_S)
            if got["msg_type"] == "comm_open" and got["content"]["target_name"] == "trackbook":
                self.comm = got["content"]["comm_id"]
            ours = got["parent_header"].get("msg_id") == message["header"]["msg_id"]
            assert got["msg_type"] != "error", got["content"]
            if ours and got["content"].get("execution_state") == "idle":
                return

    def tell(self, path: str, cells: dict[str, Any], cell: str | None, **more: Any) -> None:
        data = {"path": path, "root": "", "cell": cell, "order": list(cells), "sources": cells}
        content = {"comm_id": self.comm, "data": {**data, **more}}
        self.client.shell_channel.send(self.client.session.msg("comm_msg", content))


@pytest.fixture
def front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    (tmp_path / "work.ipynb").write_text('{"cells": []}', encoding="utf-8")
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "work.ipynb"))
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
    manager, client = start_new_kernel(startup_timeout=START_S, cwd=str(tmp_path))
    try:
        yield Front(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def latest(folder: Path) -> reading.Run:
    return reading.open_store(folder / ".trackbook").get_run("latest")


def test_unsaved_cells_and_a_rename_are_in_the_snapshot(front: Front, tmp_path: Path) -> None:
    front.run(LOAD)
    assert front.comm
    (tmp_path / "work.ipynb").rename(tmp_path / "renamed.ipynb")
    cells = {"a": ["code", LOAD], "m": ["markdown", "# Unsaved"], "b": ["code", TRACKED]}
    front.tell("renamed.ipynb", cells, "b")
    front.run(TRACKED, "b")
    run = latest(tmp_path)
    assert run.notebook == str(tmp_path / "renamed.ipynb") or "renamed.ipynb" in str(run.notebook)
    shot = run.snapshot()
    assert [cell.source for cell in shot.cells][:2] == [LOAD, "# Unsaved"]
    assert [cell.cell_type for cell in shot.cells] == ["code", "markdown", "code"]


def test_only_what_changed_is_told_again(front: Front, tmp_path: Path) -> None:
    front.run(LOAD)
    front.tell("work.ipynb", {"a": ["code", "x = 1"], "b": ["code", TRACKED]}, None)
    front.tell("work.ipynb", {}, "b", order=["b", "a"], sources={"a": ["code", "x = 2"]})
    front.run(TRACKED, "b")
    assert [cell.source for cell in latest(tmp_path).snapshot().cells] == [TRACKED, "x = 2"]


def test_a_message_that_comes_after_the_cell_is_attached(front: Front, tmp_path: Path) -> None:
    front.run(LOAD)
    front.tell("work.ipynb", {"b": ["code", TRACKED]}, None)
    front.run(TRACKED, "b")
    cells = {"b": ["code", TRACKED], "m": ["markdown", "late"]}
    front.tell("work.ipynb", cells, "b")
    front.run("import trackbook; trackbook.runs()")  # the message has been dealt with before
    assert [cell.source for cell in latest(tmp_path).snapshot().cells] == [TRACKED, "late"]


def test_a_message_that_is_none_of_ours_changes_nothing() -> None:
    live = LiveNotebook()
    for data in ({}, {"path": 1}, {"path": "a", "order": 3, "sources": {}}, None):
        live._receive({"content": {"data": data}})
    live._receive({})
    assert live.cells() == []
    assert not live.heard


def test_the_file_is_found_below_the_servers_root_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "new.ipynb").touch()
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "sub" / "old.ipynb"))
    assert found("sub/new.ipynb", "") == tmp_path / "sub" / "new.ipynb"
    assert found("sub/new.ipynb", str(tmp_path)) == tmp_path / "sub" / "new.ipynb"
    assert found("sub/gone.ipynb", str(tmp_path)) is None
    assert found("sub/notes.txt", str(tmp_path)) is None
