"""The page at ``trackbook/``: the explorer without JupyterLab, for whoever is logged in."""

from __future__ import annotations

import html
from pathlib import Path

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web

from ..jsonable import dumps

STATIC = Path(__file__).parent.parent / "static"

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",  # what charts set on their elements
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
)
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Trackbook</title>
<link rel="stylesheet" href="{static}/page.css?v={version}">
<script id="jupyter-config-data" type="application/json">{config}</script>
</head>
<body data-jp-theme-light="true">
<div id="trackbook">{note}</div>
<script type="module" src="{static}/main.js?v={version}"></script>
</body>
</html>
"""
_UNBUILT = (
    '<p class="tb-Page-note">This installation of Trackbook has no page: it was installed without '
    "its front end. Install it from a wheel, or run <code>npm run build:prod</code> in its "
    "source.</p>"
)


class PageHandler(JupyterHandler):
    """``trackbook/``."""

    auth_resource = "trackbook"

    @property
    def content_security_policy(self) -> str:
        """Only what the package brings is run, and only this server is asked."""
        return "; ".join((super().content_security_policy, *_POLICY))

    @web.authenticated
    @authorized
    def get(self) -> None:
        """The page; it asks the other routes for what it shows."""
        _ = self.xsrf_token  # sets the cookie that edits need
        built = STATIC / "main.js"
        there = built.exists()
        config = dumps({"baseUrl": self.base_url, "appUrl": "/trackbook"}).decode("utf-8")
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        page = _PAGE.format(
            static=html.escape(url_path_join(self.base_url, "static", "trackbook")),
            version=f"{built.stat().st_mtime_ns:x}" if there else "",
            config=config.replace("<", "\\u003c"),
            note="" if there else _UNBUILT,
        )
        self.finish(page)


HANDLERS = [(r"/trackbook/?", PageHandler)]
