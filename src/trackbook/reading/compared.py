"""Runs side by side, read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..errors import InvalidValue
from ..model import flatten
from ..views import charts, columns, comparison, html, text
from . import bundle, frames
from .run import Run

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from ..store import Store


class Comparison:
    """Some runs side by side: what differs first, then charts and code."""

    def __init__(self, runs: Sequence[Run], store: Store) -> None:
        self.runs = list(runs)
        self._store = store

    def to_pandas(self) -> pd.DataFrame:
        """One row a run, in the order they were named; the columns are those of ``Runs``."""
        return frames.runs(self._documents)

    def params(self) -> pd.DataFrame:
        """The params that differ, one row each, one column a run."""
        import pandas as pd

        records = [flatten(document.get("params") or {}) for document in self._documents]
        keys = columns.varying(records)
        names = columns.labels(self._documents)
        values = {
            frames.name_of(name): [record.get(key) for key in keys]
            for name, record in zip(names, records, strict=True)
        }
        index = pd.Index([frames.name_of(key) for key in keys], name="param")
        return pd.DataFrame(values, index=index, dtype="object")

    def code(self) -> str:
        """The unified diff of each run's cells against the first run's."""
        return comparison.differences(self._documents, self._sources)

    def chart(
        self,
        kind: str = "curves",
        key: str | None = None,
        *,
        width: int | str = 480,
        height: int | None = None,
    ) -> alt.Chart:
        """An Altair chart of a metric (default: the headline) over the runs.

        ``kind`` is ``curves`` (every step) or ``bars`` (the last value).
        """
        import altair as alt

        if kind not in charts.CHARTS:
            raise InvalidValue(f"there is no chart {kind!r}; there is {', '.join(charts.CHARTS)}")
        there = charts.ranked_metrics(self._documents)
        if key is None and there:
            key = there[0]
        if key not in there:
            raise InvalidValue(
                f"no run has the metric {key!r}; there is {', '.join(there) or 'none'}"
            )
        size = {} if height is None else {"height": height}
        make = charts.CHARTS[kind]
        return alt.Chart.from_dict(make(self._documents, self._points, key, width=width, **size))

    @cached_property
    def view(self) -> dict[str, Any]:
        """The comparison as plain data, as the front end gets it."""
        return comparison.compare(self._documents, self._points, self._sources)

    @cached_property
    def _documents(self) -> list[dict[str, Any]]:
        return [run._document for run in self.runs]

    @cached_property
    def _points(self) -> dict[str, Any]:
        return {run.id: run._store.points(run.id) for run in self.runs}

    @cached_property
    def _sources(self) -> dict[str, comparison.Code]:
        return {run.id: sources(run) for run in self.runs}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return bundle.of_comparison(self._store.id, self.view)

    def _repr_html_(self) -> str:
        return html.comparison_html(self.view)

    def __repr__(self) -> str:
        return text.comparison_text(self.view)


def sources(run: Run) -> comparison.Code:
    """The run's own cell, and the other executed code cells of its notebook by id."""
    cell = run.cell
    source = (cell.source if cell else None) or ""
    if not (run._document.get("notebook") or {}).get("snapshot"):
        return comparison.Code(source)
    cells = {
        entry["id"]: run._text(entry["source"])
        for entry in run.kept_cells().get("cells") or []
        if entry.get("type") == "code" and entry.get("executed")
    }
    if cell:
        cells.pop(cell.id, None)
    return comparison.Code(source, cells)
