"""The commands that look after a local store: the trash, what is not needed, other stores."""

from __future__ import annotations

import dataclasses
from typing import Any

import click

from .. import formats
from ..errors import StoreError
from ..model import Document
from ..store import LocalStore
from ..store.upkeep import doctor as doctoring
from ..store.upkeep import merge as merging
from ..store.upkeep import purge as purging
from ..store.upkeep import sweep
from ..views import disk, text
from .terminal import label, local, once, opened, print_json, store_option

_JSON = click.option("--json", "as_json", is_flag=True, help="The same as JSON.")


@click.command()
@click.argument("refs", nargs=-1, required=True, metavar="REF...")
@store_option
def rm(refs: tuple[str, ...], store: str | None) -> None:
    """Move runs to the trash.

    `trackbook restore` brings them back, `trackbook purge` removes them for good.
    """
    _edit(local(store), refs, deleted=True)


@click.command()
@click.argument("refs", nargs=-1, required=True, metavar="REF...")
@store_option
def restore(refs: tuple[str, ...], store: str | None) -> None:
    """Bring runs back from the trash.

    A name means the newest run of that name in the trash.
    """
    _edit(local(store), refs, deleted=False)


def _edit(store: LocalStore, refs: tuple[str, ...], *, deleted: bool) -> None:
    if deleted:
        found = [store.document(store.resolve(ref)) for ref in refs]
    else:
        found = [purging.in_trash(store, ref) for ref in refs]
    for document in once(found):
        store.edit(document["id"], {"deleted": deleted})
        click.echo(f"{label(document)} {'is in the trash' if deleted else 'is back'}")


@click.command()
@click.argument("refs", nargs=-1, metavar="[REF...]")
@click.option("--all", "everything", is_flag=True, help="Every run in the trash.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="As JSON; asks nothing, so with --yes.")
@store_option
def purge(
    refs: tuple[str, ...], everything: bool, yes: bool, as_json: bool, store: str | None
) -> None:
    """Remove runs that are in the trash from disk, for good.

    Shows the names and bytes first, and asks. Without REF and --all it only lists the trash. The
    files that the runs kept (artifacts, cells) go with the next `trackbook gc`.
    """
    if refs and everything:
        raise click.UsageError("name runs or say --all, not both")
    listing = not refs and not everything
    if as_json and not yes and not listing:
        raise click.UsageError("--json asks nothing: say --yes too")
    there = local(store)
    found = once([purging.in_trash(there, ref) for ref in refs]) if refs else list(there.trash())
    if not listing:
        found = _at_rest(there, found, everything)
    sizes = {document["id"]: purging.size(there, document["id"]) for document in found}
    if not as_json:
        _print_trash(found, sizes, listing)
    if not listing and found and not yes:
        click.confirm("Remove for good?", abort=True)
    purged = [] if listing else found
    for document in purged:
        purging.purge(there, document["id"])
    if as_json:
        print_json([_entry(document, sizes, not listing) for document in found])
    elif purged:
        click.echo(f"purged {_runs(len(purged))}, {formats.size(sum(sizes.values()))}")


def _at_rest(store: LocalStore, found: list[Document], everything: bool) -> list[Document]:
    """Without the runs that are still running; named ones are an error before any goes."""
    running = [document for document in found if purging.is_running(store, document["id"])]
    for document in running:
        said = f"{label(document)} is still running: end it there first"
        if not everything:
            raise StoreError(said)
        click.echo(f"{said}; it stays", err=True)
    return [document for document in found if document not in running]


def _print_trash(found: list[Document], sizes: dict[str, int], listing: bool) -> None:
    if not found:
        click.echo("the trash is empty")
        return
    for document in found:
        click.echo(f"{label(document)}  {formats.size(sizes[document['id']])}")
    if listing:
        click.echo(
            f"{_runs(len(found))} in the trash, {formats.size(sum(sizes.values()))}; "
            "`trackbook purge --all` removes them for good"
        )


def _entry(document: Document, sizes: dict[str, int], purged: bool) -> dict[str, Any]:
    keys = ("id", "name", "number", "experiment", "started")
    entry = {key: document[key] for key in keys}
    return {**entry, "bytes": sizes[document["id"]], "purged": purged}


@click.command()
@click.option("--dry-run", is_flag=True, help="Only show what would go.")
@_JSON
@store_option
def gc(dry_run: bool, as_json: bool, store: str | None) -> None:
    """Remove what no run needs, and show what takes the space.

    These are the blobs (artifacts, cells, snapshots) that no run names, and what processes left
    that were killed. Nothing younger than a day goes, and no blob while a run or a file cannot be
    read: it may be the one that needs it. Shows the bytes by kind and the largest runs.
    """
    there = local(store)
    found = sweep.survey(there)
    largest = sweep.largest(there, found)
    freed = 0 if dry_run else sweep.sweep(there, found)
    if as_json:
        print_json(_survey(found, largest, freed))
    else:
        click.echo(disk.disk_text(found.kinds, largest) + "\n")
        click.echo(disk.outcome(found, None if dry_run else freed))
    _complain(found.problems, "no blob was removed, because a run may need it:")


def _survey(found: sweep.Survey, largest: list[dict[str, Any]], freed: int) -> dict[str, Any]:
    unneeded = [
        {"path": str(entry.path), "kind": entry.kind, "bytes": entry.bytes}
        for entry in found.removable()
    ]
    return {
        "kinds": found.kinds,
        "largest": largest,
        "unneeded": unneeded,
        "freed": freed,
        "problems": found.problems,
    }


def _complain(problems: list[str], why: str) -> None:
    """Say on stderr what is wrong, and end with 1; nothing where nothing is."""
    if problems:
        raise click.ClickException("\n  ".join([why, *problems]))


@click.command()
@click.argument("other", type=click.Path(exists=True, file_okay=False))
@_JSON
@store_option
def merge(other: str, as_json: bool, store: str | None) -> None:
    """Copy the runs of another store into this one.

    The files that they kept come too. OTHER is a store or a folder that holds one; it is only
    read. What is here already is never overwritten, so doing it again is safe. Runs that are still
    running there are left out.
    """
    here, there = opened(store), local(other)
    if not isinstance(here, LocalStore):
        raise StoreError("only a local store can take runs in")
    done = merging.merge(here, there)
    if as_json:
        print_json(dataclasses.asdict(done))
    else:
        click.echo(
            f"copied {_runs(len(done.copied))} and {done.blobs} of their files, "
            f"{formats.size(done.bytes)}; {len(done.present)} already here"
        )
        for run_id in done.running:
            click.echo(f"{run_id} is still running there: left out")
    _complain(done.problems, "some runs were not copied:")


@click.command()
@click.option("--deep", is_flag=True, help="Read every kept file and compare its hash too.")
@click.option("--repair", is_flag=True, help="Rebuild the index from the runs first.")
@_JSON
@store_option
def doctor(deep: bool, repair: bool, as_json: bool, store: str | None) -> None:
    """Check that the store is whole.

    Lists what is not, each with a cure. Ends with 1 where there are problems. Only --repair changes
    anything, and only the index, which is derived from the runs.
    """
    there = local(store)
    if repair:
        doctoring.repair(there)
    problems = doctoring.examine(there, deep=deep)
    runs = doctoring.count(there)
    if as_json:
        found = [dataclasses.asdict(problem) for problem in problems]
        print_json({"runs": runs, "repaired": repair, "problems": found})
    else:
        for problem in problems:
            click.echo(text.printable(f"{problem.where}: {problem.what}"))
            click.echo(f"    cure: {problem.cure}")
        several = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        click.echo(f"{several if problems else 'no problems'} in {_runs(runs)}")
    if problems:
        click.get_current_context().exit(1)


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


COMMANDS: tuple[click.Command, ...] = (rm, restore, purge, gc, merge, doctor)
