"""The routes of a comparison: its outline, charts as data, code and images side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import url_path_join
from tornado import web

from ..errors import InvalidValue, TrackbookError
from ..jsonable import loads
from ..reading import Comparison, OpenStore
from ..reading.executed import difference
from ..reading.kept import by_name, lines
from .handlers import Handler
from .shelf import Shelf

MOST_RUNS = 50
# So many points a run and in all: more than a screen has pixels, less than a browser minds.
_LEAST_POINTS, _MOST_POINTS, _MOST_IN_ALL = 100, 4000, 24_000
_MOST_IMAGE = 32 * 1024 * 1024
_SIGNS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}


class Comparing(Handler):
    """What all routes of a comparison share."""

    def refs(self) -> list[str]:
        """The runs that were named; 400 for none and for too many."""
        refs = [ref for ref in self.get_query_argument("refs", "").split(",") if ref]
        if not refs:
            raise web.HTTPError(400, "name the runs to compare: refs=a,b")
        if len(refs) > MOST_RUNS:
            raise web.HTTPError(400, f"up to {MOST_RUNS} runs are compared, not {len(refs)}")
        return refs


def _compared(shelf: Shelf, store_id: str, refs: Sequence[str]) -> Comparison:
    return OpenStore(shelf.get(store_id)).compare(*refs)


class OutlineHandler(Comparing):
    """``stores/<id>/compare``."""

    @web.authenticated
    @authorized
    async def get(self, store_id: str) -> None:
        """What differs among ``refs``, and what there is to be charted."""
        refs = self.refs()
        await self.answer(
            lambda: {**_compared(self.shelf, store_id, refs).outline, "charts": [], "diff": ""}
        )


class ChartHandler(Comparing):
    """``stores/<id>/compare/chart``."""

    @web.authenticated
    @authorized
    async def get(self, store_id: str) -> None:
        """A chart of ``kind`` and ``key`` with ``options`` (JSON), for ``width`` px.

        Its data come apart from its specification, column by column; with ``spec=0`` alone.
        """
        refs = self.refs()
        asked: dict[str, Any] = {
            "kind": self.get_query_argument("kind", "curves"),
            "key": self.get_query_argument("key", "") or None,
            "options": options(self.get_query_argument("options", "{}")),
            "legend": self.get_query_argument("legend", "") == "1",
        }
        width = self.get_query_argument("width", "600")
        if not width.isdecimal():
            raise web.HTTPError(400, "width is a whole number")
        most = min(2 * int(width), _MOST_POINTS, _MOST_IN_ALL // len(refs))
        whole = self.get_query_argument("spec", "1") != "0"

        def work() -> dict[str, Any]:
            compared = _compared(self.shelf, store_id, refs)
            return chart(compared, **asked, most=max(most, _LEAST_POINTS), whole=whole)

        await self.answer(work)


def chart(
    compared: Comparison,
    *,
    kind: str,
    key: str | None,
    options: Mapping[str, Any],
    legend: bool,
    most: int,
    whole: bool,
) -> dict[str, Any]:
    """The chart as a front end gets it: ``spec`` without data, ``columns``, and its Python."""
    extra = {"most": most} if kind == "curves" else {}
    spec = compared.spec(kind, key, **options, **extra, legend=legend)
    rows = spec["data"].pop("values")
    names = dict.fromkeys(name for row in rows for name in row)
    return {
        "spec": {**spec, "data": {"values": []}} if whole else None,
        "columns": {name: [row.get(name) for row in rows] for name in names},
        "python": compared.line(kind, key or "", options),
    }


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_range(value: Any) -> bool:
    both = isinstance(value, list) and len(value) == 2
    return both and all(end is None or _is_number(end) for end in value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_OPTIONS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("x", "log", "by", "color"), _is_text),
    "smoothing": _is_number,
    "within": _is_range,
    "axes": _is_words,
    "bins": _is_whole,
}


def options(text: str) -> dict[str, Any]:
    """The options of a chart from JSON; 400 for what no chart has, and for the wrong type."""
    try:
        found = loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise web.HTTPError(400, "options is a JSON object")
    for name, value in found.items():
        if name not in _OPTIONS:
            raise web.HTTPError(400, f"there is no option {name!r:.40}; see {sorted(_OPTIONS)}")
        if not _OPTIONS[name](value):
            raise web.HTTPError(400, f"{name} cannot be {value!r:.40}")
    return found


class CodeHandler(Comparing):
    """``stores/<id>/compare/code``."""

    @web.authenticated
    @authorized
    async def get(self, store_id: str) -> None:
        """How cells and patch of the second of two ``refs`` differ from those of the first."""
        refs = self.refs()
        if len(refs) != 2:
            raise web.HTTPError(400, f"code is laid side by side of two runs, not of {len(refs)}")

        def work() -> dict[str, Any]:
            there = OpenStore(self.shelf.get(store_id))
            return difference(there.get_run(refs[0]), there.get_run(refs[1]))

        await self.answer(work)


class ImagesHandler(Comparing):
    """``stores/<id>/compare/images``."""

    @web.authenticated
    @authorized
    async def get(self, store_id: str) -> None:
        """The images of ``refs`` by name, each with its steps in each run."""
        refs = self.refs()
        await self.answer(lambda: {"images": images(_compared(self.shelf, store_id, refs))})


def images(compared: Comparison) -> list[dict[str, Any]]:
    """``name``, and for each run the steps at which it logged it; null for a run without."""
    found = [
        {
            name: line.get("steps") or [line.get("step")]
            for name, line in by_name(lines(run._store, run.id)).items()
            if str(line.get("type")) in _SIGNS.values()
        }
        for run in compared.runs
    ]
    names = dict.fromkeys(name for steps in found for name in steps)
    return [{"name": name, "steps": [steps.get(name) for steps in found]} for name in names]


class ImageHandler(Handler):
    """``stores/<id>/runs/<run>/image``."""

    @web.authenticated
    @authorized
    async def get(self, store_id: str, run_id: str) -> None:
        """The bytes of an image artifact, ``name`` at ``step``; nothing but pixels is served."""
        name = self.get_query_argument("name")
        step = self.get_query_argument("step", "")
        if step and not step.lstrip("-").isdecimal():
            raise web.HTTPError(400, "step is a whole number")

        def work() -> bytes:
            there = OpenStore(self.shelf.get(store_id))
            path = there.get_run(run_id).artifact(name, int(step) if step else None)
            if not path.is_file() or path.stat().st_size > _MOST_IMAGE:
                raise InvalidValue(f"{name!r:.80} is no image of up to 32 MB")
            return path.read_bytes()

        try:
            data = await self.shelf.run(work)
        except TrackbookError as problem:
            raise web.HTTPError(404, str(problem)) from None
        kind = next((kind for sign, kind in _SIGNS.items() if data.startswith(sign)), None)
        if kind is None:
            raise web.HTTPError(404, f"{name!r:.80} is no PNG, JPEG or GIF")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "default-src 'none'; sandbox")
        self.finish(data, set_content_type=kind)


_STORE = r"stores/([^/]+)"
HANDLERS = [
    (url_path_join("/trackbook", route), handler)
    for route, handler in (
        (f"{_STORE}/compare", OutlineHandler),
        (f"{_STORE}/compare/chart", ChartHandler),
        (f"{_STORE}/compare/code", CodeHandler),
        (f"{_STORE}/compare/images", ImagesHandler),
        (rf"{_STORE}/runs/([^/]+)/image", ImageHandler),
    )
]
