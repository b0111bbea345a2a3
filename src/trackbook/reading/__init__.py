"""Runs as people read them: ``runs``, ``get_run`` and ``compare`` over any store."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..store import open_store as _open
from .compared import Comparison
from .recorded import Record
from .run import Query, Run, Runs

if TYPE_CHECKING:
    import pandas as pd

    from ..store import Store

__all__ = [
    "Comparison",
    "OpenStore",
    "Query",
    "Record",
    "Run",
    "Runs",
    "compare",
    "get_run",
    "open_store",
    "runs",
    "search_runs",
]

Ref = str | Run | Iterable[Run]


class OpenStore:
    """A store to read from: ``runs``, ``get_run`` and ``compare`` as on the package itself."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def id(self) -> str:
        """The id of the store."""
        return self._store.id

    @property
    def path(self) -> Path | None:
        """The folder of the store; None for one in memory."""
        return self._store.path

    def runs(
        self,
        where: Any = None,
        *,
        experiment: str | None = None,
        sort: str | Sequence[str] = "-started",
        limit: int | None = None,
        archived: bool = False,
    ) -> Runs:
        """The runs that match, the newest first."""
        documents = self._store.find(
            where, experiment=experiment, sort=sort, limit=limit, archived=archived
        )
        query = Query(where, experiment, sort, limit, archived)
        return Runs(documents, query, self._store)

    def search_runs(self, *args: Any, **options: Any) -> pd.DataFrame:
        """``runs(...)`` as a DataFrame."""
        return self.runs(*args, **options).to_pandas()

    def get_run(self, ref: str) -> Run:
        """The run of an id, a unique prefix of one, a name (its newest) or ``"latest"``.

        Raises ``RunNotFound``, which names near misses.
        """
        return Run(self._store, self._store.document(self._store.resolve(ref)))

    def compare(self, *refs: Ref) -> Comparison:
        """The runs side by side; a ref is what ``get_run`` takes, a ``Run``, or several of them."""
        found: list[Run] = []
        for ref in refs:
            if isinstance(ref, str):
                found.append(self.get_run(ref))
            elif isinstance(ref, Run):
                found.append(ref)
            else:
                found += self.compare(*ref).runs
        return Comparison(list({run.id: run for run in found}.values()), self._store)

    def __repr__(self) -> str:
        return f"<trackbook store {self.path or self.id}, {self._store.count()} runs>"


def open_store(path: str | os.PathLike[str] | None = None) -> OpenStore:
    """The store in a folder, or the one that work in the current folder uses."""
    return OpenStore(_open(None if path is None else Path(path)))


def runs(
    where: Any = None,
    *,
    experiment: str | None = None,
    sort: str | Sequence[str] = "-started",
    limit: int | None = None,
    archived: bool = False,
) -> Runs:
    """The runs that match, the newest first.

    Parameters
    ----------
    where
        An expression over the attributes of ``Run``, such as ``metrics.acc > 0.9 and
        params.model == "rf"``, or a TinyDB query. Raises ``QueryError`` where it is not accepted.
    experiment
        Only the runs of this experiment.
    sort
        The attribute to sort by, with ``-`` in front for descending; runs without it come last.
        Several as a list, or with commas: ``"status, -metrics.acc"``.
    limit
        At most so many runs.
    archived
        The archived runs too, and the parts of runs that worker processes wrote.
    """
    return open_store().runs(
        where, experiment=experiment, sort=sort, limit=limit, archived=archived
    )


def search_runs(
    where: Any = None,
    *,
    experiment: str | None = None,
    sort: str | Sequence[str] = "-started",
    limit: int | None = None,
    archived: bool = False,
) -> pd.DataFrame:
    """``runs(...)`` as a DataFrame, one row a run."""
    found = runs(where, experiment=experiment, sort=sort, limit=limit, archived=archived)
    return found.to_pandas()


def get_run(ref: str) -> Run:
    """The run of an id, a unique prefix of one, a name (its newest) or ``"latest"``.

    Raises ``RunNotFound``, which names near misses.
    """
    return open_store().get_run(ref)


def compare(*refs: Ref) -> Comparison:
    """The runs side by side; a ref is what ``get_run`` takes, a ``Run``, or several of them."""
    return open_store().compare(*refs)
