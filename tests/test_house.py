"""The rules of the code: layers, exports, import cost, length."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import trackbook as tb

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "trackbook"
MODULES = sorted(SOURCE.rglob("*.py"))
FRONT_END = ROOT / "labextension"

GROUND = {"errors", "model", "jsonable", "formats", "settings", "redact"}
GROUND |= {"signing", "syntax", "grading"}
BELOW_READING = GROUND | {"store", "views", "replay"}
BELOW_FACES = BELOW_READING | {"reading", "widget"}
# What each room may know. The kernel writes and the others read, so no reader's face meets capture.
MAY_IMPORT = {
    **dict.fromkeys(GROUND, GROUND),
    "store": GROUND,
    "modelfiles": GROUND,
    "capture": GROUND | {"store", "modelfiles"},
    "integrations": GROUND | {"store", "capture"},
    "views": GROUND | {"store"},
    "replay": GROUND | {"store"},
    "importing": GROUND | {"store"},
    "widget": BELOW_READING,
    "reading": BELOW_READING | {"widget", "modelfiles"},
    "server": BELOW_FACES,
    "cli": BELOW_FACES | {"importing"},
    "fluent": GROUND | {"capture"},
    "magics": BELOW_FACES | {"capture", "integrations"},
}
HEAVY = ["numpy", "pandas", "altair", "ipywidgets", "anywidget", "sklearn", "torch", "matplotlib"]
HEAVY += ["git", "jupyter_server", "nbformat"]


# -- layers ----------------------------------------------------------------------------------------


def dotted(path: Path) -> str:
    """``trackbook.store.local``; a package is its own name."""
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


KNOWN = {dotted(path) for path in MODULES}


def imports(path: Path) -> set[str]:
    """Our own modules that a file imports, at the top, inside functions or for types alone."""
    package = dotted(path) if path.name == "__init__.py" else dotted(path).rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*above, node.module or ""]).strip(".") if node.level else node.module
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                found.add(submodule if submodule in KNOWN else str(base))
    return {name for name in found if name.split(".")[0] == "trackbook"}


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


GRAPH = {dotted(path): imports(path) for path in MODULES}


@pytest.mark.parametrize("module", sorted(GRAPH))
def test_a_module_imports_only_the_layers_below_it(module: str) -> None:
    if module == "trackbook":
        return
    allowed = MAY_IMPORT[room(module)] | {room(module)}
    assert {name for name in GRAPH[module] if room(name) not in allowed} == set()


def test_no_module_imports_the_top_package() -> None:
    assert [module for module, names in GRAPH.items() if "trackbook" in names] == []


def test_no_cycle_not_even_a_lazy_one() -> None:
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path, module])
        if module not in done:
            for name in sorted(GRAPH.get(module, ())):
                visit(name, (*path, module))
            done.add(module)

    for module in GRAPH:
        visit(module, ())


# -- what the package shows and costs --------------------------------------------------------------


def test_everything_public_is_exported_and_nothing_else() -> None:
    ours = {
        name
        for name, value in vars(tb).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("trackbook")
    }
    for_ipython = {"load_ipython_extension", "unload_ipython_extension"}
    assert sorted(tb.__all__) == sorted(ours - for_ipython)


@pytest.mark.parametrize("name", sorted(tb.__all__))
def test_every_exported_name_says_what_it_gives(name: str) -> None:
    value = getattr(tb, name)
    assert (value.__doc__ or "").strip()


def loaded_after(statement: str, *modules: str) -> list[str]:
    """Which of the modules a new Python has loaded after the statement."""
    code = f"{statement}\nimport sys\nprint([m for m in {modules!r} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert result.returncode == 0, result.stderr
    return list(ast.literal_eval(result.stdout.splitlines()[-1]))


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_after("import trackbook", *HEAVY) == []


@pytest.mark.parametrize("face", ["cli", "server"])
def test_faces_start_without_pandas_and_altair(face: str) -> None:
    assert loaded_after(f"import trackbook.{face}", "pandas", "altair") == []


def test_switching_autolog_on_imports_no_framework() -> None:
    statement = "import trackbook; trackbook.autolog()"
    assert loaded_after(statement, "sklearn", "torch", "pandas") == []


# -- small and plain -------------------------------------------------------------------------------


def test_files_are_short() -> None:
    files = [*MODULES, *(ROOT / "tests").rglob("*.py")]
    files += [p for ending in ("ts", "tsx") for p in FRONT_END.rglob(f"*.{ending}")]
    lengths = {str(p.relative_to(ROOT)): len(p.read_text("utf-8").splitlines()) for p in files}
    assert {name: n for name, n in lengths.items() if n > 400 and "/lib/" not in name} == {}


def test_test_files_have_names_of_their_own() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))  # pytest imports them all into one space


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{dotted(path)}:{node.name}", node


def test_functions_are_short() -> None:
    lengths = {name: (node.end_lineno or 0) - node.lineno + 1 for name, node in functions()}
    assert {name: n for name, n in lengths.items() if n > 60} == {}


def test_module_names_are_nouns_that_say_something() -> None:
    vague = {"utils", "helpers", "common", "base", "manager", "core"}
    assert [name for name in GRAPH if vague & set(name.split("."))] == []


def test_broad_excepts_stand_only_in_capture() -> None:
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                caught = "" if node.type is None else ast.unparse(node.type)
                if node.type is None or re.search(r"\b(Base)?Exception\b", caught):
                    found.append(room(dotted(path)))
    assert len(found) <= 2
    assert set(found) <= {"capture"}
