"""Write ``docs/cli.md`` and ``docs/api.md`` from help and docstrings; ``--print``: as JSON."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

import trackbook
from trackbook.capture.live import ActiveRun
from trackbook.cli import trackbook as command_line
from trackbook.reading import Comparison, OpenStore, Run, Runs

DOCS = Path(__file__).resolve().parent.parent / "docs"
WRITTEN_BY = "<!-- Written by `make docs`; change the code instead. -->"
CLASSES = (ActiveRun, Run, Runs, Comparison, OpenStore)
GROUPS = {
    "Running": "start_run end_run active_run set_experiment set_store autolog",
    "Logging": "log_param log_params log_metric log_metrics log_artifact log_artifacts log_text"
    " log_dict log_table log_figure log_image log_model log_input set_tag set_tags set_note",
    "Reading": "runs search_runs get_run compare open_store",
}


def pages() -> dict[str, str]:
    """File name to text."""
    return {"api.md": api(), "cli.md": cli()}


def cli() -> str:
    """Every command with its help, as a terminal shows it."""
    context = click.Context(
        command_line, info_name="trackbook", terminal_width=90, **command_line.context_settings
    )
    parts = [WRITTEN_BY, "# The `trackbook` command", fenced(command_line.get_help(context))]
    for name, command in sorted(command_line.commands.items()):
        inner = click.Context(command, parent=context, info_name=name, terminal_width=90)
        parts += [f"## trackbook {name}", fenced(command.get_help(inner))]
    return "\n\n".join(parts) + "\n"


def fenced(body: str) -> str:
    """As a code block, without the blanks that click leaves at line ends."""
    return "```text\n" + "\n".join(line.rstrip() for line in body.splitlines()) + "\n```"


def api() -> str:
    """Every exported name with its signature and the first sentence of its docstring."""
    parts = [WRITTEN_BY, "# The Python interface", "`import trackbook as tb`"]
    names = {name for name in trackbook.__all__ if not name.startswith("_")}
    for title, listed in GROUPS.items():
        here = [name for name in listed.split() if name in names]
        names -= set(here)
        parts += [f"## {title}", "\n".join(function(name) for name in here)]
    for kind in CLASSES:
        parts += [f"## `{kind.__name__}`", first_sentence(kind), "\n".join(members(kind))]
    lines = (f"- `tb.{name}`: {first_sentence(getattr(trackbook, name))}" for name in sorted(names))
    parts += ["## Errors", "\n".join(lines)]
    return "\n\n".join(part for part in parts if part) + "\n"


def function(name: str) -> str:
    """One line: ``- `tb.name(arguments)`: what it gives``."""
    value = getattr(trackbook, name)
    return f"- `tb.{name}{signature(value)}`: {first_sentence(value)}"


def members(value: type) -> Iterator[str]:
    """A line for each public method and property, those of Python's own protocols left out."""
    for name, member in sorted(inspect.getmembers_static(value)):
        if name.startswith("_") or not (inspect.getdoc(member) or "").strip():
            continue
        if isinstance(member, property):
            yield f"- `.{name}`: {first_sentence(member)}"
        elif inspect.isfunction(member):
            yield f"- `.{name}{signature(member)}`: {first_sentence(member)}"


def signature(value: Any) -> str:
    """The arguments with their defaults, without types and ``self``."""
    found = inspect.signature(value)
    plain = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in found.parameters.items()
        if name != "self"
    ]
    return str(found.replace(parameters=plain, return_annotation=inspect.Signature.empty))


def first_sentence(value: Any) -> str:
    """The docstring's first sentence on one line."""
    return re.sub(r"\s+", " ", (inspect.getdoc(value) or "").split("\n\n")[0]).replace("``", "`")


def main() -> None:
    """Write the pages, or print them for the test that compares."""
    if "--print" in sys.argv[1:]:
        print(json.dumps(pages()))
        return
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
