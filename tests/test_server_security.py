"""Who may ask the server what: tried on every route there is, in a real Jupyter server.

The routes are those that the extension has registered, so a new one is tried by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from jupyter_server.auth import Authorizer
from runs import write
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.web import RequestHandler

from trackbook import settings
from trackbook.store import Store, open_store

Fetch = Callable[..., Awaitable[HTTPResponse]]
READS, WRITES = ("get", "head"), ("post", "put", "patch", "delete")
HOSTILE = (
    "..",
    "../../../etc/passwd",
    "..%2f..%2fetc",
    "/etc",
    "<script>alert(1)</script>",
    "20261121-000000-aaaaaaaaaa",
    "x" * 3000,
    "' or True or '",
    "\u202e\ufeff",
)


class NoWrites(Authorizer):
    """Lets everybody read."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return action == "read" and resource in ("trackbook", "events", "server")


class Nothing(Authorizer):
    """Lets nobody in who is logged in."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return False


class Route(NamedTuple):
    """A route with the methods that it has."""

    pattern: str
    methods: tuple[str, ...]

    def at(self, store: str, run: str, rest: str = "x") -> str:
        """An address of the route; ids are quoted."""
        path = self.pattern.rstrip("$")
        for before, value in (("stores/", store), ("runs/", run)):
            path = re.sub(
                rf"{before}\([^)]*\)", lambda _, b=before, v=value: b + quote(v, safe=""), path
            )
        return re.sub(r"\([^)]*\)\??", lambda _: quote(rest, safe=""), path).replace("/?", "/")


@pytest.fixture(params=[True, False], ids=["lenient", "strict"])
def jp_server_config(request: pytest.FixtureRequest) -> dict[str, Any]:
    # By default Jupyter lets everybody in where a handler says nothing: that must not help.
    return server_config(allow_unauthenticated_access=request.param)


def server_config(**more: Any) -> dict[str, Any]:
    return {"ServerApp": {"jpserver_extensions": {"trackbook": True}, **more}}


@pytest.fixture
def served(jp_root_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    store = open_store(jp_root_dir / ".trackbook", create=True)
    assert store.path is not None
    settings.register(store.id, store.path)
    return store


@pytest.fixture
def routes(jp_serverapp: Any) -> list[Route]:
    """Every route of the extension but the static files of the package."""
    [app] = jp_serverapp.extension_manager.extension_apps["trackbook"]
    found = []
    for pattern, handler, *_ in app.handlers:
        path = pattern.removeprefix(jp_serverapp.base_url.rstrip("/"))
        if not path.startswith("/static/"):
            methods = [m for m in (*READS, *WRITES) if has(handler, m)]
            found.append(Route(path, tuple(methods)))
    assert len(found) >= 7
    assert all(route.methods for route in found)
    return found


def has(handler: type[RequestHandler], method: str) -> bool:
    return getattr(handler, method) is not getattr(RequestHandler, method)


def calls(routes: list[Route], *, of: tuple[str, ...] = READS + WRITES) -> Iterator[Any]:
    for route in routes:
        for method in route.methods:
            if method in of:
                yield route, method


async def status(
    base: str, path: str, method: str, headers: dict[str, str] | None = None, query: str = ""
) -> HTTPResponse:
    body = "{}" if method in ("post", "put", "patch") else None
    request = HTTPRequest(
        base.rstrip("/") + path + query,
        method=method.upper(),
        body=body,
        headers=headers or {},
        follow_redirects=False,
    )
    return await AsyncHTTPClient().fetch(request, raise_error=False)


@pytest.fixture
def base(jp_serverapp: Any, jp_http_port: int, jp_base_url: str) -> str:
    return f"http://127.0.0.1:{jp_http_port}{jp_base_url}"


async def test_without_a_login_no_route_answers(
    served: Store, routes: list[Route], base: str, jp_web_app: Any, http_server: Any
) -> None:
    run = write(served)
    for route, method in calls(routes):
        answer = await status(base, route.at(served.id, run), method)
        where = f"{method} {route.pattern}: {answer.code}"
        assert answer.code in (302, 401, 403), where
        if answer.code == 302:
            assert "/login?" in answer.headers["Location"], where
        assert run not in answer.body.decode()


async def test_a_wrong_token_opens_nothing(
    served: Store, routes: list[Route], base: str, http_server: Any
) -> None:
    run = write(served)
    wrong = {"Authorization": "token 0123456789abcdef"}
    for route, method in calls(routes):
        answer = await status(base, route.at(served.id, run), method, wrong)
        assert answer.code in (302, 401, 403), f"{method} {route.pattern}"


@pytest.mark.parametrize("jp_server_config", [server_config(authorizer_class=Nothing)])
async def test_who_may_nothing_gets_nothing(
    served: Store, routes: list[Route], base: str, jp_auth_header: dict[str, str], http_server: Any
) -> None:
    run = write(served)
    for route, method in calls(routes):
        answer = await status(base, route.at(served.id, run), method, jp_auth_header)
        assert answer.code == 403, f"{method} {route.pattern}: {answer.code}"


@pytest.mark.parametrize("jp_server_config", [server_config(authorizer_class=NoWrites)])
async def test_who_may_only_read_changes_nothing(
    served: Store, routes: list[Route], base: str, jp_auth_header: dict[str, str], http_server: Any
) -> None:
    run = write(served)
    for route, method in calls(routes, of=WRITES):
        answer = await status(base, route.at(served.id, run), method, jp_auth_header)
        assert answer.code == 403, f"{method} {route.pattern}: {answer.code}"
    assert served.edits(run) == []
    answer = await status(base, f"/trackbook/stores/{served.id}/runs", "get", jp_auth_header)
    assert answer.code == 200


async def test_a_cookie_alone_changes_nothing(
    served: Store, routes: list[Route], base: str, jp_serverapp: Any, http_server: Any
) -> None:
    """What another site can make the browser send has the cookies and not the XSRF header."""
    run = write(served)
    cookies = await logged_in(base, jp_serverapp.identity_provider.token)
    only = {"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items() if k != "_xsrf")}
    both = {"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())}
    read = await status(base, f"/trackbook/stores/{served.id}/runs/{run}", "get", both)
    assert read.code == 200
    for route, method in calls(routes, of=WRITES):
        for headers in (only, both):
            answer = await status(base, route.at(served.id, run), method, headers)
            assert answer.code == 403, f"{method} {route.pattern}: {answer.code}"
            assert "_xsrf" in answer.body.decode()
    assert served.edits(run) == []


async def logged_in(base: str, token: str) -> dict[str, str]:
    reply = await status(base, "/api", "get", query=f"?token={token}")
    held: SimpleCookie = SimpleCookie()
    for line in reply.headers.get_list("Set-Cookie"):
        held.load(line)
    found = {name: morsel.value for name, morsel in held.items()}
    assert found
    second = await status(
        base,
        "/login",
        "get",
        {"Cookie": "; ".join(f"{k}={v}" for k, v in found.items())},
        query="?next=/",
    )
    for line in second.headers.get_list("Set-Cookie"):
        held.load(line)
    return {name: morsel.value for name, morsel in held.items() if morsel.value}


async def test_only_registered_stores_are_served(
    served: Store,
    routes: list[Route],
    jp_fetch: Fetch,
    tmp_path: Path,
    base: str,
    jp_auth_header: Any,
) -> None:
    other = open_store(tmp_path / "other" / ".trackbook", create=True)
    run = write(other)
    strangers = (other.id, str(other.path), f"../{other.id}", *HOSTILE)
    for route, method in calls([r for r in routes if "stores/(" in r.pattern]):
        for stranger in strangers:
            answer = await status(base, route.at(stranger, run), method, jp_auth_header)
            where = f"{method} {route.pattern} {stranger[:20]}: {answer.code}"
            assert 400 <= answer.code < 500, where
            assert run not in answer.body.decode() or run == stranger, where
    assert other.edits(run) == []


async def test_hostile_run_ids_are_refused_in_words(
    served: Store, routes: list[Route], base: str, jp_auth_header: Any, http_server: Any
) -> None:
    write(served)
    for route, method in calls([r for r in routes if "runs/(" in r.pattern]):
        for hostile in HOSTILE:
            answer = await status(base, route.at(served.id, hostile), method, jp_auth_header)
            where = f"{method} {route.pattern} {hostile[:20]}: {answer.code}"
            assert 400 <= answer.code < 500, where
            assert not answer.headers["Content-Type"].startswith("text/html"), where


async def test_answers_are_neither_guessed_at_nor_framed(
    served: Store, routes: list[Route], base: str, jp_auth_header: Any, http_server: Any
) -> None:
    run = write(served, name="<script>alert(1)</script>", metrics={"acc": [1.0]}, source="x = 1")
    seen = 0
    for route, method in calls(routes, of=("get",)):
        answer = await status(
            base, route.at(served.id, run), method, jp_auth_header, f"?refs={run}&path=x.ipynb"
        )
        if answer.code == 200:
            seen += 1
            assert answer.headers["X-Content-Type-Options"] == "nosniff", route.pattern
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy or "sandbox" in policy, route.pattern
            assert "frame-ancestors 'self'" in policy or "sandbox" in policy, route.pattern
            assert b"<script>alert" not in answer.body or "json" in answer.headers["Content-Type"]
    assert seen >= 6


@pytest.mark.parametrize(
    "where",
    [
        "Query().x == 1",
        "__import__('os').system('true')",
        "(lambda: 1)()",
        "[x for x in (1,)]",
        json.dumps({"_hash": ["==", ["x"], 1]}),
        "params.a.__class__()",
        "'a'.format(1)",
    ],
)
async def test_where_is_an_expression_and_nothing_else(
    served: Store, jp_fetch: Fetch, where: str
) -> None:
    write(served)
    with pytest.raises(HTTPClientError) as failure:
        await jp_fetch("trackbook", "stores", served.id, "runs", params={"where": where})
    assert failure.value.code == 400
