"""The table of runs as a widget: in JupyterLab, VS Code and Colab, with no server of ours."""

from __future__ import annotations

from collections.abc import Callable, Set
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from .errors import QueryError
from .jsonable import encode

_ROWS = 100

Ask = Callable[[str, str, int], tuple[dict[str, Any], Set[str]]]
"""``ask(where, sort, limit)``: the table with its first rows, and the ids of all runs found."""


class RunsWidget(anywidget.AnyWidget):
    """A table of runs: ``where`` filters it, ``sort`` orders it, ``selected`` are the ticked runs.

    All three work in both directions and compose with ipywidgets. ``selected`` holds run ids, in
    the order in which they were ticked; those that ``where`` leaves out go. A ``where`` or ``sort``
    that is not accepted leaves the table as it is and says so in ``problem``. The kernel filters
    and sorts, so that a page without a server of ours has all of it.
    """

    _esm = Path(__file__).with_name("widget.js")

    selected = traitlets.List(traitlets.Unicode()).tag(sync=True)
    where = traitlets.Unicode("").tag(sync=True)
    sort = traitlets.Unicode("").tag(sync=True)
    problem = traitlets.Unicode("", read_only=True).tag(sync=True)
    table = traitlets.Dict(read_only=True).tag(sync=True)

    def __init__(self, ask: Ask, *, where: str = "", sort: str = "") -> None:
        self._ask = ask
        self._limit = _ROWS
        super().__init__(where=where, sort=sort)
        self.refresh()
        self.observe(self._anew, names=["where", "sort"])
        self.on_msg(self._told)

    def refresh(self) -> None:
        """Show the runs as they are now."""
        try:
            table, found = self._ask(self.where, self.sort, self._limit)
        except QueryError as problem:
            self.set_trait("problem", str(problem))
            return
        self.set_trait("problem", "")
        self.set_trait("table", encode(table))
        self.selected = [run_id for run_id in self.selected if run_id in found]

    def _anew(self, change: Any) -> None:
        self._limit = _ROWS
        self.refresh()

    def _told(self, widget: Any, message: Any, buffers: Any) -> None:
        # What a front end says is not to be trusted with more than this.
        kind = message.get("kind") if isinstance(message, dict) else None
        if kind == "more":
            self._limit += 5 * _ROWS
        if kind in ("more", "refresh"):
            self.refresh()
