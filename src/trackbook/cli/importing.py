"""The command ``import``: runs of other trackers."""

from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path
from typing import Any

import click

from ..errors import StoreError
from ..importing import Brought, Source, bring, source_at
from ..store import LocalStore
from ..views import text
from .terminal import opened, print_json, store_option


@click.command("import")
@click.argument("path")
@click.option("--experiment", "-e", metavar="PREFIX", help="Put PREFIX/ before each experiment.")
@click.option(
    "--artifacts",
    multiple=True,
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False),
    help="Where artifacts lie too; else only those below PATH are taken.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be imported.")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
@store_option
def import_(
    path: str,
    experiment: str | None,
    artifacts: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
    store: str | None,
) -> None:
    """Take the runs of MLflow or Sacred over into this store.

    PATH is an mlruns folder or mlflow.db of MLflow, or what Sacred's FileStorageObserver or
    TinyDbObserver wrote. It is only read, and neither tool has to be installed. Doing it again
    adds what is new and brings runs up to date that have grown.
    """
    here = opened(store)
    if not isinstance(here, LocalStore):
        raise StoreError("only a local store can take runs in")
    source = source_at(path, [Path(folder) for folder in artifacts])
    bar = _Bar()
    try:
        done = bring(here, source, prefix=experiment or "", dry_run=dry_run, progress=bar.reach)
    finally:
        bar.end()
    if as_json:
        print_json({"tool": source.tool, "dry_run": dry_run, **dataclasses.asdict(done)})
    else:
        click.echo(_summary(source, done, dry_run))
    if done.problems:
        several = "1 run" if len(done.problems) == 1 else f"{len(done.problems)} runs"
        lines = [f"{several} could not be read:", *map(text.printable, done.problems)]
        raise click.ClickException("\n  ".join(lines))


class _Bar:
    """A bar on stderr once it takes over a second, where stderr is a terminal."""

    def __init__(self) -> None:
        self._begin = time.monotonic() + 1.0
        self._bar: Any = None

    def reach(self, done: int, total: int) -> None:
        """So many of so many runs are done."""
        if self._bar is None and sys.stderr.isatty() and time.monotonic() >= self._begin:
            self._bar = click.progressbar(length=total, label="importing", file=sys.stderr)
            self._bar.__enter__()
        if self._bar is not None:
            self._bar.update(done - self._bar.pos)

    def end(self) -> None:
        """Leave the terminal in order."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)


def _summary(source: Source, done: Brought, dry_run: bool) -> str:
    count = len(done.imported)
    said = f"{'would import' if dry_run else 'imported'} {count} run{'' if count == 1 else 's'}"
    said += f" from {source.title}"
    if done.updated:
        said += f", {'would bring' if dry_run else 'brought'} {len(done.updated)} up to date"
    if done.present:
        said += f", {len(done.present)} {'was' if len(done.present) == 1 else 'were'} there already"
    if done.gaps:
        said += (
            f"\n{done.gaps} thing{'' if done.gaps == 1 else 's'} did not come over; "
            "`trackbook show REF --json` tells under capture"
        )
    return said


COMMANDS: tuple[click.Command, ...] = (import_,)
