"""The command ``export``: runs or their points as a file, written row by row."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from ..model import Document
from ..store import Store, os_calls
from ..views import columns
from . import tables
from .terminal import Progress, opened, store_option

_CHUNK = 10_000
_SUFFIXES = {**{f".{form}": form for form in tables.WRITERS}, ".ndjson": "jsonl", ".pq": "parquet"}


@click.command()
@click.argument("where", required=False)
@click.option("--format", "form", type=click.Choice(list(tables.WRITERS)), help="Default: csv.")
@click.option("--metrics", is_flag=True, help="Every point of every metric, not one row a run.")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False),
    help="A file (default: stdout); its suffix tells the format too.",
)
@click.option("--experiment", "-e", help="Only the runs of this experiment.")
@click.option("--archived", is_flag=True, help="The archived runs too.")
@store_option
def export(
    where: str | None,
    form: str | None,
    metrics: bool,
    output: str | None,
    experiment: str | None,
    archived: bool,
    store: str | None,
) -> None:
    """Write the runs that match WHERE as CSV, JSON, JSON lines or Parquet.

    The oldest run comes first. A file is replaced whole when all of it is written, or stays as it
    was. Parquet needs `pip install "trackbook[parquet]"`.
    """
    output = None if output == "-" else output
    form = form or _format_of(output)
    there = opened(store)
    found = there.find(where, experiment=experiment, sort="started", archived=archived)
    write = tables.WRITERS[form]
    if form == "parquet" and output is None:
        raise click.UsageError("parquet goes to a file: name one with -o")
    total = _points(found) if metrics else len(found)
    with Progress(total, "Exporting") as progress, _sink(output) as sink:
        if metrics:
            write(sink, tables.Table(columns.POINT_FIELDS, _point_chunks(there, found, progress)))
        else:
            write(sink, tables.Table(_fields(found), _run_chunks(found, progress)))


def _format_of(output: str | None) -> str:
    suffix = Path(output or "").suffix.lower()
    if suffix and suffix not in _SUFFIXES:
        known = ", ".join(_SUFFIXES)
        raise click.UsageError(f"-o: {suffix} tells no format ({known} do); say --format")
    return _SUFFIXES.get(suffix, "csv")


# -- what is written -------------------------------------------------------------------------------


def _points(documents: Sequence[Document]) -> int:
    return sum(
        int(entry.get("count", 0))
        for document in documents
        for entry in document["summary"].values()
    )


def _fields(documents: Sequence[Document]) -> tuple[str, ...]:
    keys = dict.fromkeys(key for document in documents for key in columns.flat(document))
    return (*columns.FIELDS, *columns.grouped([keys]))


def _run_chunks(
    documents: Sequence[Document], progress: Progress
) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(documents), _CHUNK):
        chunk = documents[start : start + _CHUNK]
        yield [columns.flat(document) for document in chunk]
        progress.add(len(chunk))


def _point_chunks(
    store: Store, documents: Sequence[Document], progress: Progress
) -> Iterator[list[dict[str, Any]]]:
    for document in documents:
        run_id = document["id"]
        for key, points in store.points(run_id).items():
            for start in range(0, len(points.step), _CHUNK):
                parts = (array[start : start + _CHUNK].tolist() for array in points)
                rows = [
                    {"run_id": run_id, "key": key, "step": step, "time": time, "value": value}
                    for step, time, value in zip(*parts, strict=True)
                ]
                yield rows
                progress.add(len(rows))


# -- where it goes ---------------------------------------------------------------------------------


@contextmanager
def _sink(output: str | None) -> Iterator[IO[bytes]]:
    """Where the bytes go; a file takes the place of the old one at the end, or not at all."""
    if output is None:
        yield sys.stdout.buffer
        return
    path = Path(os.path.realpath(output))
    if not path.parent.is_dir():
        raise click.ClickException(f"there is no folder {path.parent}; make it first")
    try:
        if path.exists() and not path.is_file():  # a device or a pipe
            with path.open("wb") as file:
                yield file
            return
        with _beside(path) as file:
            yield file
    except OSError as problem:
        why = problem.strerror or str(problem)
        raise click.ClickException(f"{output} cannot be written: {why}; it is as it was") from None


@contextmanager
def _beside(path: Path) -> Iterator[IO[bytes]]:
    temporary = os_calls.temporary_beside(path)
    try:
        with os_calls.new_file(temporary) as file:
            yield file
            os_calls.sync_file(file)
        if path.exists():
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    finally:
        os_calls.remove(temporary)
