"""Runs side by side, read."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..errors import InvalidValue
from ..model import flatten
from ..views import charts, columns, comparison, html, text
from . import bundle, frames
from .executed import sources
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
        x: str | None = None,
        y: str | None = None,
        width: int | str = 480,
        height: int | None = None,
        **options: Any,
    ) -> alt.Chart:
        """An Altair chart of a metric (``y`` or ``key``; default: the headline) over the runs.

        Parameters
        ----------
        kind
            ``curves`` (every step), ``bar`` (the last value), ``scatter`` (against ``x``),
            ``parallel`` (the params that differ), ``histogram``, or ``importance`` (which params
            go with the metric, with the uncertainty).
        key, y
            The metric; of all but curves also another attribute, such as ``params.lr`` or
            ``metrics.loss.min``.
        x
            Of curves ``"step"``, ``"relative"`` (seconds since the start), ``"time"`` or another
            metric; of a scatter a param or metric.
        options
            Of curves ``smoothing`` (0 to below 1), ``log`` ("x", "y" or "xy"), ``within`` (the
            least and greatest x) and ``most`` (points a run); of a scatter ``color`` and ``log``;
            of bars ``by`` (a param, tag, or "seed" for runs that differ in nothing else); of
            parallel coordinates ``axes``; of a histogram ``bins``.

        Raises ``InvalidValue`` where there is no such chart, metric or option.
        """
        import altair as alt

        size = {"width": width} if height is None else {"width": width, "height": height}
        wanted = y if key is None else key
        return alt.Chart.from_dict(self.spec(kind, wanted, x=x, **options, **size))

    def spec(self, kind: str = "curves", key: str | None = None, **options: Any) -> dict[str, Any]:
        """The chart as a Vega-Lite dict with its data inside; see ``chart``."""
        make = charts.CHARTS.get(kind)
        if make is None:
            raise InvalidValue(f"there is no chart {kind!r}; there is {', '.join(charts.CHARTS)}")
        options = {name: value for name, value in options.items() if value is not None}
        allowed = list(inspect.signature(make).parameters)[3:]
        for name in options:
            if name not in allowed:
                raise InvalidValue(f"{kind} has no option {name!r}; it has {', '.join(allowed)}")
        key = self._key(kind, key)
        points = self._points_of(key, options.get("x")) if kind == "curves" else {}
        return make(self._documents, points, key, **options)

    def line(self, kind: str, key: str, options: Mapping[str, Any]) -> str:
        """The line of Python that makes the chart."""
        refs = ", ".join(_python(run.id) for run in self.runs)
        given = {"kind": kind, "y": key, **options}
        told = ", ".join(f"{name}={_python(value)}" for name, value in given.items())
        return f"tb.compare({refs}).chart({told})"

    def _key(self, kind: str, key: str | None) -> str:
        there = charts.ranked_metrics(self._documents)
        if key is None and there:
            return there[0]
        if key is not None and kind == "curves" and key not in there:
            key = key.removeprefix("metrics.")
        if key is None or (kind == "curves" and key not in there):
            known = ", ".join(there) or "none"
            raise InvalidValue(f"no run has the metric {key!r}; there is {known}")
        return key

    def _points_of(self, *keys: str | None) -> dict[str, Any]:
        wanted = [key for key in keys if key is not None]
        return {run.id: run._store.points(run.id, wanted) for run in self.runs}

    @cached_property
    def outline(self) -> dict[str, Any]:
        """The comparison as plain data, without charts and code."""
        return comparison.outline(self._documents)

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


def _python(value: Any) -> str:
    """The value as Python writes it, with the quotes that people expect."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_python, value))}]"
    return repr(value)
