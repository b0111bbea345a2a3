"""The command ``trackbook``: the runs of a store in a terminal.

Exit codes: 0, 1 where something failed, 2 for wrong usage.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from .. import formats, reading
from ..errors import QueryError, TrackbookError
from ..jsonable import dumps, encode
from ..model import flatten
from ..store import Store
from ..views import columns, text
from . import upkeep
from .terminal import opened as _opened
from .terminal import print_json as _print_json
from .terminal import store_option as _store_option


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
@click.option("--sort", default="-started", show_default=True, help="Attribute; - is descending.")
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
        _print_json(shown)
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
@click.argument("where", required=False)
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv")
@click.option("--metrics", is_flag=True, help="Every point of every metric, not one row a run.")
@click.option("--output", "-o", type=click.Path(dir_okay=False), help="A file (default: stdout).")
@click.option("--experiment", "-e", help="Only the runs of this experiment.")
@click.option("--archived", is_flag=True, help="The archived runs too.")
@_store_option
def export(
    where: str | None,
    form: str,
    metrics: bool,
    output: str | None,
    experiment: str | None,
    archived: bool,
    store: str | None,
) -> None:
    """Write the runs that match WHERE as CSV or JSON."""
    there = _opened(store)
    found = there.find(where, experiment=experiment, sort="started", archived=archived)
    if metrics:
        records = list(_points(there, found))
    else:
        records = [columns.flat(document) for document in found]
    data = dumps(records, pretty=True) + b"\n" if form == "json" else _csv(records, metrics)
    if output is None or output == "-":
        click.echo(data, nl=False)
    else:
        Path(output).write_bytes(data)


for _command in upkeep.COMMANDS:
    trackbook.add_command(_command)


def main() -> None:
    """The entry point of the command."""
    trackbook.main(prog_name="trackbook")


def _described(store: Store, document: dict[str, Any]) -> str:
    """A run as lines: what it was, then params, metrics and artifacts."""
    error = document.get("error")
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
    }
    artifacts = {line["name"]: line["size"] for line in store.records(document["id"], "artifacts")}
    last = {key: entry["last"] for key, entry in document["summary"].items()}
    metrics = {key: value for key, value in last.items() if not formats.of_machine(key)}
    machine = {key: value for key, value in last.items() if formats.of_machine(key)}
    parts = [columns.label(document), _pairs({k: v for k, v in facts.items() if v})]
    sections = {"Params": flatten(document["params"]), "Metrics": metrics, "Machine": machine}
    for title, values in {**sections, "Artifacts (bytes)": artifacts}.items():
        if values:
            parts += ["", title, _pairs(values)]
    return "\n".join(parts)


def _death(death: dict[str, Any]) -> dict[str, Any]:
    """What is known of the end of a lost run's kernel."""
    step, memory = death.get("last_step") or {}, death.get("memory") or []
    return {
        "death": death.get("cause"),
        "last step": f"{step['key']} at step {step['step']}" if step else None,
        "last memory": f"{formats.number(memory[-1][1])} GB" if memory else None,
    }


def _pairs(values: dict[str, Any]) -> str:
    widest = max(text.width(key) for key in values)
    lines = []
    for key, value in values.items():
        shown = value if isinstance(value, str) else formats.value(value, 200)
        lines.append(f"  {key}{' ' * (widest - text.width(key))}  {text.printable(shown)}")
    return "\n".join(lines)


def _points(store: Store, documents: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for document in documents:
        for key, points in store.points(document["id"]).items():
            arrays = (points.step.tolist(), points.time.tolist(), points.value.tolist())
            for step, time, value in zip(*arrays, strict=True):
                yield {
                    "run_id": document["id"],
                    "key": key,
                    "step": step,
                    "time": time,
                    "value": value,
                }


def _csv(records: list[dict[str, Any]], metrics: bool) -> bytes:
    empty = columns.POINT_FIELDS if metrics else columns.FIELDS
    keys = list(dict.fromkeys([*empty, *columns.grouped(records)]))
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, keys, lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow({key: _field(value) for key, value in record.items()})
    return buffer.getvalue().encode("utf-8", "surrogatepass")


def _field(value: Any) -> Any:
    if isinstance(value, list | dict):
        return dumps(encode(value)).decode("utf-8")
    return "" if value is None else value
