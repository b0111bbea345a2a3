"""The routes: they read arguments, ask in the worker thread, and turn errors into status codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from ..errors import InvalidValue, QueryError, RunNotFound, TrackbookError, UntrustedRun
from ..jsonable import dumps, loads
from ..reading import Run
from ..views import charts, columns

if TYPE_CHECKING:
    from .shelf import Shelf


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
            body = self.problem(problem)
        self.set_header("Content-Type", "application/json")
        self.finish(body)

    def problem(self, problem: TrackbookError) -> bytes:
        """Set the status, and give the JSON that says what is wrong, and where in ``where``."""
        self.set_status(_status(problem))
        place = {"position": problem.position} if isinstance(problem, QueryError) else {}
        code = {"code": problem.code} if isinstance(problem, UntrustedRun) else {}
        return dumps({"message": str(problem), **place, **code})

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


def refuse_findings(change: Mapping[str, Any]) -> None:
    """400 where a person would change what was found out about a run."""
    if not change.keys().isdisjoint(_FOUND_OUT):
        raise web.HTTPError(400, "what was found out about a run is not a person's to change")


class StoresHandler(Handler):
    """``stores``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The registered stores, and the one of ``path``."""
        path = self.get_query_argument("path", "")
        await self.answer(lambda: self.shelf.listing(path))


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
        refuse_findings(change)

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
        (rf"{_STORE}/runs/([^/]+)", RunHandler),
        (rf"{_STORE}/runs/([^/]+)/edits", EditsHandler),
    )
]
