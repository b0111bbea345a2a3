"""What a store has of one run, as attributes."""

from __future__ import annotations

import contextlib
import copy
import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidValue, StoreError
from ..jsonable import loads
from ..model import Document
from ..views import columns, drawings
from . import frames, kept

if TYPE_CHECKING:
    import altair as alt
    import nbformat
    import pandas as pd

    from ..store import Store


class Record(dict[str, Any]):
    """A small mapping whose keys are attributes too: ``run.git.commit``; an absent key is None."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name)


class Recorded:
    """A run as it was when it was read: what it was, logged and kept."""

    def __init__(self, store: Store, document: Document) -> None:
        self._store = store
        self._document = document

    # -- what it was ----------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The id of the run."""
        return str(self._document["id"])

    @property
    def name(self) -> str:
        """The name of the run."""
        return str(self._document["name"])

    @property
    def number(self) -> int:
        """Which attempt of its series the run is, from 1."""
        return int(self._document["number"])

    @property
    def series(self) -> str:
        """What the run is an attempt of."""
        return str(self._document["series"])

    @property
    def experiment(self) -> str:
        """The experiment, by default the path of the notebook without suffix."""
        return str(self._document["experiment"])

    @property
    def status(self) -> str:
        """``running``, ``finished``, ``failed``, ``interrupted`` or ``lost``."""
        return str(self._document["status"])

    @property
    def started(self) -> datetime.datetime:
        """When the run started, in UTC."""
        return datetime.datetime.fromtimestamp(self._document["started"], datetime.UTC)

    @property
    def ended(self) -> datetime.datetime | None:
        """When the run ended, in UTC; None while it has not."""
        ended = self._document.get("ended")
        return None if ended is None else datetime.datetime.fromtimestamp(ended, datetime.UTC)

    @property
    def duration(self) -> float | None:
        """Seconds from start to end, or until now while it is running; None for a lost run."""
        return columns.duration(self._document)

    @property
    def user(self) -> str:
        """Who ran it."""
        return str(self._document.get("user") or "")

    @property
    def host(self) -> str:
        """The machine it ran on."""
        return str(self._document.get("host") or "")

    @property
    def error(self) -> Record | None:
        """``type``, ``message`` and ``traceback`` of the error that ended it or that it noted."""
        return self._record("error")

    @property
    def death(self) -> Record | None:
        """How the kernel of a lost run ended, as far as a Jupyter server saw it.

        ``cause`` is the sentence; ``exit``, ``last_cell``, ``last_step`` and ``memory`` (pairs of
        time and GB) where they are known.
        """
        return self._record("death")

    @property
    def git(self) -> Record | None:
        """``commit``, ``branch``, ``dirty`` and ``remote``; None outside a repository.

        ``patch_exact`` is False where secrets are hidden in the patch or files are not in it
        (``left_out``: ``path`` and ``reason`` of each).
        """
        return self._record("git")

    @property
    def env(self) -> Record:
        """Python, platform, machine, argv, chosen variables and packages.

        ``packages`` are those that were imported, ``distributions`` all that were installed.
        """
        found = self._record("env") or Record()
        blob = self._document.get("distributions")
        if blob:
            with contextlib.suppress(StoreError):
                found["distributions"] = loads(self._store.blobs.get(blob))
        return found

    @property
    def modules(self) -> list[Record]:
        """The project's own modules it had imported: ``name``, ``path`` and ``source`` (the text).

        ``exact`` is False where secrets are hidden in the source.
        """
        blob = self._document.get("modules")
        listed = loads(self._store.blobs.get(blob)) if blob else []
        return [
            Record(
                name=entry["name"],
                path=entry["path"],
                source=self._text(entry["blob"]),
                exact=entry.get("exact", True),
            )
            for entry in listed
        ]

    @property
    def notebook(self) -> str | None:
        """The path of the notebook or script."""
        found = self._record("notebook")
        return found.path if found else None

    @property
    def cell(self) -> Record | None:
        """``id`` and ``source`` (the text) of the cell that started it."""
        found = self._record("cell")
        if found and found.source:
            found["source"] = self._text(found.source)
        return found

    # -- what was logged ------------------------------------------------------------------------

    @property
    def params(self) -> dict[str, Any]:
        """The params as they were logged, nested ones whole."""
        return self._copy("params")

    @property
    def metrics(self) -> dict[str, float]:
        """The last value of each metric."""
        return {key: entry["last"] for key, entry in self.summary.items()}

    @property
    def summary(self) -> dict[str, Record]:
        """``last``, ``min``, ``max`` and ``count`` of each metric."""
        return {key: Record(entry) for key, entry in self._copy("summary").items()}

    @property
    def tags(self) -> dict[str, Any]:
        """The tags; a bare tag has the value ``""``."""
        return self._copy("tags")

    @property
    def note(self) -> str:
        """The note, in Markdown."""
        return str(self._document.get("note") or "")

    @property
    def star(self) -> bool:
        """Whether someone starred it."""
        return bool(self._document.get("star"))

    @property
    def archived(self) -> bool:
        """Whether it is put aside."""
        return bool(self._document.get("archived"))

    @property
    def artifacts(self) -> dict[str, Record]:
        """Name to ``kind``, ``type``, ``size`` and ``time`` of each artifact, as last logged.

        One that was logged at several steps has them in ``steps``.
        """
        found = kept.by_name(kept.lines(self._store, self.id))
        return {name: Record(line) for name, line in found.items()}

    @property
    def inputs(self) -> list[Record]:
        """The data that went in, each with ``name, kind, hash, sampled`` and its shape or size.

        Equal hashes mean equal data; ``sampled`` says that a part stands for the whole.
        """
        found = copy.deepcopy(self._document.get("inputs") or [])
        return [Record(entry) for entry in found if isinstance(entry, Mapping)]

    @property
    def why(self) -> list[Record]:
        """What was captured, folded, skipped or redacted, each with its reason and cost."""
        return [Record(entry) for entry in copy.deepcopy(self._document.get("capture") or [])]

    # -- what it kept ---------------------------------------------------------------------------

    def history(self, key: str) -> pd.DataFrame:
        """Every point of a metric, ``step, time, value``, in the order it was logged."""
        return frames.history(self._store.points(self.id, [key]).get(key))

    def patch(self) -> bytes:
        """What ``git apply`` makes of the commit to get the files as they were, new ones included.

        ``b""`` where nothing had changed or none was captured; see ``git.patch_exact``.
        """
        blob = (self._document.get("git") or {}).get("patch")
        return self._store.blobs.get(blob) if blob else b""

    def logs(self) -> str:
        """What the run printed on stdout and stderr, progress bars folded; ``""`` for nothing."""
        return self._store.logs(self.id)

    def snapshot(self) -> nbformat.NotebookNode:
        """The notebook as it was when the run started, with the outputs of its own cell."""
        from .snapshot import notebook

        return notebook(self.kept_cells(), self._text, self.outputs())

    def outputs(self) -> list[dict[str, Any]]:
        """What the run's own cell showed, as a notebook has it; HTML and scripts are not safe."""
        kept = self._document.get("outputs") or []
        return [loads(self._store.blobs.get(entry["blob"])) for entry in kept]

    def kept_cells(self) -> dict[str, Any]:
        """The snapshot as it is kept: ``cells``, ``path`` and the ``tracked`` cell's id."""
        blob = (self._document.get("notebook") or {}).get("snapshot")
        if not blob:
            raise StoreError(f"{columns.label(self._document)} kept no notebook; scripts have none")
        kept: dict[str, Any] = loads(self._store.blobs.get(blob))
        return kept

    def artifact(self, name: str, step: int | None = None) -> Path:
        """A file with the content of an artifact as last logged, or as logged at a step.

        The suffix may be left out. The name of a folder gives a folder. Copy it before you change
        it. Raises ``StoreError`` where there is none, naming what there is.
        """
        label = columns.label(self._document)
        found = kept.one(kept.lines(self._store, self.id), name, step, label)
        if isinstance(found, list):
            return kept.folder(self._store.blobs, name, found)
        return kept.file(self._store.blobs, found)

    def draw(self, name: str) -> alt.Chart:
        """An Altair chart of an artifact: a confusion matrix, feature importances, or a curve.

        Raises ``InvalidValue`` for anything else, ``StoreError`` where there is no such artifact.
        """
        import altair as alt

        label = columns.label(self._document)
        found = kept.one(kept.lines(self._store, self.id), name, None, label)
        if isinstance(found, list):
            raise InvalidValue(f"{name!r} is a folder; draw takes one of its files")
        data = kept.file(self._store.blobs, found).read_bytes()
        return alt.Chart.from_dict(drawings.draw(str(found["name"]), data))

    def load_model(
        self, name: str = "model", *, trust: bool | Sequence[str] = False, into: Any = None
    ) -> Any:
        """The model that ``log_model`` kept under a name.

        Scikit-learn's estimators and XGBoost's models come back as they were, LightGBM's as a
        ``Booster``, torch modules as their state (names to tensors, on the CPU) or, with
        ``into=module``, as that module with the state in it.

        A pickle runs code when it is loaded, so it takes ``trust=True``; a skops file with types
        that skops does not know takes ``trust=True`` or the names of the types. Raises
        ``StoreError`` otherwise, and where there is no such model or it is damaged.
        """
        label = columns.label(self._document)
        return kept.model(self._store, self.id, name, label, trust, into)

    # -- beneath --------------------------------------------------------------------------------

    def _record(self, key: str) -> Record | None:
        value = self._document.get(key)
        return Record(copy.deepcopy(value)) if isinstance(value, Mapping) else None

    def _copy(self, key: str) -> dict[str, Any]:
        # The document belongs to the store; what a user does to his copy must not reach it.
        return copy.deepcopy(dict(self._document.get(key) or {}))

    def _text(self, blob: str) -> str:
        return self._store.blobs.get(blob).decode("utf-8", "replace")
