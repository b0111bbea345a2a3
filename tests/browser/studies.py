"""Stores of many runs beside a notebook, and the table that shows them."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
from lab import Lab
from playwright.sync_api import Locator, expect

from trackbook import settings
from trackbook.store import Store, open_store

sys.path.insert(0, str(Path(__file__).parent.parent))
from runs import write

# So many are written as a kernel does it, which takes its time for safety on the disk.
COPIED = 100
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
IN_SIGHT = """
body => {
  const box = body.parentElement.getBoundingClientRect();
  return [...body.querySelectorAll('[data-run-id]')]
    .map(row => ({ row, at: row.getBoundingClientRect() }))
    .filter(({ at }) => at.top >= box.top + 28 && at.bottom <= box.bottom)
    .sort((a, b) => a.at.top - b.at.top)
    .map(({ row }) => row.querySelector('.tb-Name-text').textContent);
}
"""
Study = Callable[..., tuple[Store, str]]


def maker(project: Path, name: str) -> Study:
    """A folder with a store of so many runs and a notebook; the panel follows the notebook."""

    def make(count: int = 12) -> tuple[Store, str]:
        folder = project / name.removeprefix("test_")[:40]
        folder.mkdir()
        store = open_store(folder / ".trackbook", create=True)
        assert store.path is not None
        settings.register(store.id, store.path)
        for n in range(min(count, COPIED)):
            add(store, n)
        first = next(store.path.glob("runs/*/*"), folder)
        for n in range(COPIED, count):
            copy(first, n)
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
        new = nbformat.v4.new_notebook(metadata=kernel)
        new.cells = [nbformat.v4.new_code_cell("")]
        nbformat.write(new, folder / "work.ipynb")
        return store, f"{folder.name}/work.ipynb"

    return make


def add(store: Store, n: int, name: str = "") -> str:
    """A run; every third has the same params but for the seed."""
    depth, seed = 2 + n // 3 % 4, n % 3
    accuracy = 0.8 + depth / 50 + seed / 500
    return write(
        store,
        name or f"run{n}",
        params={"depth": depth, "seed": seed, "trees": 300},
        metrics={"acc": [accuracy], "loss": [1 / (step + 1) + seed for step in range(8)]},
        experiment=("study/deep", "study/wide", "other")[n % 3],
        started=1_795_000_000.0 + n,
        series=name or f"run{n}",
        number=1,
        headline="acc",
    )


def copy(first: Path, n: int) -> None:
    """One more run, as a copy of another's folder, which is always valid."""
    run_id = f"{first.name[:-10]}{''.join(_LETTERS[n // 26**at % 26] for at in range(10))}"
    document = json.loads((first / "run.json").read_bytes())
    depth = 2 + n % 5
    document.update(
        id=run_id,
        name=f"run{n}",
        series=f"run{n}",
        started=document["started"] + n,
        ended=document["ended"] + n,
        params={"depth": depth, "seed": n % 7, "trees": 300},
    )
    document["summary"]["acc"]["last"] = 0.8 + depth / 50 + n % 97 / 1000
    shutil.copytree(first, first.with_name(run_id))
    (first.with_name(run_id) / "run.json").write_text(json.dumps(document), encoding="utf-8")


def names(table: Locator) -> list[str]:
    """The names of the rows in sight, from top to bottom."""
    found: list[str] = table.locator(".tb-Table-body").evaluate(IN_SIGHT)
    return found


def show(lab: Lab, path: str, count: int) -> Locator:
    """Open the notebook; the panel shows its runs."""
    lab.open(path)
    expect(lab.panel.locator(".tb-Count")).to_have_text(f"{count} runs")
    return lab.panel.get_by_role("grid")


def wide(lab: Lab) -> Locator:
    """The table in a tab of its own."""
    lab.command("trackbook:open-table")
    tab = lab.page.locator("#trackbook-table")
    expect(tab.locator("[data-run-id]").first).to_be_visible()
    return tab


def edits(store: Store, name: str) -> dict[str, object]:
    """What a run of a name is after all edits."""
    return next(d for d in store.find(archived=True) if d["name"] == name)
