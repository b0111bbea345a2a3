"""The command that serves the explorer as a page."""

from __future__ import annotations

import click

from .terminal import local


@click.command()
@click.argument("store", required=False)
@click.option("--port", type=click.IntRange(1, 65535), help="Fail where this port is taken.")
@click.option("--no-browser", is_flag=True, help="Print the address, open nothing.")
def ui(store: str | None, port: int | None, no_browser: bool) -> None:
    """Show the runs of STORE in the browser; Ctrl-C ends it.

    The page is that of the panel in JupyterLab, where it is served too: at /trackbook. It is
    served on this machine alone, behind a token, as Jupyter does; Jupyter's own settings apply.
    """
    there = local(store)
    try:
        from . import alone
    except ImportError:
        problem = "the page needs jupyter_server: pip install jupyter_server"
        raise click.ClickException(problem) from None
    assert there.path is not None  # it is a local one
    alone.serve(there.id, there.path, port=port, browser=not no_browser)
