"""The table of runs as a widget, for where our JupyterLab extension is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from .errors import QueryError
from .jsonable import encode

_MOST_ROWS = 500


class RunsWidget(anywidget.AnyWidget):
    """A table of runs: ``where`` filters it, ``selected`` holds the ids of the ticked runs.

    Both work in both directions and compose with ipywidgets; a ``where`` that is not accepted
    leaves the table as it is and says so in ``problem``.
    """

    _esm = Path(__file__).with_name("widget.js")

    selected = traitlets.List(traitlets.Unicode()).tag(sync=True)
    where = traitlets.Unicode("").tag(sync=True)
    problem = traitlets.Unicode("", read_only=True).tag(sync=True)
    table = traitlets.Dict(read_only=True).tag(sync=True)

    def __init__(self, ask: Callable[[str], dict[str, Any]], *, where: str = "") -> None:
        self._ask = ask
        super().__init__(where=where)
        self._refresh()
        self.observe(self._refresh, names="where")

    def _refresh(self, change: Any = None) -> None:
        try:
            table = self._ask(self.where)
        except QueryError as problem:
            self.set_trait("problem", str(problem))
            return
        self.set_trait("problem", "")
        self.set_trait("table", encode({**table, "rows": table["rows"][:_MOST_ROWS]}))
        there = {row["id"] for row in table["rows"]}
        self.selected = [run_id for run_id in self.selected if run_id in there]
