"""The routes: they read arguments, ask in the worker thread, and turn errors into status codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from ..errors import InvalidValue, QueryError, RunNotFound, TrackbookError, UntrustedRun
from ..jsonable import dumps, loads
from ..reading import OpenStore, Run
from ..views import charts, columns

if TYPE_CHECKING:
    from .shelf import Shelf

_NEWEST = "-started"


class Handler(APIHandler):
    """What all routes share: who may ask, and how answers and errors look."""

    auth_resource = "trackbook"

    @property
    def shelf(self) -> Shelf:
        """The stores of this server."""
        shelf: Shelf = self.settings["trackbook_shelf"]
        return shelf

    async def answer(self, work: Callable[[], Any]) -> None:
        """Reply with the JSON of ``work``, which is done in the worker thread."""
        try:
            # Encoding a large table takes a while too.
            body = await self.shelf.run(lambda: dumps(work()))
        except TrackbookError as problem:
            self.set_status(_status(problem))
            told = {"message": str(problem)}
            body = dumps(
                {**told, "code": problem.code} if isinstance(problem, UntrustedRun) else told
            )
        self.set_header("Content-Type", "application/json")
        self.finish(body)

    def body(self, what: str) -> dict[str, Any]:
        """The JSON object that was sent; 400 where it is none, which says ``what`` is missing."""
        try:
            sent = loads(self.request.body)
        except ValueError:
            sent = None
        if not isinstance(sent, dict):
            raise web.HTTPError(400, f"the body is a JSON object of {what}")
        return sent


def _status(problem: TrackbookError) -> int:
    if isinstance(problem, RunNotFound):
        return 404
    if isinstance(problem, UntrustedRun):
        return 403
    return 400 if isinstance(problem, QueryError | InvalidValue) else 500


# How a kernel died, and what a replay says.
_FOUND_OUT = frozenset({"death", "replay", "verdict"})


class StoresHandler(Handler):
    """``stores``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The registered stores, and the one of ``path``."""
        path = self.get_query_argument("path", "")
        await self.answer(lambda: self.shelf.listing(path))


class RunsHandler(Handler):
    """``stores/<id>/runs``."""

    @web.authenticated
    @authorized
    async def get(self, store_id: str) -> None:
        """The table of runs, whole or what changed ``since`` a revision."""
        since = self.get_query_argument("since", None)
        query = {
            "where": self.get_query_argument("where", "") or None,
            "experiment": self.get_query_argument("experiment", "") or None,
            "sort": self.get_query_argument("sort", "") or _NEWEST,
            "archived": self.get_query_argument("archived", "") in ("1", "true"),
        }
        limit = _limit(self.get_query_argument("limit", ""))
        await self.answer(lambda: _runs(self.shelf, store_id, since, query, limit))


def _limit(text: str) -> int | None:
    if text and not text.isdecimal():
        raise web.HTTPError(400, "limit is a whole number")
    return int(text) if text else None


def _runs(
    shelf: Shelf, store_id: str, since: str | None, query: dict[str, Any], limit: int | None
) -> dict[str, Any]:
    revision, changes = shelf.changes(store_id, since)
    documents = shelf.get(store_id).find(**query)
    # A run that moved to another place, or out of the first ones, is more than a delta can say.
    full = changes.full or query["sort"] != _NEWEST or limit is not None
    shown = documents[:limit]
    there = set(documents.ids())
    return {
        "revision": revision,
        "full": full,
        "table": columns.table(shown, total=len(documents), only=None if full else changes.ids),
        "removed": [] if full else [run_id for run_id in changes.ids if run_id not in there],
    }


class CompareHandler(Handler):
    """``stores/<id>/compare``."""

    @web.authenticated
    @authorized
    async def get(self, store_id: str) -> None:
        """The comparison of ``refs``."""
        refs = [ref for ref in self.get_query_argument("refs", "").split(",") if ref]
        if not refs:
            raise web.HTTPError(400, "name the runs to compare: refs=a,b")
        await self.answer(lambda: OpenStore(self.shelf.get(store_id)).compare(*refs).view)


class RunHandler(Handler):
    """``stores/<id>/runs/<run>``."""

    @web.authenticated
    @authorized
    async def get(self, store_id: str, run_id: str) -> None:
        """One run with its charts and artifacts."""
        await self.answer(lambda: _run(self.shelf, store_id, run_id))

    @web.authenticated
    @authorized
    async def patch(self, store_id: str, run_id: str) -> None:
        """Lay a person's change over the run."""
        change = self.body("what to change")
        if not change.keys().isdisjoint(_FOUND_OUT):
            raise web.HTTPError(400, "what was found out about a run is not a person's to change")

        def edit() -> dict[str, Any]:
            store = self.shelf.get(store_id)
            store.edit(run_id, change)
            return {"row": columns.row(store.document(run_id))}

        await self.answer(edit)


def _run(shelf: Shelf, store_id: str, run_id: str) -> dict[str, Any]:
    store = shelf.get(store_id)
    document = store.document(run_id)
    return {
        "run": document,
        "row": columns.row(document),
        "charts": charts.charts_for([document], {run_id: store.points(run_id)}),
        "artifacts": list(Run(store, document).artifacts.values()),
    }


class EditsHandler(Handler):
    """``stores/<id>/runs/<run>/edits``."""

    @web.authenticated
    @authorized
    async def get(self, store_id: str, run_id: str) -> None:
        """The history of a run's edits, undone ones too."""
        await self.answer(lambda: {"edits": self.shelf.get(store_id).edits(run_id)})

    @web.authenticated
    @authorized
    async def patch(self, store_id: str, run_id: str) -> None:
        """Undo an edit: ``{"undo": <its id>}``, or null for the last; undoing an undo redoes."""
        body = self.body("the edit to undo")
        edit = body.get("undo")
        if body.keys() != {"undo"} or not isinstance(edit, str | None):
            raise web.HTTPError(400, 'the body is {"undo": the id of an edit, or null}')

        def undo() -> dict[str, Any]:
            store = self.shelf.get(store_id)
            store.undo(run_id, edit)
            return {"row": columns.row(store.document(run_id)), "edits": store.edits(run_id)}

        await self.answer(undo)


_STORE = r"stores/([^/]+)"
HANDLERS = [
    (url_path_join("/trackbook", route), handler)
    for route, handler in (
        ("stores", StoresHandler),
        (f"{_STORE}/runs", RunsHandler),
        (f"{_STORE}/compare", CompareHandler),
        (rf"{_STORE}/runs/([^/]+)", RunHandler),
        (rf"{_STORE}/runs/([^/]+)/edits", EditsHandler),
    )
]
