"""What every command shares: which store, and how JSON is printed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..jsonable import dumps
from ..store import Store
from ..store import open_store as _open


def store_option(command: Callable[..., None]) -> Callable[..., None]:
    """The option ``--store``."""
    return click.option(
        "--store",
        metavar="FOLDER",
        help="The store, or the folder that holds it (default: the one of this folder).",
    )(command)


def opened(path: str | None) -> Store:
    """The store that ``--store`` names; wrong usage where there is no such folder."""
    if path is not None and not Path(path).expanduser().is_dir():
        raise click.UsageError(f"--store: there is no folder {path}")
    return _open(path)


def print_json(value: Any) -> None:
    """Indented JSON on stdout."""
    click.echo(dumps(value, pretty=True).decode("utf-8"))
