"""What every command shares: which store, how JSON is printed, how long it takes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import click

from ..errors import StoreError
from ..jsonable import dumps
from ..model import Document
from ..store import LocalStore, Store
from ..store import open_store as _open
from ..views import columns, text


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


def local(path: str | None) -> LocalStore:
    """The existing local store that ``--store`` names."""
    store = opened(path)
    if not isinstance(store, LocalStore) or not store.id:
        raise StoreError(f"there is no store in {store.path}")
    return store


def label(document: Document) -> str:
    """``forest #2  <id>``, safe for a terminal."""
    return f"{text.printable(columns.label(document))}  {document['id']}"


def once(documents: Sequence[Document]) -> list[Document]:
    """Each run once, where several references mean the same."""
    return list({document["id"]: document for document in documents}.values())


def print_json(value: Any) -> None:
    """Indented JSON on stdout."""
    click.echo(dumps(value, pretty=True).decode("utf-8"))


class Progress:
    """A bar on stderr for work that takes over a second, where stderr is a terminal."""

    def __init__(self, total: int, label: str, *, after_s: float = 1.0) -> None:
        self._total, self._label = total, label
        self._begin = time.monotonic() + after_s
        self._done = 0
        self._bar: Any = None
        # A bar between the lines that a terminal is given on stdout would be in their way.
        self._shown = sys.stderr.isatty() and not sys.stdout.isatty()

    def add(self, count: int) -> None:
        """So much more is done."""
        self._done += count
        if self._bar is not None:
            self._bar.update(count)
        elif self._shown and time.monotonic() >= self._begin:
            self._bar = click.progressbar(
                length=max(self._total, self._done), label=self._label, file=sys.stderr
            )
            self._bar.__enter__()
            self._bar.update(self._done)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, problem, traceback)
