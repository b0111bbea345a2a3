"""What a run finds around it: its store, notebook, cell and commit."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from .. import redact, settings
from ..errors import StoreError
from ..model import Document, new_document
from ..store import Store, open_store
from . import attempts, environment, kernel, notebook, randomness
from .background import Background
from .literals import normalised_hash
from .live import ActiveRun
from .livenotebook import LiveNotebook
from .patch import Guard

_NAMELESS = "nothing tells this kernel which notebook it belongs to"


@dataclass
class Cell:
    """One execution of one cell."""

    key: str
    """The same for every execution of the same cell: its stored id, else its source."""
    id: str | None
    source: str
    python: Callable[[], str]
    """Gives what Python the source is; asked at most once."""
    run: ActiveRun | None = None
    """The run of a ``%%track`` cell."""
    owned: list[ActiveRun] = field(default_factory=list)
    """Runs that autolog made and that end with the cell."""
    over: list[ActiveRun] = field(default_factory=list)
    """Runs that have ended while it executes, in their order."""

    @cached_property
    def code(self) -> str:
        """Its Python."""
        return self.python()

    @cached_property
    def hash(self) -> str:
        """A hash of its code that does not see literals."""
        return normalised_hash(self.code)


class Surroundings:
    """Where this process works; read anew whenever a run begins."""

    def __init__(self) -> None:
        self.user_namespace: Mapping[str, Any] | None = None
        self.experiment: str | None = None
        self.sources: notebook.Sources
        self.live = LiveNotebook()
        self._store: tuple[tuple[object, ...], Store] | None = None
        self._environment = environment.Environment()
        self._background: Background | None = None
        self._random = Guard("random states")

    def source_file(self) -> Path | None:
        """The notebook or script of this process, where something says."""
        return notebook.locate(self.user_namespace, self.live.path)

    def store(self) -> tuple[Store, bool]:
        """The store, and whether it is a new choice that had to fall back to the user's folder."""
        chosen = (settings.chosen_store(), os.environ.get("TRACKBOOK_STORE"))
        if self._store is not None and self._store[0] == chosen:
            return self._store[1], False
        file = self.source_file()
        settings.set_anchor(file.parent if file else None)
        store = open_store(create=True)
        if store.path is not None:
            settings.register(store.id, store.path)
        self._store = (chosen, store)
        self.sources = notebook.Sources(store.blobs)
        self._background = Background(store, self._environment)
        return store, store.path == settings.fallback_store()

    def let_go(self) -> None:
        """Leave the store as it was before it was ours."""
        if self._store is not None:
            self._store[1].before_read = _nothing

    def document(
        self,
        name: str | None,
        experiment: str | None,
        parent: Document | None,
        fitted: str | None,
        cell: Cell | None,
    ) -> Document:
        """The document of a run that begins here and now."""
        store, _ = self.store()
        file = self.source_file()
        place = attempts.place_of(file, store)
        shown = redact.text(name or fitted or (file.stem if file else "run"))[0]
        if parent is not None:
            series = f"{parent['series']}/{shown}"
        else:
            series = attempts.series_of(
                place,
                # Without a cell, what was fitted tells the attempts of a script apart.
                name=(shown if name else None) or (fitted if cell is None else None),
                cell_id=cell.id if cell else None,
                cell_hash=cell.hash if cell and not cell.id else None,
            )
        document = new_document(
            name=shown,
            experiment=redact.text(
                experiment
                or (parent["experiment"] if parent else None)
                or self.experiment
                or settings.default_experiment(file, store.path)
            )[0],
            kind="child" if parent else "run",
            series=series,
            number=store.next_number(series),
            parent=parent["id"] if parent else None,
        )
        document.update(environment.user_and_host())
        described = {**self._environment.describe(), **kernel.describe()}
        document["env"] = {**described, "pid": os.getpid()}
        if self.user_namespace is not None and place:
            document["notebook"] = {"path": place}
        elif self.user_namespace is not None:
            told = {"what": "notebook path", "state": "not captured", "reason": _NAMELESS}
            document["capture"].append(told)
        if cell is not None:
            self._keep_cell(document, cell)
        return document

    def _keep_cell(self, document: Document, cell: Cell) -> None:
        document["cell"] = {"id": cell.id, "source": None}
        told = {"what": "source", "state": "not captured"}
        try:
            document["cell"]["source"] = self.sources.keep(cell.source)
            if hidden := self.sources.hidden(cell.source):
                told = {"what": "source", "state": "redacted"}
                reason = f"{hidden} value(s) that look like secrets"
                document["capture"].append({**told, "reason": reason})
        except StoreError as problem:
            document["capture"].append({**told, "reason": str(problem)})

    def run_begins(self, run: ActiveRun) -> None:
        """Have commit, modules and machine noted in the run; its cell waits for none of it."""
        if self._background is not None:
            states = self._random.run(randomness.states) or {}
            self._background.run_begins(run, self._folder(), states)

    def run_ends(self, run: ActiveRun) -> None:
        """Have noted what the run has imported."""
        if self._background is not None:
            self._background.run_ends(run, self._folder())

    def wait(self) -> None:
        """At the end of the process: until that is noted, within its budget."""
        if self._background is not None:
            self._background.wait()

    def _folder(self) -> Path:
        file = self.source_file()
        return file.parent if file else settings.here()


def _nothing() -> None:
    """What a store has to wait for where no session logs."""
