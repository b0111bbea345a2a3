"""The routes of the attempt strip: the attempts at each cell of a notebook, and their sources."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import url_path_join
from tornado import web

from ..errors import QueryError
from ..reading import OpenStore
from ..views import strip
from .handlers import Handler

if TYPE_CHECKING:
    from ..store import Store
    from ..store.rows import Found
    from .shelf import Shelf

_MOST_DOTS = 60
_LONGEST_PATH = 1000
# After more changes than this all strips are told anew.
_MANY = 200


class AttemptsHandler(Handler):
    """``stores/<id>/attempts``."""

    @web.authenticated
    @authorized
    async def get(self, store_id: str) -> None:
        """The strips of the notebook at ``path``, all or those that changed ``since``."""
        path = self.get_query_argument("path", strip=False)
        since = self.get_query_argument("since", None)
        await self.answer(lambda: attempts(self.shelf, store_id, path, since))


def attempts(shelf: Shelf, store_id: str, path: str, since: str | None) -> dict[str, Any]:
    """``{revision, full, strips}``; a strip has ``series, name, cell, total`` and its attempts."""
    revision, changes = shelf.changes(store_id, since)
    store = shelf.get(store_id)
    full = changes.full or len(changes.ids) > _MANY
    touched = None if full else {_series(store, run_id) for run_id in changes.ids}
    strips = [] if touched == set() else _strips(store, _places(shelf, store, path), touched)
    return {"revision": revision, "full": full, "strips": strips}


def _series(store: Store, run_id: str) -> str:
    return str(store.document(run_id)["series"])


def _strips(store: Store, places: list[str], only: Collection[str] | None) -> list[dict[str, Any]]:
    found = store.find(f"notebook in {places!r}", sort="started")
    numbers = found.values("number")
    members: dict[str, list[int]] = {}
    for index, (series, kind) in enumerate(
        zip(found.values("series"), found.values("kind"), strict=True)
    ):
        if kind == "run" and (only is None or series in only):
            members.setdefault(series, []).append(index)
    strips = [
        _strip(series, sorted(indexes, key=lambda i: numbers[i]), found)
        for series, indexes in members.items()
    ]
    # What was in a series and is deleted now must go from the strip too.
    gone = [] if only is None else [series for series in only if series not in members]
    return strips + [_strip(series, [], found) for series in gone]


def _strip(series: str, indexes: list[int], found: Found) -> dict[str, Any]:
    documents = [found[index] for index in indexes[-_MOST_DOTS:]]
    cell = (documents[-1].get("cell") or {}) if documents else {}
    return {
        "series": series,
        "name": series.partition("#")[2] or None,
        "cell": cell.get("id"),
        "started": documents[-1]["started"] if documents else 0,
        "total": len(indexes),
        **strip.strip(documents),
    }


def _places(shelf: Shelf, store: Store, path: str) -> list[str]:
    """The notebook as the kernel may have named it: relative to the store's folder, or whole."""
    if len(path) > _LONGEST_PATH:
        raise QueryError(f"a path has at most {_LONGEST_PATH} characters")
    notebook = shelf.root / path.lstrip("/")
    folder = store.path.parent if store.path else shelf.root
    pairs: Iterable[tuple[Path, Path]] = (
        (notebook, folder),
        (notebook.resolve(), folder.resolve()),
    )
    names = {
        one.relative_to(base).as_posix() if one.is_relative_to(base) else str(one)
        for one, base in pairs
    }
    return sorted(names)


class SourceHandler(Handler):
    """``stores/<id>/runs/<run>/source``."""

    @web.authenticated
    @authorized
    async def get(self, store_id: str, run_id: str) -> None:
        """The source of the cell that made the run, null where none was kept."""

        def source() -> dict[str, Any]:
            cell = OpenStore(self.shelf.get(store_id)).get_run(run_id).cell
            return {"source": None if cell is None else cell.get("source")}

        await self.answer(source)


HANDLERS = [
    (url_path_join("/trackbook", r"stores/([^/]+)", route), handler)
    for route, handler in (
        ("attempts", AttemptsHandler),
        (r"runs/([^/]+)/source", SourceHandler),
    )
]
