"""Runs and points as pandas frames, with the same columns and types whatever is in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..model import Document
from ..store.column import FALSE, FLOAT, INT, TRUE, WORD
from ..store.rows import Found
from ..views import columns, valuetypes

if TYPE_CHECKING:
    import pandas as pd

    from ..store import Points
    from .columnar import Table

# So many numbers at a time stay in the processor's cache.
_PART = 1 << 15
_WORDS = ("run_id", "name", "experiment", "status")
# The type of a column, whole and with gaps; what shares no type stays as it was logged.
_DTYPES = {
    "bool": ("bool", "boolean"),
    "int": ("int64", "Int64"),
    "float": ("float64", "float64"),
    None: ("object", "object"),
}


def runs(documents: Sequence[Document]) -> pd.DataFrame:
    """One row a run: fixed columns, then ``params.*``, ``metrics.*`` and ``tags.*``."""
    import pandas as pd

    if isinstance(documents, Found):
        return _of_columns(documents)
    records = [columns.flat(document) for document in documents]
    keys = list(dict.fromkeys([*columns.FIELDS, *columns.grouped(records)]))
    data = {name_of(key): _column(key, [record.get(key) for record in records]) for key in keys}
    return pd.DataFrame(data)


def _of_columns(found: Found) -> pd.DataFrame:
    """The same of many runs, without decoding their documents."""
    import pandas as pd

    from .columnar import Table

    table = Table(found)
    data = {name_of(key): _packed(key, table) for key in (*columns.FIELDS, *table.keys())}
    return pd.DataFrame(data, copy=False)


def differing(documents: Sequence[Document]) -> pd.DataFrame:
    """``run_id, name, number``, then the params, metrics and tags that differ among the runs."""
    records = [columns.flat(document) for document in documents]
    measured = [{k: v for k, v in r.items() if k not in columns.FIELDS} for r in records]
    keys = {name_of(k) for k in columns.varying(measured) if not k.startswith("metrics.system/")}
    frame = runs(documents)
    return frame[[k for k in frame.columns if k in ("run_id", "name", "number") or k in keys]]


def history(points: Points | None) -> pd.DataFrame:
    """``step, time, value`` of one metric; empty where it has no points."""
    import numpy as np
    import pandas as pd

    if points is None:
        step, time, value = np.empty(0, "i8"), np.empty(0), np.empty(0)
    else:
        step, time, value = points
    return pd.DataFrame({"step": step, "time": _moments(time), "value": value}, copy=False)


def metrics(
    points: Iterable[tuple[str, Mapping[str, Points]]], keys: Sequence[str]
) -> pd.DataFrame:
    """``run_id, key, step, time, value``: every point of these metrics, run after run."""
    import pandas as pd

    parts = []
    for run_id, of_run in points:
        for key in keys or of_run:
            if key in of_run:
                part = history(of_run[key])
                part.insert(0, "key", name_of(key))
                part.insert(0, "run_id", run_id)
                parts.append(part)
    if parts:
        return pd.concat(parts, ignore_index=True)
    empty = history(None)
    empty.insert(0, "key", pd.Series(dtype="str"))
    empty.insert(0, "run_id", pd.Series(dtype="str"))
    return empty


def name_of(key: str) -> str:
    """The key as pandas can name a column: its names are Arrow's, without lone surrogates."""
    return key.encode("utf-8", "backslashreplace").decode("utf-8")


def _packed(key: str, table: Table) -> Any:
    """A column as ``_column`` makes it of the values."""
    import pandas as pd

    if key == "duration":
        return table.duration()
    cells = table.cells(key)
    has = set() if cells is None else cells.has()
    if cells is None or not has:
        return _column(key, table.values(key))
    if key == "started" and has == {FLOAT}:
        return _moments(cells.numbers)
    if has <= {INT, FLOAT} and (FLOAT in has or key.startswith("metrics.")):
        return cells.floats()
    whole = not cells.gaps.any()
    if has == {INT}:
        numbers = cells.numbers.astype("int64")
        return numbers if whole else pd.arrays.IntegerArray(numbers, cells.gaps)
    if has <= {TRUE, FALSE}:
        switches = cells.kinds == TRUE
        return switches if whole else pd.arrays.BooleanArray(switches, cells.gaps)
    return _words(cells.words) if has == {WORD} else _column(key, table.values(key))


def _words(words: Any) -> Any:
    import pandas as pd

    try:
        return pd.Series(words, dtype="str")
    except UnicodeEncodeError:
        return pd.Series(words, dtype="object")  # Arrow's strings have no lone surrogates


def _column(key: str, values: list[Any]) -> Any:
    import pandas as pd

    if key == "number":
        return pd.Series(values, dtype="int64")
    if key == "started":
        return _moments(values)
    if key == "duration" or key.startswith("metrics."):
        return pd.Series([None if v is None else float(v) for v in values], dtype="float64")
    kind = "str" if key in _WORDS else valuetypes.shared(values)
    if kind == "str":
        return _words(values)
    full, with_gaps = _DTYPES[kind]
    return pd.Series(values, dtype=with_gaps if None in values else full)


def _moments(seconds: Any) -> Any:
    import numpy as np
    import pandas as pd

    seconds = np.asarray(seconds, dtype="float64")
    # Whole microseconds: a float of seconds since 1970 holds no more.
    whole = np.empty(len(seconds), dtype="int64")
    for start in range(0, len(seconds), _PART):
        part = seconds[start : start + _PART] * 1e6
        whole[start : start + _PART] = np.rint(part, out=part)
    return pd.Series(pd.DatetimeIndex(whole.view("M8[us]"), tz="UTC"), copy=False)
