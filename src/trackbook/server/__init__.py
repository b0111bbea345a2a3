"""The Jupyter server extension: registered stores over HTTP, and an event for each change.

It calls no kernel. To stores it writes what people edit and how kernels died.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from jupyter_server.extension.application import ExtensionApp

from . import attempts, comparing, handlers, page, replay, runpage, table
from .kernels import ACTIONS, Ending, Kernels
from .replay import Replays
from .shelf import Shelf

EVENT = "https://schema.trackbook.dev/revision/v1"
_SCHEMA = Path(__file__).with_name("events.yaml")
_POLL_S = 0.5
_ROUTES = (handlers, table, runpage, attempts, page, comparing, replay)


class TrackbookApp(ExtensionApp):
    """Serves the stores which this user's kernels registered."""

    name = "trackbook"
    extension_url = "/lab"
    load_other_extensions = True

    _polling: tuple[asyncio.Task[None], ...] = ()
    _certifying: set[asyncio.Task[None]]

    def initialize_settings(self) -> None:
        """Give the handlers the stores, and the event logger our event."""
        server = self.serverapp
        assert server is not None  # its type is that of an app not yet linked
        self._certifying = set()
        self.static_paths = [str(page.STATIC)]
        self.shelf = Shelf(Path(server.root_dir))
        self.settings["trackbook_shelf"] = self.shelf
        self.replays = Replays()
        self.settings["trackbook_replays"] = self.replays
        server.event_logger.register_event_schema(_SCHEMA)

    def initialize_handlers(self) -> None:
        """Our routes; the server puts its base_url before them."""
        self.handlers.extend(route for module in _ROUTES for route in module.HANDLERS)

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        kernels = Kernels(serverapp.kernel_manager, self._ended)
        serverapp.event_logger.add_listener(schema_id=ACTIONS, listener=kernels.acted)
        # Two tasks: with an odd kernel manager the panel still learns of changes.
        self._polling = (
            asyncio.create_task(self._poll(serverapp.event_logger)),
            asyncio.create_task(_look_for_kernels(kernels)),
        )

    def _ended(self, ending: Ending) -> None:
        if not self._polling:
            return  # the server ends its kernels after us
        work = self.shelf.run(lambda: self.shelf.certify(ending))
        task = asyncio.get_running_loop().create_task(work)
        self._certifying.add(task)
        task.add_done_callback(self._certifying.discard)

    async def stop_extension(self) -> None:
        """Stop looking for changes, and wait until the last look is over."""
        polling, self._polling = self._polling, ()
        for task in polling:
            task.cancel()
        await asyncio.gather(*polling, *self._certifying, return_exceptions=True)
        await asyncio.to_thread(self.replays.close)
        await asyncio.to_thread(self.shelf.close)

    async def _poll(self, events: Any) -> None:
        # At most one event a store and look, so at most two a second.
        while True:
            for store_id, revision in await self.shelf.run(self.shelf.changed):
                data = {"store": store_id, "revision": revision}
                events.emit(schema_id=EVENT, data=data)
            await asyncio.sleep(_POLL_S)


async def _look_for_kernels(kernels: Kernels) -> None:
    while True:
        kernels.look()
        await asyncio.sleep(_POLL_S)
