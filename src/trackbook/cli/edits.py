"""The commands by which people change a run after the fact; each can be undone."""

from __future__ import annotations

import sys
from typing import Any

import click

from ..errors import RunNotFound, StoreError
from ..model import Document
from ..reading import Run
from ..store import LocalStore, Store, selection
from ..views import edits as views
from .terminal import label, local, once, store_option


@click.command()
@click.argument("ref")
@click.argument("tags", nargs=-1, metavar="[TAG[=VALUE]]...")
@click.option("--remove", "-r", multiple=True, metavar="TAG", help="Take this tag off.")
@store_option
def tag(ref: str, tags: tuple[str, ...], remove: tuple[str, ...], store: str | None) -> None:
    """Tag the run REF, or take tags off.

    A value is text, as with `%track tag`.
    """
    change: dict[str, Any] = {}
    for word in tags:
        key, _, value = word.partition("=")
        change[key] = value
    change.update(dict.fromkeys(remove))
    if not change or "" in change:
        raise click.UsageError("name tags as TAG or TAG=VALUE, or --remove TAG")
    _edit(local(store), ref, tags=change)


@click.command()
@click.argument("ref")
@click.argument("name")
@store_option
def rename(ref: str, name: str, store: str | None) -> None:
    """Give the run REF another name; its number stays."""
    _edit(local(store), ref, name=name)


@click.command()
@click.argument("ref")
@click.argument("markdown")
@store_option
def note(ref: str, markdown: str, store: str | None) -> None:
    """Replace the note of the run REF; - reads it from standard input."""
    if markdown == "-":
        markdown = sys.stdin.read()
    _edit(local(store), ref, note=markdown)


def _edit(store: LocalStore, ref: str, **change: Any) -> None:
    run_id = store.resolve(ref)
    before = len(store.edits(run_id))
    store.edit(run_id, change)
    _print_last(store, run_id, before)


def _print_last(store: Store, run_id: str, before: int) -> None:
    """The run, and the edits since there were so many."""
    document = store.document(run_id)
    for edit in store.edits(run_id)[before:]:
        click.echo(f"{label(document)}  {views.line(edit)}")


@click.command()
@click.argument("ref")
@click.option(
    "--status",
    type=click.Choice(["finished", "failed", "interrupted"]),
    default="interrupted",
    show_default=True,
)
@store_option
def end(ref: str, status: str, store: str | None) -> None:
    """Close the run REF, which is lost: its kernel died or was killed.

    To go on with it instead: `tb.start_run(run_id=...)`.
    """
    _edit(local(store), ref, status=status)


@click.command()
@click.argument("refs", nargs=-1, required=True, metavar="REF...")
@click.option("--undo", is_flag=True, help="Bring archived runs back.")
@store_option
def archive(refs: tuple[str, ...], undo: bool, store: str | None) -> None:
    """Put runs aside: out of the lists, but not in the trash.

    With --undo a name means the newest archived run of that name.
    """
    _switch(local(store), refs, "archived", on=not undo)


@click.command()
@click.argument("refs", nargs=-1, required=True, metavar="REF...")
@click.option("--undo", is_flag=True, help="Take the star away.")
@store_option
def star(refs: tuple[str, ...], undo: bool, store: str | None) -> None:
    """Star runs, as in the panel.

    With --undo a name means the newest starred run of that name.
    """
    _switch(local(store), refs, "star", on=not undo)


def _switch(store: LocalStore, refs: tuple[str, ...], key: str, *, on: bool) -> None:
    # All of them are found before the first is changed.
    found = [_meant(store, ref, key, on=on) for ref in refs]
    for document in once(found):
        before = len(store.edits(document["id"]))
        store.edit(document["id"], {key: on})
        _print_last(store, document["id"], before)


def _meant(store: LocalStore, ref: str, key: str, *, on: bool) -> Document:
    """The run of a reference; to take a switch off, one where it is on."""
    if on:
        return store.document(store.resolve(ref))
    switched = store.find(key, archived=True)
    try:
        return store.document(selection.resolve(ref, switched))
    except RunNotFound:
        document = store.document(store.resolve(ref))
        word = "archived" if key == "archived" else "starred"
        raise StoreError(f"{label(document)} is not {word}") from None


@click.command()
@click.argument("ref")
@click.option("-n", "number", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--redo", is_flag=True, help="Take the last undo back instead.")
@store_option
def undo(ref: str, number: int, redo: bool, store: str | None) -> None:
    """Undo the last edit of the run REF, or the last so many.

    An undo is an edit too: nothing is removed from the history, which `trackbook show` tells. Every
    other edit stays as it is. A run in the trash comes back where its deletion is undone.
    """
    there = local(store)
    run_id = there.resolve(ref)
    before = len(there.edits(run_id))
    run = Run(there, there.document(run_id))
    if redo:
        run.redo()
    else:
        run.undo(number)
    _print_last(there, run_id, before)


COMMANDS: tuple[click.Command, ...] = (tag, rename, note, end, archive, star, undo)
