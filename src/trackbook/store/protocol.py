"""What a store is to the rest of the house: writers write runs, readers read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..model import Document
from .intake import Watch
from .manifest import Entry, Scan
from .rows import Found

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Points(NamedTuple):
    """One metric of one run, in the order it was logged; three arrays of equal length."""

    step: npt.NDArray[np.int64]
    time: npt.NDArray[np.float64]
    value: npt.NDArray[np.float64]


class Changes(NamedTuple):
    """What happened since a revision; ``full`` says that the caller must read everything anew."""

    revision: int
    ids: Sequence[str]
    full: bool


class Blobs(Protocol):
    """Content by its hash. A name is ``<algorithm>-<hash>``."""

    def put(self, data: bytes) -> str:
        """Keep the bytes; returns their name. Keeping the same bytes twice costs nothing."""

    def put_file(self, path: Path, watch: Watch | None = None) -> tuple[str, int]:
        """Keep a copy of a regular file, streamed; returns its name and size in bytes."""

    def put_folder(self, found: Scan, watch: Watch | None = None) -> tuple[str, list[Entry]]:
        """Keep a folder's files and their manifest; returns its name, and what it names."""

    def get(self, name: str) -> bytes:
        """The bytes of a name; raises ``StoreError`` where there are none."""

    def path(self, name: str, limit: int | None = None) -> Path:
        """A readable file with the content (decompressed); never write to it.

        Raises ``StoreError`` where the content has more than ``limit`` bytes.
        """


class RunWriter(Protocol):
    """The one owner of a run's files, in the kernel that started it.

    ``document`` is changed by the owner and reaches disk with ``save``. A full disk never raises
    from ``log`` or ``append``: lines and points wait in memory and are tried again.
    """

    id: str
    document: Document
    log: Callable[[str, int, float, float], None]
    """``log(key, step, time, value)``: the hot path, one metric point."""

    def row(self, keys: Sequence[str]) -> Callable[[int, float, Iterable[float]], None]:
        """``put(step, time, values)``, which logs a point of each key; all of them or none."""

    def append(self, kind: str, record: Mapping[str, Any]) -> None:
        """Add a line to ``cells`` or ``artifacts``."""

    def write_log(self, text: str) -> None:
        """Add console text to ``logs.txt``."""

    def last_step(self, key: str) -> int | None:
        """The step of the last point of ``key``, also of points written before a resume."""

    def summary(self) -> dict[str, dict[str, float]]:
        """``{key: {last, min, max, count}}`` of all points so far."""

    def flush(self) -> None:
        """Write what waits in memory."""

    def save(self) -> None:
        """Put ``document`` with its present summary on disk; may raise ``StoreError``."""

    def finish(self) -> None:
        """Flush, save durably and give up ownership. Later ``log`` and ``save`` still work."""


class Store(Protocol):
    """A place that holds runs."""

    id: str
    path: Path | None
    before_read: Callable[[], None]
    """Called before documents are read, so that a process finds what it has just logged itself."""

    @property
    def blobs(self) -> Blobs:
        """The content that runs name."""

    def create(self, document: Document) -> RunWriter:
        """Begin a run; when this returns, the run is on disk. Raises ``StoreError``."""

    def resume(self, run_id: str) -> RunWriter:
        """Own a run again. Raises ``RunNotFound``, or ``StoreError`` while another owns it."""

    def next_number(self, series: str) -> int:
        """1 + the number of the last run of the series."""

    def previous(self, series: str, number: int) -> Document | None:
        """The run of a series with the next lower number, not a deleted one; None without one."""

    def find(
        self,
        where: Any = None,
        *,
        experiment: str | None = None,
        sort: str | Sequence[str] = "-started",
        limit: int | None = None,
        archived: bool = False,
    ) -> Found:
        """The documents that match, edits laid over them, status derived (``lost``).

        A sequence that decodes a document when it is looked at, and gives columns without.

        ``where`` is an expression or a TinyDB query. ``sort`` is a dotted attribute or several,
        as a list or with commas, ``-`` for descending; missing values come last. The caller must
        not change documents.
        """

    def count(self) -> int:
        """How many runs there are, without the deleted."""

    def document(self, run_id: str) -> Document:
        """One document as ``find`` gives it (deleted ones too). Raises ``RunNotFound``."""

    def resolve(self, ref: str) -> str:
        """The run id meant by an id, a unique prefix of one, a name (its newest) or ``"latest"``.

        Raises ``RunNotFound`` with near misses.
        """

    def changes(self, since: int) -> Changes:
        """Refresh, then say what changed since a revision that this object gave before."""

    def points(self, run_id: str, keys: Iterable[str] | None = None) -> dict[str, Points]:
        """The logged points of each metric (all of them, never sampled), live runs included."""

    def records(self, run_id: str, kind: str) -> list[dict[str, Any]]:
        """The lines of ``cells`` or ``artifacts``; empty where there are none."""

    def logs(self, run_id: str) -> str:
        """The console text of the run."""

    def edit(self, run_id: str, change: Mapping[str, Any]) -> None:
        """Lay a person's change over the run.

        ``change`` has any of ``name``, ``note``, ``star``, ``archived``, ``deleted``, ``tags`` (a
        mapping; None removes a tag), ``death`` (a mapping, the server's alone) and, of a lost run,
        ``status``. Raises ``RunNotFound``, ``InvalidValue`` or ``StoreError``.
        """

    def edits(self, run_id: str) -> list[dict[str, Any]]:
        """Every edit of the run in order, undone ones too.

        Each has ``id, time`` (float s UTC)``, user, change, replaced`` (the values before)``,
        undoes, redoes`` (the id of an edit, or None) and ``undone``. Raises ``RunNotFound``.
        """

    def undo(self, run_id: str, edit: str | None = None) -> None:
        """Undo an edit, by default the last that is not undone; undoing an undo redoes.

        It is an edit itself: nothing is removed, and other edits stay as they are, also later ones
        of the same field. Raises ``RunNotFound``, ``InvalidValue`` or ``StoreError``.
        """
