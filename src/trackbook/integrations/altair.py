"""Altair charts that show without a network.

Altair's default output is HTML that loads its program from a CDN. Beside it we put the chart
itself, which our panel's renderer draws; other front ends show the HTML as before.
"""

from __future__ import annotations

import sys
from typing import Any

from ..capture.patch import Guard
from .arrival import Arrivals

NAME = "trackbook"
_arrivals = Arrivals()


def show_offline() -> None:
    """From Altair's import on, unless the user chooses a renderer of their own."""
    if "altair" in sys.modules:
        _guarded_enable()
    else:
        _arrivals.expect({"altair": (_guarded_enable,)})


def undo() -> None:
    """Altair's default output again."""
    _arrivals.expect({})
    altair = sys.modules.get("altair")
    if altair is not None and altair.renderers.active == NAME:
        altair.renderers.enable("default")


def _guarded_enable() -> None:
    Guard("Altair charts").run(_enable)


def _enable() -> None:
    import altair as alt

    if alt.renderers.active != "default":
        return
    html = alt.renderers.get()
    with alt.renderers.enable("mimetype"):
        chart = alt.renderers.get()

    def both(spec: dict[str, Any], **options: Any) -> dict[str, Any]:
        drawn = {_type(kind): data for kind, data in chart(spec)[0].items() if "vega" in kind}
        return {**html(spec, **options), **drawn}

    alt.renderers.register(NAME, both)
    alt.renderers.enable(NAME)


def _type(kind: str) -> str:
    # A notebook may hold JSON only under a type that ends in +json; Altair 6 ends its in .json.
    return kind.removesuffix("+json").removesuffix(".json") + "+json"
