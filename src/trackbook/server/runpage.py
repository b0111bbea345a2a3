"""The routes of the page of one run: its pieces, and the content of its artifacts."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import url_path_join
from tornado import web

from .. import formats
from ..errors import InvalidValue, RunNotFound, StoreError, TrackbookError
from ..jsonable import dumps
from ..model import Document
from ..reading import kept
from ..store import Store
from ..store.os_calls import open_plain
from ..views import columns
from . import notebooks, pieces, previews
from .handlers import Handler

LARGEST_SHOWN = 32_000_000
_CHUNK = 1 << 20
_PICTURES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "avif": "image/avif",
    "svg": "image/svg+xml",
}
# Whatever a browser does with the content, it is a page of nobody that loads and runs nothing.
SANDBOX = (
    "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class PieceHandler(Handler):
    """``stores/<id>/runs/<run>/page/<piece>``."""

    @web.authenticated
    @authorized
    async def get(self, store_id: str, run_id: str, piece: str) -> None:
        """One piece of the page."""
        query = {
            key: [value.decode("utf-8", "replace") for value in values]
            for key, values in self.request.query_arguments.items()
        }
        await self.answer(lambda: self._piece(store_id, run_id, piece, query))

    def _piece(self, store_id: str, run_id: str, piece: str, query: pieces.Query) -> Any:
        store = self.shelf.get(store_id)
        document = store.document(run_id)
        if piece == "snapshot":
            return notebooks.snapshot(store, document, query)
        if piece == "preview":
            line = _line(store, document, query.get("name", [""])[-1], query.get("step", [""])[-1])
            return previews.preview(kept.file(store.blobs, line), line)
        if piece not in pieces.PIECES:
            raise RunNotFound(f"the page of a run has no piece {piece!r:.40}")
        return pieces.PIECES[piece](store, document, query)


class ArtifactHandler(Handler):
    """``stores/<id>/runs/<run>/artifact?name=``: its content, never as a page of this server."""

    @property
    def content_security_policy(self) -> str:
        """Nothing is loaded, run or shared, whoever opens the address."""
        return SANDBOX

    @web.authenticated
    @authorized
    async def get(self, store_id: str, run_id: str) -> None:
        """The bytes; without ``download=1`` only so many as a page can show."""
        if self.request.headers.get("Sec-Fetch-Site") == "cross-site":
            raise web.HTTPError(403, "artifacts are not for pages of other sites")
        name = self.get_query_argument("name", "")
        step = self.get_query_argument("step", "")
        whole = self.get_query_argument("download", "") == "1"
        try:
            file, size = await self.shelf.run(lambda: self._open(store_id, run_id, name, step))
        except TrackbookError as problem:
            self.set_status(404 if not isinstance(problem, InvalidValue) else 400)
            self.finish(dumps({"message": str(problem)}))
            return
        try:
            if size > LARGEST_SHOWN and not whole:
                message = f"{formats.size(size)} are too many to show; download the artifact"
                self.set_status(413)
                self.finish(dumps({"message": message}))
                return
            await self._send(file, name, size)
        finally:
            file.close()

    def _open(self, store_id: str, run_id: str, name: str, step: str) -> tuple[IO[bytes], int]:
        store = self.shelf.get(store_id)
        path = kept.file(store.blobs, _line(store, store.document(run_id), name, step))
        try:
            file = open_plain(path)
        except OSError as problem:
            raise StoreError(f"{name!r:.80} cannot be read: {problem.strerror}") from None
        return file, file.seek(0, 2)

    async def _send(self, file: IO[bytes], name: str, size: int) -> None:
        suffix = name.rpartition(".")[2].lower()
        kind = _PICTURES.get(suffix, "application/octet-stream")
        plain = quote(name.rpartition("/")[2] or "artifact", safe="")
        self.set_header("Content-Type", kind)
        self.set_header("Content-Length", str(size))
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "private, no-cache")
        # A picture in <img> is shown all the same; anything that is opened is only saved.
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{plain}")
        file.seek(0)
        read: Callable[[], bytes] = lambda: file.read(_CHUNK)  # noqa: E731
        while chunk := await self.shelf.run(read):
            self.write(chunk)
            await self.flush()
        self.finish(set_content_type=kind)


def _line(store: Store, document: Document, name: str, step: str) -> dict[str, Any]:
    """The artifact of a name; names are looked up among the run's, never made a path."""
    at = step.lstrip("-")
    if step and not (at.isdecimal() and len(at) < 16):
        raise InvalidValue("step is a whole number")
    lines = kept.lines(store, document["id"])
    found = kept.one(lines, name, int(step) if step else None, columns.label(document))
    if isinstance(found, list):
        raise InvalidValue(f"{name!r:.80} is a folder; name one of its files")
    return found


_RUN = r"stores/([^/]+)/runs/([^/]+)"
HANDLERS = [
    (url_path_join("/trackbook", route), handler)
    for route, handler in (
        (rf"{_RUN}/page/([a-z]+)", PieceHandler),
        (rf"{_RUN}/artifact", ArtifactHandler),
    )
]
