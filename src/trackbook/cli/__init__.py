"""The command ``trackbook``: the runs of a store in a terminal.

Exit codes: 0, 1 where something failed, 2 for wrong usage.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import click

from .. import formats, reading
from ..errors import QueryError, TrackbookError
from ..model import flatten
from ..store import Store
from ..views import columns, text
from ..views import edits as changes
from ..views.comparison import input_text
from . import edits, export, importing, replay, ui, upkeep
from .terminal import opened as _opened
from .terminal import print_json as _print_json
from .terminal import store_option as _store_option

_MOST_EDITS = 10
_MOST_ARTIFACTS = 50


class _Usage(click.ClickException):
    exit_code = 2


class _Commands(click.Group):
    """Turns our errors into one line on stderr."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except QueryError as problem:
            raise _Usage(str(problem)) from None
        except TrackbookError as problem:
            raise click.ClickException(str(problem)) from None
        except OSError as problem:
            if isinstance(problem, BrokenPipeError):
                raise  # click ends quietly for `trackbook runs | head`
            raise click.ClickException(str(problem)) from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("trackbook"), prog_name="trackbook")
def trackbook() -> None:
    """Look at the runs that Trackbook kept, and after them."""


@trackbook.command()
@click.argument("where", required=False)
@click.option("--experiment", "-e", help="Only the runs of this experiment.")
@click.option(
    "--sort", default="-started", show_default=True, help="Attributes with commas; - is descending."
)
@click.option("--limit", "-n", type=click.IntRange(min=1), default=50, show_default=True)
@click.option("--archived", is_flag=True, help="The archived runs too.")
@click.option("--json", "as_json", is_flag=True, help="The run documents as JSON.")
@_store_option
def runs(
    where: str | None,
    experiment: str | None,
    sort: str,
    limit: int,
    archived: bool,
    as_json: bool,
    store: str | None,
) -> None:
    """List the runs that match WHERE, such as 'metrics.acc > 0.9 and tags.baseline'."""
    there = _opened(store)
    found = there.find(where, experiment=experiment, sort=sort, archived=archived)
    shown = found[:limit]
    if as_json:
        _print_json(list(shown))
    else:
        click.echo(text.table_text(columns.table(shown, total=len(found))))


@trackbook.command()
@click.argument("ref")
@click.option("--json", "as_json", is_flag=True, help="The run document as JSON.")
@_store_option
def show(ref: str, as_json: bool, store: str | None) -> None:
    """Show the run REF: an id, a unique prefix of one, a name, or latest."""
    there = _opened(store)
    document = there.document(there.resolve(ref))
    if as_json:
        _print_json(document)
    else:
        click.echo(_described(there, document))


@trackbook.command()
@click.argument("refs", nargs=-1, required=True, metavar="REF REF...")
@click.option("--json", "as_json", is_flag=True, help="The comparison as JSON.")
@_store_option
def compare(refs: tuple[str, ...], as_json: bool, store: str | None) -> None:
    """Show what differs between runs, then the diff of their cells."""
    if len(refs) < 2:
        raise click.UsageError("name at least two runs")
    comparison = reading.OpenStore(_opened(store)).compare(*refs)
    if as_json:
        _print_json(comparison.view)
        return
    click.echo(text.comparison_text(comparison.view))
    if comparison.view["diff"]:
        click.echo("\n" + comparison.view["diff"])


@trackbook.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@_store_option
def diff(first: str, second: str, store: str | None) -> None:
    """Show the difference between the cells of two runs."""
    code = reading.OpenStore(_opened(store)).compare(first, second).code()
    click.echo(code or "the cells are the same")


for _command in (
    *edits.COMMANDS,
    export.export,
    *importing.COMMANDS,
    *replay.COMMANDS,
    *upkeep.COMMANDS,
    ui.ui,
):
    trackbook.add_command(_command)


def main() -> None:
    """The entry point of the command."""
    trackbook.main(prog_name="trackbook")


def _described(store: Store, document: dict[str, Any]) -> str:
    """A run as lines: what it was, then params, metrics and artifacts."""
    error = document.get("error")
    made = store.edits(document["id"])
    facts = {
        "id": document["id"],
        "status": document["status"],
        "started": columns.clock(document["started"]),
        "duration": formats.duration(columns.duration(document)),
        "experiment": document["experiment"],
        "notebook": (document.get("notebook") or {}).get("path"),
        "commit": (document.get("git") or {}).get("commit"),
        "error": f"{error['type']}: {error['message']}" if error else None,
        **_death(document.get("death") or {}),
        "tags": ", ".join(f"{k}={v}" if v != "" else k for k, v in document["tags"].items()),
        "note": document.get("note"),
        "imported": _origin(document.get("imported")),
        "edits": changes.summary(made),
    }
    kept = reading.OpenStore(store).get_run(document["id"])
    artifacts = {name: line.get("size") for name, line in kept.artifacts.items()}
    if len(artifacts) > _MOST_ARTIFACTS:
        more = f"… and {len(artifacts) - _MOST_ARTIFACTS} more"
        artifacts = {**dict(list(artifacts.items())[:_MOST_ARTIFACTS]), more: ""}
    inputs = {f"{entry.name}": input_text(entry) for entry in kept.inputs}
    last = {key: entry["last"] for key, entry in document["summary"].items()}
    metrics = {key: value for key, value in last.items() if not formats.of_machine(key)}
    machine = {key: value for key, value in last.items() if formats.of_machine(key)}
    parts = [text.printable(columns.label(document)), _pairs({k: v for k, v in facts.items() if v})]
    sections = {"Params": flatten(document["params"]), "Metrics": metrics, "Inputs": inputs}
    sections["Machine"] = machine
    for title, values in {**sections, "Artifacts (bytes)": artifacts}.items():
        if values:
            parts += ["", title, _pairs(values)]
    if made:
        parts += ["", "Edits", *(_edited(edit) for edit in made[-_MOST_EDITS:])]
    return "\n".join(parts)


def _death(death: dict[str, Any]) -> dict[str, Any]:
    """What is known of the end of a lost run's kernel."""
    step, memory = death.get("last_step") or {}, death.get("memory") or []
    return {
        "death": death.get("cause"),
        "last step": f"{step['key']} at step {step['step']}" if step else None,
        "last memory": f"{formats.number(memory[-1][1])} GB" if memory else None,
    }


def _origin(imported: Any) -> str | None:
    """``from mlflow, there 4f2a...``; None where the run is our own."""
    if not isinstance(imported, dict):
        return None
    return f"from {imported.get('tool')}, there {imported.get('id')} in {imported.get('path')}"


def _edited(edit: dict[str, Any]) -> str:
    who = text.printable(edit["user"])
    return f"  {columns.clock(edit['time'])}  {who}  {changes.line(edit)}"


def _pairs(values: dict[str, Any]) -> str:
    printable = {text.printable(key): value for key, value in values.items()}
    widest = max(map(text.width, printable))
    lines = []
    for key, value in printable.items():
        shown = value if isinstance(value, str) else formats.value(value, 200)
        lines.append(f"  {key}{' ' * (widest - text.width(key))}  {text.printable(shown)}")
    return "\n".join(lines)
