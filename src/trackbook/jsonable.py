"""The only encoder: Python values to JSON and back, on disk and over HTTP alike.

JSON has no NaN, no infinity and (in most readers) no integers beyond 64 bits, so those travel as
``{"$float": "nan"}`` and ``{"$int": "123..."}``. A user's own mapping whose only key starts with
``$`` is wrapped as ``{"$dict": [[key, value]]}`` so that it comes back as it was.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import math
import os
from collections.abc import Mapping
from typing import Any

import orjson

from .errors import InvalidValue

_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
_MAX_DEPTH = 60
# Python writes no larger integers as text.
_MAX_BITS = 13_288


def to_plain(value: Any, what: str = "value") -> Any:
    """Turn a value into JSON's own types, keeping types: numpy and torch scalars become Python's.

    Mappings, sequences, sets, dataclasses, namespaces, enums, paths and datetimes are converted;
    floats stay floats (also NaN). Raises ``InvalidValue`` naming ``what`` for anything else.
    """
    return _plain(value, what, 0)


def _plain(value: Any, what: str, depth: int) -> Any:
    kind = type(value)
    if kind is int and value.bit_length() > _MAX_BITS:
        raise InvalidValue(f"{what} has more than 4,000 digits; log str(...) of it, or a float")
    if value is None or kind in (bool, int, float, str):
        return value
    if depth > _MAX_DEPTH:
        raise InvalidValue(f"{what} is nested deeper than {_MAX_DEPTH} levels or contains itself")
    if isinstance(value, Mapping):
        return {_key(k): _plain(v, f"{what}[{k!r:.40}]", depth + 1) for k, v in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_plain(v, what, depth + 1) for v in value]
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(v, what, depth + 1) for v in value), key=repr)
    return _plain_object(value, what, depth)


def _plain_object(value: Any, what: str, depth: int) -> Any:
    if isinstance(value, enum.Enum):
        return _plain(value.value, what, depth + 1)
    for base in (bool, int, float, str):
        if isinstance(value, base):
            return base(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return _plain(fields, what, depth + 1)
    if type(value).__name__ in ("Namespace", "SimpleNamespace"):
        return _plain(vars(value), what, depth + 1)
    scalar = _array_to_plain(value)
    if scalar is not NotImplemented:
        return _plain(scalar, what, depth + 1)
    raise InvalidValue(
        f"{what} is a {type(value).__name__}, which cannot be kept as data; "
        "log a number, string, list or dict, or str(...) of it"
    )


def _array_to_plain(value: Any) -> Any:
    """Scalars and short arrays of numpy, torch and their like, without importing any of them."""
    if isinstance(value, type):
        return NotImplemented
    item, tolist = getattr(value, "item", None), getattr(value, "tolist", None)
    shape = getattr(value, "shape", None)
    if callable(item) and shape is not None and math.prod(shape) == 1 and len(shape) == 0:
        plain = item()
        return plain if not isinstance(plain, type(value)) else NotImplemented
    if callable(tolist) and shape is not None and math.prod(shape) <= 1000:
        return tolist()
    return NotImplemented


def _key(key: Any) -> str:
    return key if isinstance(key, str) else str(key)


def encode(value: Any) -> Any:
    """Replace what JSON cannot say (non-finite floats, huge integers) by its ``$`` form."""
    kind = type(value)
    if kind is float:
        return value if math.isfinite(value) else {"$float": str(value)}
    if kind is int:
        return value if _INT_MIN <= value <= _INT_MAX else {"$int": str(value)}
    if kind is dict:
        encoded = {k: encode(v) for k, v in value.items()}
        if len(encoded) == 1 and next(iter(encoded)).startswith("$"):
            return {"$dict": [[k, v] for k, v in encoded.items()]}
        return encoded
    if kind is list or kind is tuple:
        return [encode(v) for v in value]
    return value


def decode(value: Any) -> Any:
    """The inverse of ``encode``."""
    if type(value) is dict:
        if len(value) == 1:
            ((key, inner),) = value.items()
            if key == "$float" and isinstance(inner, str):
                return float(inner)
            if key == "$int" and isinstance(inner, str):
                return int(inner)
            if key == "$dict" and isinstance(inner, list):
                return {_key_of(pair): decode(pair[1]) for pair in inner}
        return {k: decode(v) for k, v in value.items()}
    if type(value) is list:
        return [decode(v) for v in value]
    return value


def _key_of(pair: Any) -> str:
    if type(pair) is list and len(pair) == 2 and isinstance(pair[0], str):
        return pair[0]
    raise ValueError(f"{pair!r:.40} is no [key, value] of a $dict")


def dumps(value: Any, *, pretty: bool = False) -> bytes:
    """JSON bytes of plain data (see ``to_plain``)."""
    return written(encode(value), pretty=pretty)


def written(encoded: Any, *, pretty: bool = False) -> bytes:
    """JSON bytes of what ``encode`` made."""
    try:
        return orjson.dumps(encoded, option=orjson.OPT_INDENT_2 if pretty else 0)
    except TypeError:
        # Lone surrogates: only the standard library writes (and reads) their escapes.
        return json.dumps(encoded, indent=2 if pretty else None).encode("ascii")


def loads(data: bytes | str) -> Any:
    """Plain data of JSON bytes; raises ``ValueError`` where they are not JSON."""
    marker = b'"$' if isinstance(data, bytes) else '"$'
    try:
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError:
            value = json.loads(data)
        return decode(value) if marker in data else value  # type: ignore[operator]
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
