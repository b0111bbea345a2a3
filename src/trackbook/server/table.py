"""The routes of the table of runs: the runs themselves, their curves, edits of many at once."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import url_path_join
from tornado import web

from ..errors import TrackbookError
from ..jsonable import dumps, loads, written
from ..store import LocalStore
from ..store.rows import Found
from ..views import columns, packed, sparklines
from .handlers import Handler, refuse_findings

if TYPE_CHECKING:
    from ..store import Store
    from .shelf import Shelf

_NEWEST = "-started"
# What is encoded at once; the encoder lets no other thread run meanwhile.
_PIECE = 500
_WORTH_PACKING = 100_000
_MOST_CURVES = 200
_MOST_EDITED = 20_000


class TableHandler(Handler):
    """Answers that may be large: encoded piece by piece and compressed, in the worker thread."""

    async def answer_large(
        self, store_id: str, work: Callable[[], Any], dump: Callable[[Any], bytes]
    ) -> None:
        """Reply with the JSON that ``dump`` makes of the pieces of ``work`` on a store."""
        may_pack = "gzip" in self.request.headers.get("Accept-Encoding", "")

        def whole() -> tuple[bytes, bool]:
            with self.shelf.settling(store_id):
                body = b"".join(_pieces(work(), dump))
            if not may_pack or len(body) < _WORTH_PACKING:
                return body, False
            return _gzip(body), True

        try:
            body, is_packed = await self.shelf.run(whole)
        except TrackbookError as problem:
            body, is_packed = self.problem(problem), False
        self.set_header("Content-Type", "application/json")
        self.set_header("Vary", "Accept-Encoding")
        if is_packed:
            self.set_header("Content-Encoding", "gzip")
        self.finish(body)


def _pieces(value: Any, dump: Callable[[Any], bytes], depth: int = 4) -> Iterator[bytes]:
    if depth and type(value) is dict and not any(key.startswith("$") for key in value):
        for place, (key, inner) in enumerate(value.items()):
            yield (b"," if place else b"{") + dumps(key) + b":"
            yield from _pieces(inner, dump, depth - 1)
        yield b"}" if value else b"{}"
    elif isinstance(value, Iterator) or (type(value) is list and len(value) > _PIECE):
        between, some = b"[", iter(value)
        while piece := list(islice(some, _PIECE)):
            yield between + dump(piece)[1:-1]
            between = b","
        yield b"]" if between == b"," else b"[]"
    else:
        yield dump(value)


def _gzip(body: bytes) -> bytes:
    squeeze = zlib.compressobj(1, wbits=31)
    return squeeze.compress(body) + squeeze.flush()


class RunsHandler(TableHandler):
    """``stores/<id>/runs``."""

    @web.authenticated
    @authorized
    async def get(self, store_id: str) -> None:
        """The table of runs, whole or what changed ``since`` a revision.

        ``form=packed`` gives it column by column, with the columns named in ``with`` (a JSON list)
        besides those shown at first; ``layout`` is that of the columns which the caller has.
        """
        since = self.get_query_argument("since", None)
        query = {
            "where": self.get_query_argument("where", "") or None,
            "experiment": self.get_query_argument("experiment", "") or None,
            "sort": self.get_query_argument("sort", "") or _NEWEST,
            "archived": self.get_query_argument("archived", "") in ("1", "true"),
        }
        limit = _limit(self.get_query_argument("limit", ""))
        if self.get_query_argument("form", "") != "packed":
            await self.answer_large(
                store_id, lambda: _runs(self.shelf, store_id, since, query, limit), dumps
            )
            return
        if self.get_query_argument("trash", "") in ("1", "true"):
            query["trash"] = True
        wanted = _names(self.get_query_argument("with", "[]"))
        layout = self.get_query_argument("layout", None)

        def work() -> dict[str, Any]:
            return _packed(self.shelf, store_id, since, query, limit, wanted, layout)

        await self.answer_large(store_id, work, written)

    @web.authenticated
    @authorized
    async def patch(self, store_id: str) -> None:
        """Lay one change over many runs: ``{"ids": [...], "change": {...}}``.

        Answers with the id of each edit, which ``stores/<id>/edits`` takes to undo them.
        """
        body = self.body("the runs and what to change")
        ids, change = body.get("ids"), body.get("change")
        if not _are_texts(ids) or not isinstance(change, dict) or body.keys() != {"ids", "change"}:
            raise web.HTTPError(400, 'the body is {"ids": ids of runs, "change": {...}}')
        refuse_findings(change)
        named = list(ids or ())
        await self.answer(lambda: _edit(self.shelf.get(store_id), named, change))


def _limit(text: str) -> int | None:
    if text and not text.isdecimal():
        raise web.HTTPError(400, "limit is a whole number")
    return int(text) if text else None


def _names(text: str) -> list[str]:
    try:
        names = loads(text)
    except ValueError:
        names = None
    if not _are_texts(names):
        raise web.HTTPError(400, "with is a JSON list of the keys of columns")
    return list(names)


def _are_texts(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= _MOST_EDITED
        and all(isinstance(one, str) for one in value)
    )


def _runs(
    shelf: Shelf, store_id: str, since: str | None, query: dict[str, Any], limit: int | None
) -> dict[str, Any]:
    revision, changes = shelf.changes(store_id, since)
    documents = shelf.get(store_id).find(**query)
    # A run that moved to another place, or out of the first ones, is more than a delta can say.
    full = changes.full or query["sort"] != _NEWEST or limit is not None
    shown = documents[:limit]
    there = set(documents.ids())
    table = columns.table(shown, total=len(documents), only=())
    return {
        "revision": revision,
        "full": full,
        "table": {**table, "rows": columns.rows(shown, None if full else changes.ids)},
        "removed": [] if full else [run_id for run_id in changes.ids if run_id not in there],
    }


def _packed(
    shelf: Shelf,
    store_id: str,
    since: str | None,
    query: dict[str, Any],
    limit: int | None,
    wanted: list[str],
    layout: str | None,
) -> dict[str, Any]:
    revision, changes = shelf.changes(store_id, since)
    trash = query.pop("trash", False)
    found = _trash(shelf.get(store_id)) if trash else shelf.get(store_id).find(**query)
    # A run that moved to another place, or out of the first ones, is more than a delta can say.
    full = changes.full or query["sort"] != _NEWEST or limit is not None
    there = set(found.ids()) if not full else set()
    return {
        "revision": revision,
        "full": full,
        "table": packed.table(
            found[:limit],
            total=len(found),
            only=None if full else set(changes.ids),
            wanted=wanted,
            layout=layout,
        ),
        "removed": [] if full else [run_id for run_id in changes.ids if run_id not in there],
    }


def _trash(store: Store) -> Found:
    return store.trash() if isinstance(store, LocalStore) else store.find()[:0]


def _edit(store: Store, ids: list[str], change: dict[str, Any]) -> dict[str, Any]:
    """The ids of the edits, and what went wrong with a run that could not be edited."""
    edits, problems = {}, {}
    for run_id in dict.fromkeys(ids):
        try:
            store.edit(run_id, change)
            edits[run_id] = store.edits(run_id)[-1]["id"]
        except TrackbookError as problem:
            if len(ids) == 1:
                raise
            problems[run_id] = str(problem)
    return {"edits": edits, "problems": problems}


class EditsHandler(Handler):
    """``stores/<id>/edits``."""

    @web.authenticated
    @authorized
    async def patch(self, store_id: str) -> None:
        """Undo edits of many runs: ``{"undo": {<run>: <id of its edit>}}``; of an undo, redo it."""
        body = self.body("the edits to undo")
        undo = body.get("undo")
        named = isinstance(undo, dict) and all(isinstance(edit, str) for edit in undo.values())
        if body.keys() != {"undo"} or not named:
            raise web.HTTPError(400, 'the body is {"undo": {"<run>": "<edit>"}}')
        assert isinstance(undo, dict)
        await self.answer(lambda: _undo(self.shelf.get(store_id), undo))


def _undo(store: Store, undo: dict[str, str]) -> dict[str, Any]:
    edits, problems = {}, {}
    for run_id, edit in undo.items():
        try:
            store.undo(run_id, edit)
            edits[run_id] = store.edits(run_id)[-1]["id"]
        except TrackbookError as problem:
            problems[run_id] = str(problem)
    return {"edits": edits, "problems": problems}


class CurvesHandler(Handler):
    """``stores/<id>/curves``."""

    @web.authenticated
    @authorized
    async def get(self, store_id: str) -> None:
        """A small curve of each of the ``runs``: ``{id: {key, values}}``, null without one."""
        ids = [run for run in self.get_query_argument("runs", "").split(",") if run]
        if not ids or len(ids) > _MOST_CURVES:
            raise web.HTTPError(400, f"name 1 to {_MOST_CURVES} runs: runs=a,b")
        await self.answer(lambda: {"curves": _curves(self.shelf.get(store_id), ids)})


def _curves(store: Store, ids: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for run_id in ids:
        try:
            document = store.document(run_id)
            key = sparklines.key_of(document)
            points = store.points(run_id, [key]).get(key) if key else None
        except TrackbookError:
            # A run that went away, or whose points cannot be read, has no curve.
            points = None
        found[run_id] = None if points is None else sparklines.curve(str(key), points)
    return found


_STORE = r"stores/([^/]+)"
HANDLERS = [
    (url_path_join("/trackbook", route), handler)
    for route, handler in (
        (f"{_STORE}/runs", RunsHandler),
        (f"{_STORE}/edits", EditsHandler),
        (f"{_STORE}/curves", CurvesHandler),
    )
]
