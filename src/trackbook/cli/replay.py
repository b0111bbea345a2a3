"""The commands that make a run again: its recipe, and its replay."""

from __future__ import annotations

import ast
import sys
from typing import Any

import click

from ..errors import UntrustedRun
from ..reading import OpenStore, Run
from ..replay.verdict import Verdict
from ..views import text
from .terminal import local, print_json, store_option


@click.command()
@click.argument("ref")
@click.option(
    "--output", "-o", metavar="FILE", help="Write it there, as a notebook (.ipynb) or script (.py)."
)
@click.option("--dropped", is_flag=True, help="The cells that are left out too, with the reason.")
@click.option("--full", is_flag=True, help="The whole log of the session up to the run.")
@store_option
def recipe(ref: str, output: str | None, dropped: bool, full: bool, store: str | None) -> None:
    """Show the cells that made the run REF, each with the reason why it is kept."""
    found = OpenStore(local(store)).get_run(ref).recipe(full=full)
    if output is None:
        click.echo(_printable(found.explain(dropped=dropped)))
    else:
        click.echo(f"{found.save(output)}: {len(found.cells)} cells")


@click.command()
@click.argument("ref")
@click.option(
    "--param", "-p", "given", multiple=True, metavar="K=V", help="Another value: a new run."
)
@click.option("--secret", multiple=True, metavar="NAME", help="Ask for the value of this secret.")
@click.option("--allow-writes", is_flag=True, help="Let it write elsewhere and start programs.")
@click.option("--trust", is_flag=True, help="Run code that was not recorded here without asking.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds it may take.")
@click.option("--memory", type=click.FloatRange(min=0, min_open=True), help="GB it may take.")
@click.option("--full", is_flag=True, help="Replay the whole log, not the cells that mattered.")
@click.option("--json", "as_json", is_flag=True, help="The verdict as JSON.")
@store_option
def replay(
    ref: str,
    given: tuple[str, ...],
    secret: tuple[str, ...],
    as_json: bool,
    store: str | None,
    **wishes: Any,
) -> None:
    """Run the run REF again in a fresh kernel, and say whether its result holds.

    Exit code 0: reproduced (or the new run of --param was made); 1: anything else.
    """
    run = OpenStore(local(store)).get_run(ref)
    wishes["secrets"] = {name: click.prompt(name, hide_input=True, err=True) for name in secret}
    if given:
        made = _replay(run, {**wishes, "params": dict(map(_param, given))})
        click.echo(f"{made.name} #{made.number}  {made.id}")
        return
    verdict: Verdict = _replay(run, wishes)
    if as_json:
        print_json(verdict.plain())
    else:
        click.echo(_printable(str(verdict)))
    if verdict.status != "reproduced":
        sys.exit(1)


def _replay(run: Run, wishes: dict[str, Any]) -> Any:
    try:
        return run.replay(**wishes)
    except UntrustedRun as problem:
        if not sys.stdin.isatty():
            raise
        click.echo(_printable(problem.code), err=True)
        click.confirm(f"{run.name} was not recorded here. Run this code?", abort=True, err=True)
        return run.replay(**{**wishes, "trust": True})


def _param(word: str) -> tuple[str, Any]:
    key, equals, value = word.partition("=")
    if not key or not equals:
        raise click.UsageError(f"--param takes K=V, not {word!r}")
    try:
        return key, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return key, value


def _printable(lines: str) -> str:
    return "\n".join(map(text.printable, lines.split("\n")))


COMMANDS = (recipe, replay)
