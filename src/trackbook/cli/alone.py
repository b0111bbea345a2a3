"""A Jupyter server with nothing but our page, for ``trackbook ui``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from jupyter_server.serverapp import ServerApp

from .. import settings


class PageServer(ServerApp):
    """Jupyter's own login, cookies and events; no kernels, files or terminals."""

    default_services = (  # type: ignore[assignment]
        *("api", "auth", "events", "security", "shutdown"),
    )


def serve(store_id: str, path: Path, *, port: int | None, browser: bool) -> None:
    """Serve one store on this machine until the process is interrupted."""
    with tempfile.TemporaryDirectory(prefix="trackbook-ui-") as runtime:
        # Stores are found by what is registered here: this one alone.
        os.environ["JUPYTER_RUNTIME_DIR"] = runtime
        settings.register(store_id, path)
        app = PageServer.instance(
            jpserver_extensions={"trackbook": True},
            default_url="/trackbook/",
            root_dir=str(path.parent),
            open_browser=browser,
            # There is nothing here that runs code.
            allow_root=True,
            terminals_enabled=False,
            log_level="WARN",
            **({} if port is None else {"port": port, "port_retries": 0}),
        )
        app.initialize(argv=[], find_extensions=False)
        app.start()
