"""Runs, read: one of them, and several as a table."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from ..errors import InvalidValue
from ..model import Document
from ..store.edits import redoable
from ..store.rows import Found
from ..views import columns, html, text
from . import bundle, candidates, frames, replayed
from .recorded import Record
from .replayed import Replayed

if TYPE_CHECKING:
    import pandas as pd

    from ..store import Store
    from ..widget import RunsWidget

# A notebook output holds the first rows only; what varies is told from so many.
_MOST_SHOWN = 500
# More runs than this are not held as objects: each is decoded when somebody looks at it.
_MOST_HELD = 1000


class Run(Replayed):
    """A run as it was when it was read; ``get_run`` again for what happened since.

    Its edits (``set_tag``, ``rename``, ``archive``, ...) reach the store at once.
    """

    # -- its family -----------------------------------------------------------------------------

    @property
    def parent(self) -> Run | None:
        """The run this one is a child of."""
        parent = self._document.get("parent")
        return None if parent is None else Run(self._store, self._store.document(parent))

    @property
    def children(self) -> Runs:
        """The runs that this one is the parent of, in the order they started."""
        found = self._store.find(f"parent == {self.id!r}", sort="started", archived=True)
        return Runs(found, None, self._store)

    # -- a search ------------------------------------------------------------------------------

    def candidates(self) -> pd.DataFrame:
        """One row a candidate of a search or trial of a study: ``params.*`` and what was found.

        Raises ``InvalidValue`` where the run is none.
        """
        return candidates.frame(candidates.rows(self._store, self._document))

    def promote(self, which: int | Sequence[int] | str = "all") -> Runs:
        """Make candidates runs of their own, of kind ``trial`` below this one.

        ``which`` is a row of ``candidates()``, several, or "all". Promoting one twice gives the
        same run. Raises ``InvalidValue`` where there is no such candidate, and changes nothing.
        """
        ids = candidates.promote(self._store, self._document, which)
        return Runs([self._store.document(run_id) for run_id in ids], None, self._store)

    # -- once more ------------------------------------------------------------------------------

    def replay(
        self,
        params: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        *,
        trust: bool = False,
        allow_writes: bool = False,
        timeout: float | None = None,
        memory: float | None = None,
        tolerance: float = 1e-9,
        secrets: Mapping[str, str] | None = None,
        full: bool = False,
        jobs: int | None = None,
    ) -> Any:
        """Run its recipe again in a fresh kernel: the ``Verdict`` says whether the result holds.

        Parameters
        ----------
        params
            Other values of params that literals decide: the new attempt, a ``Run``, is returned. A
            list of such mappings gives a group of runs, ``Runs``, made ``jobs`` at a time.
        trust
            Run the code though it was not recorded and signed here; ``UntrustedRun`` is raised
            otherwise, whose ``code`` shows it.
        allow_writes
            Let the cells write outside the replay's folder and start programs.
        timeout, memory
            Seconds and GB; by default ten times what the cells took, 600 s at least, and 80 % of
            the free memory.
        tolerance
            How far a metric may be off, relative to it.
        secrets
            The values of literals that were redacted, by name.
        full
            Replay the whole log instead of the cells that mattered.
        """
        wishes = {
            "trust": trust,
            "allow_writes": allow_writes,
            "timeout": timeout,
            "memory": memory,
            "tolerance": tolerance,
            "secrets": dict(secrets or {}),
            "full": full,
        }
        if params is not None and not isinstance(params, Mapping):
            parent = replayed.replay_many(self._store, self._document, params, wishes, jobs)
            return Run(self._store, self._store.document(parent)).children
        label = columns.label(self._document)
        if params is not None:
            wishes["params"] = dict(params)
        done = replayed.replay(self._store, self.id, label, **wishes)
        if done.run is not None:
            return Run(self._store, self._store.document(done.run))
        self._document = self._store.document(self.id)
        assert done.verdict is not None
        return done.verdict

    # -- what people add ------------------------------------------------------------------------

    def set_tag(self, key: str, value: Any = "") -> None:
        """Set a tag; None removes it."""
        self._edit(tags={key: value})

    def set_note(self, markdown: str) -> None:
        """Replace the note."""
        self._edit(note=markdown)

    def set_star(self, star: bool = True) -> None:
        """Star the run, or with False no longer."""
        self._edit(star=star)

    def rename(self, name: str) -> None:
        """Give the run another name; its number stays."""
        self._edit(name=name)

    def end(self, status: str = "interrupted") -> None:
        """Close a lost run as ``interrupted``, ``failed`` or ``finished``.

        A run that is resumed later goes on, and may be lost again. Raises ``InvalidValue`` where
        the run is not lost.
        """
        self._edit(status=status)

    def archive(self, archived: bool = True) -> None:
        """Put the run aside, or with False back."""
        self._edit(archived=archived)

    def delete(self) -> None:
        """Move the run to the trash; ``restore`` brings it back."""
        self._edit(deleted=True)

    def restore(self) -> None:
        """Bring the run back from the trash."""
        self._edit(deleted=False)

    @property
    def edits(self) -> list[Record]:
        """What people changed, in order, undone edits too.

        Each has ``time`` (datetime, UTC), ``user``, ``change``, ``replaced`` (the values before),
        ``undone``, and ``undoes`` or ``redoes`` with another edit's ``id`` where it is an undo.
        """
        found = [Record(edit) for edit in self._store.edits(self.id)]
        for edit in found:
            edit["time"] = datetime.datetime.fromtimestamp(edit["time"], datetime.UTC)
        return found

    def undo(self, n: int = 1) -> None:
        """Undo the last ``n`` edits that are not undone; every other edit stays as it is.

        It is an edit itself, which ``redo`` takes back. Raises ``InvalidValue`` where there are
        fewer, and changes nothing.
        """
        plain = [e for e in self._store.edits(self.id) if not (e["undoes"] or e["redoes"])]
        left = [edit["id"] for edit in plain if not edit["undone"]]
        if not 1 <= n <= len(left):
            edits = "1 edit" if len(left) == 1 else f"{len(left)} edits"
            there = f"{edits} to undo, not {n}" if left else "no edit to undo"
            raise InvalidValue(f"{columns.label(self._document)} has {there}")
        for edit in reversed(left[-n:]):
            self._store.undo(self.id, edit)
        self._document = self._store.document(self.id)

    def redo(self) -> None:
        """Take the last undo back; raises ``InvalidValue`` without one since the last edit."""
        undo = redoable(self._store.edits(self.id))
        if undo is None:
            raise InvalidValue(f"{columns.label(self._document)} has nothing to redo")
        self._store.undo(self.id, undo)
        self._document = self._store.document(self.id)

    def _edit(self, **change: Any) -> None:
        self._store.edit(self.id, change)
        self._document = self._store.document(self.id)

    # -- how it looks ---------------------------------------------------------------------------

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        table = columns.table([self._document])
        return bundle.of_table(self._store.id, table, None, [self.id])

    def _repr_html_(self) -> str:
        return html.table_html(columns.table([self._document]))

    def __repr__(self) -> str:
        headline = text.headline_text(columns.headline(self._document))
        parts = [columns.label(self._document), self.status, headline, self.id]
        return f"<Run {' · '.join(part for part in parts if part)}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Run):
            return NotImplemented
        return self.id == other.id and self._store.id == other._store.id

    def __hash__(self) -> int:
        return hash(self.id)


class Query(NamedTuple):
    """What was asked for, so that it can be asked again."""

    where: Any = None
    experiment: str | None = None
    sort: str | Sequence[str] = "-started"
    limit: int | None = None
    archived: bool = False

    def plain(self) -> dict[str, Any] | None:
        """The query as data; None for one written as a TinyDB query object."""
        if not isinstance(self.where, str | None):
            return None
        sort = self.sort if isinstance(self.sort, str) else ", ".join(self.sort)
        return {**self._asdict(), "sort": sort}


class Runs(Sequence[Run]):
    """A sequence of runs, shown as a table."""

    def __init__(self, documents: Sequence[Document], query: Query | None, store: Store) -> None:
        self._found = documents
        self._made: dict[int, Run] = {}
        self._query = query
        self._store = store

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> Runs: ...
    def __getitem__(self, index: int | slice) -> Run | Runs:
        if isinstance(index, slice):
            return Runs(self._documents()[index], None, self._store)
        place = range(len(self))[index]
        if place not in self._made:
            self._made[place] = Run(self._store, self._found[place])
        return self._made[place]

    def __iter__(self) -> Iterator[Run]:
        if len(self) <= _MOST_HELD:
            return map(self.__getitem__, range(len(self)))
        return (Run(self._store, document) for document in self._found)

    def to_pandas(self) -> pd.DataFrame:
        """One row a run: ``run_id, name, number, experiment, status, started, duration``,
        then ``params.*``, ``metrics.*`` (the last value) and ``tags.*``.
        """
        return frames.runs(self._documents())

    def metrics(self, *keys: str) -> pd.DataFrame:
        """Every point of these metrics, or of all: ``run_id, key, step, time, value``."""
        points = ((run_id, self._store.points(run_id, keys or None)) for run_id in self._ids())
        return frames.metrics(points, keys)

    def diff(self) -> pd.DataFrame:
        """One row a run with only the params, metrics and tags that differ."""
        return frames.differing(self._documents())

    def widget(self) -> RunsWidget:
        """The table as a widget; ``selected`` (run ids), ``where`` and ``sort`` go both ways."""
        from ..widget import RunsWidget

        where = self._query.where if self._query else None
        return RunsWidget(self._ask, where=where if isinstance(where, str) else "")

    def _ask(self, where: str, sort: str, limit: int) -> tuple[dict[str, Any], Set[str]]:
        """The table for another ``where`` and ``sort``; without them, these runs as they stand."""
        found: Sequence[Document]
        if self._query is None or not isinstance(self._query.where, str | None):
            own = {run_id: place for place, run_id in enumerate(self._ids())}
            matching = self._store.find(where or None, sort=sort or "-started", archived=True)
            found = [d for d in matching if d["id"] in own]
            if not sort:
                found.sort(key=lambda document: own[document["id"]])
            ids = {document["id"] for document in found}
        else:
            query = self._query._replace(where=where or None, sort=sort or self._query.sort)
            searched = self._store.find(**query._asdict())
            found, ids = searched, set(searched.ids())
        return columns.table(found[:limit], total=len(found)), ids

    def _documents(self) -> Sequence[Document]:
        """Of a few runs as each now is, edits by its ``Run`` included; of many as it was found."""
        if len(self) > _MOST_HELD:
            return self._found
        made = self._made
        return [
            made[place]._document if place in made else document
            for place, document in enumerate(self._found)
        ]

    def _ids(self) -> list[str]:
        if isinstance(self._found, Found):
            return self._found.ids()
        return [document["id"] for document in self._found]

    def _table(self) -> dict[str, Any]:
        return columns.table(self._documents()[:_MOST_SHOWN], total=len(self))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        query = self._query.plain() if self._query else None
        refs = self._ids()[:_MOST_SHOWN] if query is None else None
        return bundle.of_table(self._store.id, self._table(), query, refs)

    def _repr_html_(self) -> str:
        return html.table_html(self._table())

    def __repr__(self) -> str:
        table = self._table()
        return text.table_text({**table, "rows": table["rows"][:50]})
