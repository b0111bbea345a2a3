"""What an execution reads, writes and leaves behind: its source and its record taken together."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..syntax.cells import python
from ..syntax.expressions import EVERYTHING
from ..syntax.names import Names, names
from .log import Execution

_HARMLESS = {
    *("time", "timeit", "prun", "memit", "mprun", "lprun", "who", "whos", "who_ls", "history"),
    *("hist", "pwd", "ls", "cat", "head", "tail", "pinfo", "pinfo2", "psource", "pdoc", "pfile"),
    *("track", "debug", "pdb", "lsmagic", "magic", "quickref", "notebook", "capture", "timeit"),
    *("pip", "conda", "mamba", "uv", "recall", "rerun", "clear", "html", "javascript", "js"),
    *("latex", "markdown", "svg", "HTML", "SVG", "tensorboard", "precision"),
}
_OUTPUT = re.compile(r"_\d+\Z")
_PYPLOT = {"plt", "pyplot", "pylab"}
_FIGURES = "open figures"
_INSTALLS = re.compile(r"^\s*(!|%)\s*(python\d? -m )?(pip|conda|mamba|uv|apt|apt-get)\b", re.M)
_SHELL = re.compile(r"^\s*!|=\s*!|^%%(bash|sh|script|!|sx|system)", re.M)
_LOOKS = re.compile(
    r"^\s*!\s*(ls|head|tail|cat|pwd|wc|nvidia-smi|which|echo|date|du|df)\b[^>|;&]*$"
)
_SETS = re.compile(
    r"^(set|seed|use|enable|disable|register|config|init|basicConfig|load_dotenv|patch|activate|autolog)"
)
# What decorators of these leave behind is in the name they decorate.
_PURE = {"functools", "dataclasses", "contextlib", "numba", "torch", "jax", "abc", "typing"}
_PURE |= {"staticmethod", "classmethod", "property", "dataclass", "lru_cache", "cache", "wraps"}
_PURE |= {"njit", "jit", "contextmanager", "total_ordering", "partial", "vectorize", "np", "attr"}
_PURE |= {"attrs", "define", "abstractmethod", "cached_property", "overload", "final", "pytest"}
_PURE |= {"singledispatch", "enum", "unique", "joblib", "delayed", "tb", "trackbook", "tf", "nn"}


@dataclass(frozen=True)
class Facts:
    """One execution, as the slicer sees it."""

    names: Names
    reads: frozenset[str]
    """With what the functions that it may call read, as they were when it ran."""
    writes: Mapping[str, str]
    """By name: ``sets``, ``changes``, ``deletes`` or ``may change``."""
    kills: frozenset[str]
    """Names whose earlier value no longer matters afterwards."""
    always: str = ""
    """Why it is kept whatever is read later; empty where it is not."""
    within: bool = False


@dataclass
class _Pass:
    """What is known of the names while the log is gone through forwards."""

    late: dict[str, frozenset[str]] = field(default_factory=dict)
    imported: set[str] = field(default_factory=set)
    alike: dict[str, set[str]] = field(default_factory=dict)
    """By name: those that may hold parts of the same object (from sources alone)."""
    bound: set[str] = field(default_factory=set)
    figures: bool = False


def facts(executions: Sequence[Execution]) -> list[Facts]:
    """The facts of each execution, in order."""
    state = _Pass()
    since = _since(executions)
    used: set[str] = set()
    for execution in executions:
        found = names(python(execution.source))
        used |= found.reads | found.spoken
        used |= set().union(*found.late.values()) if found.late else set()
    return [
        _facts(execution, state, since.get(execution.order, {}), used) for execution in executions
    ]


def _since(executions: Sequence[Execution]) -> dict[int, dict[str, str]]:
    """By order: names found changed by a later execution that may have been changed here."""
    found: dict[int, dict[str, str]] = {}
    orders = {execution.order for execution in executions}
    for execution in executions:
        since = execution.extra.get("since")
        for name, first in since.items() if isinstance(since, Mapping) else ():
            if isinstance(name, str) and type(first) is int:
                for order in range(max(first, 1), execution.order):
                    if order in orders:
                        found.setdefault(order, {})[name] = "may change"
    return found


def _facts(execution: Execution, state: _Pass, since: Mapping[str, str], used: set[str]) -> Facts:
    found = names(python(execution.source))
    if execution.extra.get("within") is True:
        return Facts(found, frozenset(), {}, frozenset(), within=True)
    reads = set(_closure(_direct(found, state), {**state.late, **found.late}))
    if EVERYTHING in reads:
        reads |= state.bound
    if reads & {"Out", "_oh"}:
        reads |= {name for name in state.bound if _OUTPUT.match(name)}
    always = "; ".join(_always(execution, found, state, used))
    writes = _recorded_writes(execution) if execution.recorded else _static_writes(found, state)
    kills = set(execution.bound) if execution.recorded else _static_kills(execution, found)
    for name, how in since.items():
        writes.setdefault(name, how)
    _learn(execution, found, state, writes)
    # Figures that stay open are drawn upon through pyplot.
    state.figures = state.figures or "figures" in execution.ambient
    if state.figures and not reads.isdisjoint(_PYPLOT):
        reads.add(_FIGURES)
        writes[_FIGURES] = "changes"
    return Facts(found, frozenset(reads - {EVERYTHING}), writes, frozenset(kills), always)


def _direct(found: Names, state: _Pass) -> set[str]:
    spoken = {name for name in found.spoken if name in state.bound}
    # What it deletes or changes has to be there.
    return {*found.reads, *spoken, *found.deletes, *(found.stores - found.sure)}


def _closure(wanted: set[str], late: Mapping[str, frozenset[str]]) -> Iterator[str]:
    waiting, seen = list(wanted), set(wanted)
    while waiting:
        name = waiting.pop()
        yield name
        for below in late.get(name, ()):
            if below not in seen:
                seen.add(below)
                waiting.append(below)


def _recorded_writes(execution: Execution) -> dict[str, str]:
    return {
        **dict.fromkeys(execution.untrusted, "may change"),
        **dict.fromkeys(execution.mutated, "changes"),
        **dict.fromkeys(execution.deleted, "deletes"),
        **dict.fromkeys(execution.bound, "sets"),
    }


def _static_writes(found: Names, state: _Pass) -> dict[str, str]:
    """By the source alone: what is passed to a call may change, and all that may share it."""
    writes: dict[str, str] = {}
    waiting = [*found.touched, *found.stores]
    late = {**state.late, **found.late}
    waiting += [name for name in _closure(set(found.reads), late) if name not in found.reads]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen or name in state.imported or name in found.imports:
            continue
        seen.add(name)
        if name in state.bound:
            writes[name] = "may change"
        waiting += state.alike.get(name, ())
    return {
        **writes,
        **dict.fromkeys(found.stores, "changes"),
        **dict.fromkeys(found.deletes, "deletes"),
        **dict.fromkeys(found.binds, "sets"),
    }


def _static_kills(execution: Execution, found: Names) -> set[str]:
    return set(found.sure) if execution.ok else set()


def _learn(execution: Execution, found: Names, state: _Pass, writes: Mapping[str, str]) -> None:
    """What the next executions have to know of this one."""
    late = execution.extra.get("late")
    told = late if isinstance(late, Mapping) else {}
    for name, how in writes.items():
        below = told.get(name)
        if isinstance(below, list):
            state.late[name] = frozenset(n for n in below if isinstance(n, str))
        elif execution.recorded:
            if how == "sets":
                state.late.pop(name, None)
        elif name in found.late:
            state.late[name] = found.late[name]
        elif how == "sets":  # an instance of a class, another name of a function
            sources = found.sources.get(name, ())
            carried = [state.late.get(s) or found.late.get(s) or frozenset() for s in sources]
            state.late[name] = frozenset().union(*carried) | frozenset(
                s for s in sources if s in state.late or s in found.late
            )
    state.bound |= {name for name, how in writes.items() if how == "sets"}
    state.imported |= found.imports
    state.imported -= {name for name in found.binds if name not in found.imports}
    for name, sources in found.sources.items():
        for source in sources - state.imported - found.imports:
            state.alike.setdefault(name, set()).add(source)
            state.alike.setdefault(source, set()).add(name)


# -- kept whatever is read -----------------------------------------------------------------------


def _always(execution: Execution, found: Names, state: _Pass, used: set[str]) -> Iterator[str]:
    if changed := sorted(execution.ambient - {"figures"}):
        yield f"changes {_listed(changed)}"
    source = execution.source
    if "shell" in found.flags and not _is_look(source):
        yield "runs a shell command, which may change anything"
    magics = sorted(f.removeprefix("magic ") for f in found.flags if f.startswith("magic "))
    if strange := [magic for magic in magics if magic not in _HARMLESS]:
        yield f"runs %{_listed(strange)}"
    if found.stars:
        yield "imports everything from a module"
    known = state.imported | found.imports
    if not execution.ambient and (patched := sorted(found.stores & known)):
        yield f"changes the module {_listed(patched)}"
    if registered := sorted((found.registers & known) - _PURE):
        yield f"registers a function with {_listed(registered)}"
    if calls := sorted(_settings(found, known)):
        yield f"calls {_listed(calls)}"
    if execution.ok and (unused := sorted(_unused(found, used))):
        yield f"imports {_listed(unused)}, which may act by being imported"


def _settings(found: Names, known: set[str]) -> Iterator[str]:
    for root, last in found.statements:
        if root in known and _SETS.match(last):
            yield f"{root}.{last}" if root != last else last


def _unused(found: Names, used: set[str]) -> Iterator[str]:
    standard = sys.stdlib_module_names
    if found.imports and not found.imports & used:
        yield from (m for m in found.modules if m not in standard and m != "trackbook")


def _is_look(source: str) -> bool:
    """Whether all its shell commands only look, or install what the recipe names anyway."""
    lines = [line for line in source.splitlines() if _SHELL.search(line)]
    return bool(lines) and all(_LOOKS.match(line) or _INSTALLS.match(line) for line in lines)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:4]) + (" …" if len(words) > 4 else "")
