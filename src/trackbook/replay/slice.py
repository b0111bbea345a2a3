"""Which executions a result needs: backwards from it, whatever wrote what is read later."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from .facts import Facts, facts
from .log import Execution

_DEEPEST = 10
NOTHING_USED = "nothing of it is used later"


@dataclass(frozen=True)
class Cut:
    """Executions that are kept and dropped, by order, each with its reason."""

    kept: dict[int, str]
    dropped: dict[int, str]
    unfollowed: dict[int, frozenset[str]] = field(default_factory=dict)
    """Of kept ones: the flags of what no record can follow."""


def cut(executions: Sequence[Execution], targets: Collection[int]) -> Cut:
    """The executions that those of the order numbers ``targets`` need, the targets included."""
    if not targets:
        return Cut({}, {})
    last = max(targets)
    before = [execution for execution in executions if execution.order <= last]
    known = facts(before)
    kept: dict[int, str] = {}
    dropped: dict[int, str] = {}
    wanted: dict[str, Execution] = {}
    files: dict[str, Execution] = {}
    for execution, fact in zip(reversed(before), reversed(known), strict=True):
        if execution.order in targets:
            reason = "makes the run"
        elif fact.within:
            reason = ""
        else:
            reason = _reason(execution, fact, wanted, files)
        if not reason:
            dropped[execution.order] = _why_not(execution, fact)
            continue
        kept[execution.order] = reason
        _want(execution, fact, wanted, files)
    flags = {e.order: e.flags | f.names.flags for e, f in zip(before, known, strict=True)}
    order = sorted(kept)
    return Cut(
        {n: kept[n] for n in order},
        {n: dropped[n] for n in sorted(dropped)},
        {n: flags[n] for n in order if flags[n]},
    )


def label(execution: Execution) -> str:
    """What people call an execution: the number in its brackets."""
    return f"cell {execution.count if execution.count is not None else execution.order}"


def _reason(
    execution: Execution,
    fact: Facts,
    wanted: dict[str, Execution],
    files: dict[str, Execution],
) -> str:
    hits = sorted(name for name in fact.writes if name in wanted)
    if hits:
        return _writes(hits, fact, wanted)
    for file in execution.files:
        if file.how == "written" and file.path in files:
            return f"writes {file.path}, which {label(files[file.path])} uses"
    return fact.always


def _writes(hits: Sequence[str], fact: Facts, wanted: dict[str, Execution]) -> str:
    """``sets X, y, which cell 7 reads``: of the strongest kind, for one reader."""
    kinds = ("sets", "changes", "deletes", "may change")
    how = next(kind for kind in kinds if any(fact.writes[name] == kind for name in hits))
    first = next(name for name in hits if fact.writes[name] == how)
    reader = wanted[first]
    same = [name for name in hits if fact.writes[name] == how and wanted[name] is reader]
    shown = ", ".join(same[:4]) + (" …" if len(same) > 4 else "")
    return f"{how} {shown}, which {label(reader)} reads"


def _want(
    execution: Execution,
    fact: Facts,
    wanted: dict[str, Execution],
    files: dict[str, Execution],
) -> None:
    for name in fact.kills:
        wanted.pop(name, None)
    for name in fact.reads:
        wanted[name] = execution
    for file in execution.files:
        if file.how != "written":
            files[file.path] = execution
        for folder in list(PurePosixPath(file.path).parents)[:_DEEPEST]:
            files[str(folder)] = execution


def _why_not(execution: Execution, fact: Facts) -> str:
    if fact.within:
        return "a part of the cell around it"
    if not execution.ok and not fact.writes:
        return f"it failed ({execution.error or 'error'}) and left nothing behind"
    return NOTHING_USED
