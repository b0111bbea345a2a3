"""One replay of a recipe, from the empty folder to the run that came out of it."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..jsonable import loads
from ..model import Document
from ..store import Points, Store, open_store
from . import folder as folders
from . import gitfiles, kernel
from .kernel import Limits, Ran, Step
from .log import Execution
from .place import PROJECT, Place
from .recipe import Recipe

HOLE = re.compile(r"<redacted:([^<>]+)>")
# What changes results, so it is as it was; the others are the machine's own.
_VARIABLES = frozenset(
    "CUBLAS_WORKSPACE_CONFIG OMP_NUM_THREADS MKL_NUM_THREADS OPENBLAS_NUM_THREADS "  # noqa: SIM905
    "NUMEXPR_NUM_THREADS VECLIB_MAXIMUM_THREADS TOKENIZERS_PARALLELISM TF_DETERMINISTIC_OPS "
    "TF_CUDNN_DETERMINISTIC TF_ENABLE_ONEDNN_OPTS XLA_FLAGS JAX_ENABLE_X64 KERAS_BACKEND "
    "PYTHONHASHSEED PYTHONOPTIMIZE LANG LC_ALL TZ NVIDIA_TF32_OVERRIDE".split()
)
_TARGET_SLACK_S = 0.005


@dataclass(frozen=True, slots=True)
class Shown:
    """What a run has to show: what is compared."""

    document: Document
    points: Mapping[str, Points]
    outputs: Sequence[Mapping[str, Any]]


@dataclass
class Tried:
    """What came of a replay."""

    recipe: Recipe
    ran: Ran
    shown: Shown | None = None
    """The run that was made again; None where there is none."""
    changed: list[str] = field(default_factory=list)
    """Why what ran is not what ran then."""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for every replay of a run."""

    store: Store
    document: Document
    place: Place
    limits: Limits
    secrets: Mapping[str, str]
    sources: Mapping[int, str]
    """Sources by order that are other than recorded."""


def shown_of(store: Store, document: Document) -> Shown:
    """What a run in a store has to show."""
    outputs = []
    for entry in document.get("outputs") or []:
        with contextlib.suppress(StoreError, ValueError, TypeError, KeyError):
            outputs.append(loads(store.blobs.get(entry["blob"])))
    return Shown(document, store.points(str(document["id"])), outputs)


def holes(recipe: Recipe) -> list[str]:
    """The names of the secrets that are hidden in the sources of a recipe."""
    found = dict.fromkeys(recipe.secrets)
    for cell in recipe.cells:
        found.update(dict.fromkeys(HOLE.findall(cell.source)))
    return list(found)


@contextlib.contextmanager
def folder_of_replay() -> Iterator[Path]:
    """A new folder, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="trackbook-replay-", ignore_cleanup_errors=True) as at:
        yield Path(at).resolve()


def attempt(
    setting: Setting,
    recipe: Recipe,
    told: Callable[[int, int], None],
    *,
    from_git: bool = False,
    needed: Collection[int] | None = None,
    keep: Callable[[Path, Document], None] | None = None,
) -> Tried:
    """Replay once; ``keep`` sees the store with the run that came of it before both are gone.

    Cells beyond those of the order numbers ``needed`` may fail; None: no cell may. Raises
    ``OSError`` or ``StoreError`` where it cannot begin.
    """
    with folder_of_replay() as folder:
        blobs = setting.store.blobs
        if from_git:
            gitfiles.lay_out(setting.document, blobs, setting.place.root, folder / PROJECT)
        laid = folders.lay_out(recipe, setting.place, blobs, folder)
        tried = Tried(recipe, Ran(), changed=laid.changed, notes=laid.notes)
        steps = _steps(setting, recipe, folder, needed)
        tried.ran = kernel.run(
            steps,
            folder,
            folder / setting.place.inside("."),
            laid.paths,
            setting.limits,
            _variables(setting.document),
            lambda index: told(index, len(steps)),
        )
        place = setting.place
        tried.changed += folders.check_imported(tried.ran.modules, laid, place, folder)
        tried.changed += folders.linked_changes(laid)
        if tried.ran.generators:
            names = ", ".join(tried.ran.generators)
            tried.changed.append(f"states of generators could not be put back: {names}")
        tried.shown = _made_again(setting, recipe, tried.ran, folder / "store")
        if keep is not None and tried.shown is not None:
            keep(folder / "store", tried.shown.document)
        return tried


def _steps(
    setting: Setting, recipe: Recipe, folder: Path, needed: Collection[int] | None
) -> list[Step]:
    states = folder / "rng"
    states.mkdir()
    steps = []
    for cell in recipe.cells:
        execution = cell.execution
        files = {}
        for name, blob in execution.rng.items():
            files[name] = str(states / blob)
            if not (states / blob).exists():
                (states / blob).write_bytes(setting.store.blobs.get(blob))
        source = _filled(setting.sources.get(execution.order, cell.source), setting.secrets)
        # How cells ended that ran before Trackbook was loaded is not known.
        may_fail = not execution.ok or execution.extra.get("before") is True
        may_fail = may_fail or (needed is not None and execution.order not in needed)
        steps.append(Step(source, execution.count, files, may_fail))
    return steps


def _filled(source: str, secrets: Mapping[str, str]) -> str:
    """The source with its secrets in place; each stands in a literal of text."""

    def put(match: re.Match[str]) -> str:
        value = secrets.get(match[1])
        if value is None:
            return match[0]
        return "".join(f"\\x{ord(c):02x}" if ord(c) < 128 else c for c in value)

    return HOLE.sub(put, source)


def _variables(document: Mapping[str, Any]) -> dict[str, str]:
    recorded = (document.get("env") or {}).get("variables") or {}
    return {name: str(recorded[name]) for name in sorted(_VARIABLES & set(recorded))}


# -- the run that came out of it -------------------------------------------------------------------


def _made_again(setting: Setting, recipe: Recipe, ran: Ran, path: Path) -> Shown | None:
    """The replay's run that answers to the recorded one: made in the same cell, in the same place.

    Of several runs of a cell the name and the order decide.
    """
    if not (path / "store.json").exists():
        return None
    there = open_store(path)
    document = setting.document
    target = _begun_in([cell.execution for cell in recipe.cells], float(document["started"]))
    if target is None or target >= len(ran.cells):
        return None
    execution = recipe.cells[target].execution
    then = _window(setting.store, document, execution.started, execution.ended)
    cell = ran.cells[target]
    now = _window(there, None, cell["started"], cell["ended"])
    before = [d for d in then if _kin(d) == _kin(document)]
    after = [d for d in now if _kin(d) == _kin(document)]
    if not after:
        before, after = then, now
    rank = next((i for i, d in enumerate(before) if d["id"] == document["id"]), 0)
    return shown_of(there, after[rank]) if rank < len(after) else None


def _begun_in(executions: Sequence[Execution], started: float) -> int | None:
    """Which cell a run began in."""
    for index, one in reversed(list(enumerate(executions))):
        if one.started - _TARGET_SLACK_S <= started <= one.ended + _TARGET_SLACK_S:
            return index
    return None


def _kin(document: Document) -> tuple[object, ...]:
    return document["kind"], document["name"], document["parent"] is None


def _window(store: Store, like: Document | None, start: float, end: float) -> list[Document]:
    """The runs that began in a stretch of time, as their order was; like one: of its process."""
    found = store.find(sort="started", archived=True)
    slack = _TARGET_SLACK_S
    moments = [d for d in found if start - slack <= d["started"] <= (end or start) + slack]
    if like is None:
        return moments
    of = _process(like)
    return [d for d in moments if _process(d) == of]


def _process(document: Document) -> tuple[object, object]:
    return document["host"], (document.get("env") or {}).get("pid")
