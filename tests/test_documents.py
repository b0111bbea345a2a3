"""Documents that cannot rot, and the repository's own files."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest

import trackbook as tb

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@cache
def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def project() -> dict[str, Any]:
    return tomllib.loads(text("pyproject.toml"))["project"]


# -- what the code gives is written down -----------------------------------------------------------


def test_the_references_say_what_the_code_says() -> None:
    written = subprocess.run(
        [sys.executable, ".ci/reference.py", "--print"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name, page in json.loads(written).items():
        assert text(f"docs/{name}") == page, f"docs/{name} is stale: run `make docs`"


def test_every_command_has_help_and_a_place_in_the_reference() -> None:
    from trackbook.cli import trackbook

    assert [name for name, command in trackbook.commands.items() if not command.help] == []
    assert [
        name for name in trackbook.commands if f"## trackbook {name}" not in text("docs/cli.md")
    ] == []


def test_every_magic_subcommand_is_documented() -> None:
    from trackbook.magics import SUBCOMMANDS

    assert [name for name in SUBCOMMANDS if f"`%track {name}" not in text("docs/magics.md")] == []


def test_every_chart_is_documented() -> None:
    from trackbook.views.charts import CHARTS

    assert [name for name in CHARTS if f"`{name}`" not in text("docs/extending.md")] == []


def dependencies() -> list[str]:
    """What a plain installation brings, and what the front end bundles."""
    python = [re.split(r"[^A-Za-z0-9_-]", line)[0] for line in project()["dependencies"]]
    return sorted([*python, *json.loads(text("package.json"))["jupyterlab"]["sharedPackages"]])


@pytest.mark.parametrize("dependency", dependencies())
def test_every_dependency_has_its_reason(dependency: str) -> None:
    assert f"`{dependency}`" in text("docs/decisions.md")


def links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            yield page, target


def test_links_lead_to_files_that_are_there() -> None:
    broken = [
        f"{page.name}: {target}"
        for page, target in links()
        if "://" not in target
        and not target.startswith("#")
        and not (page.parent / target.partition("#")[0]).exists()
    ]
    assert broken == []


# -- notebooks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs_and_as_nbformat_writes_it(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert nbformat.writes(notebook).rstrip("\n") == path.read_text(encoding="utf-8").rstrip("\n")


# -- the repository's own files --------------------------------------------------------------------


def test_the_version_stands_in_one_place() -> None:
    version = json.loads(text("package.json"))["version"]
    assert importlib.metadata.version("trackbook") == version
    assert tb.__version__ == version
    assert "version" in project()["dynamic"]
    sources = (ROOT / "src").rglob("*.py")
    assert [path for path in sources if f'"{version}"' in path.read_text(encoding="utf-8")] == []


def test_the_licence_is_there_in_full() -> None:
    assert project()["license"] == "Apache-2.0"
    assert project()["license-files"] == ["LICENSE"]
    licence = text("LICENSE")
    assert "Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


def test_the_lock_file_names_no_host() -> None:
    def addresses(value: Any, key: str = "") -> Iterator[str]:
        if isinstance(value, dict):
            for name, inner in value.items():
                yield from addresses(inner, name)
        elif isinstance(value, list):
            for inner in value:
                yield from addresses(inner, key)
        elif isinstance(value, str) and "://" in value:
            yield f"{key}: {value}"

    packages = json.loads(text("package-lock.json"))["packages"]
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    for entry in packages.values():
        about = {k: v for k, v in entry.items() if k not in ("funding", "deprecated", "license")}
        assert list(addresses(about)) == []


def test_the_readme_and_ci_call_the_same_command() -> None:
    assert "make test" in text("README.md")
    assert "make demo" in text("README.md")
    assert "make test </dev/null\nexec make floor" in text(".ci/run")
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
