"""A real kernel for tests, and what it sends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

START_S = 60


class Kernel:
    """Runs cells; each gives the messages that a front end would get, without the states."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self._client = client

    def send(self, source: str, cell_id: str | None = None) -> dict[str, Any]:
        """Have a cell run, and do not wait for it; returns the request."""
        content = {"code": source, "silent": False, "store_history": True, "allow_stdin": False}
        metadata = {"cellId": cell_id} if cell_id else {}
        message = self._client.session.msg("execute_request", content, metadata=metadata)
        self._client.shell_channel.send(message)
        return dict(message)

    def run(self, source: str, cell_id: str | None = None) -> list[dict[str, Any]]:
        """``{"type": ..., **content}`` of each message."""
        message = self.send(source, cell_id)
        got = []
        while True:
            one = self._client.get_iopub_msg(timeout=START_S)
            if one["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if one["content"].get("execution_state") == "idle":
                return got
            if one["msg_type"] not in ("status", "execute_input", "comm_open"):
                got.append({"type": one["msg_type"], **one["content"]})

    def printed(self, source: str) -> str:
        """What a cell prints."""
        got = self.run(source)
        assert not [one for one in got if one["type"] == "error"], got
        return "".join(one["text"] for one in got if one["type"] == "stream")


@contextmanager
def kernel(folder: Path, name: str = "python3") -> Iterator[Kernel]:
    """A kernel in a folder; the environment is that of the test."""
    manager, client = start_new_kernel(START_S, name, cwd=str(folder))
    try:
        yield Kernel(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
