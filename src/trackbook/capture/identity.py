"""What data is: its shape, its types and a hash of its content, within a budget.

Beyond the budget a sample at fixed places is hashed, so that equal data has an equal identity in
every process. No library is imported to ask whether an object is of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import blake3

from ..errors import InvalidValue
from ..store import manifest, os_copies, samples

_BUDGET = samples.BUDGET
_SAMPLE = samples.SAMPLE
# Text and objects are hashed one by one: a cell of them costs as much as so many bytes.
_OBJECT_COST = 400
_PARTS = samples.PARTS
_MOST_COLUMNS = 100


def of_data(data: Any, budget: int = _BUDGET) -> dict[str, Any]:
    """``kind, hash, sampled`` and what else such data has; raises ``InvalidValue``.

    Of an object of more than ``budget`` bytes a sample of a quarter of them is hashed.
    """
    if isinstance(data, str | os.PathLike):
        return of_path(Path(data))
    kind = _kind(data)
    if kind is None:
        raise InvalidValue(
            f"log_input takes a DataFrame, an array, a tensor, a sparse matrix or a path, "
            f"not a {type(data).__name__}"
        )
    return _OF[kind](data, budget)


def is_known(data: Any) -> bool:
    """Whether the object is data in memory that has an identity here."""
    return _kind(data) is not None


def _kind(data: Any) -> str | None:
    pandas, torch, sparse, numpy = map(
        sys.modules.get, ("pandas", "torch", "scipy.sparse", "numpy")
    )
    if pandas is not None and isinstance(data, pandas.DataFrame | pandas.Series | pandas.Index):
        return "table"
    if torch is not None and isinstance(data, torch.Tensor):
        return "tensor"
    if sparse is not None and sparse.issparse(data):
        return "sparse"
    if numpy is not None and isinstance(data, numpy.ndarray | numpy.generic):
        return "array"
    return None


# -- files -----------------------------------------------------------------------------------------


def of_path(path: Path) -> dict[str, Any]:
    """The identity of a file's content or of a folder's; times and owners do not count."""
    try:
        status = path.stat()
        kind = os_copies.kind_of(status.st_mode)
        if kind == "a folder":
            return {"kind": "folder", "path": str(path), **_of_folder(path)}
        if kind is not None:
            raise InvalidValue(f"{path} is {kind}; log_input takes a regular file or a folder")
        digest = blake3.blake3()
        sampled = samples.add_file(digest, path, status.st_size, _BUDGET)
    except FileNotFoundError:
        raise InvalidValue(f"there is no file or folder {path}") from None
    except OSError as problem:
        raise InvalidValue(f"{path} cannot be read: {problem.strerror}") from None
    size = {"bytes": status.st_size}
    return {"kind": "file", "path": str(path), **_told(digest, sampled), **size}


def _of_folder(path: Path) -> dict[str, Any]:
    found = manifest.scan(path)
    share = _BUDGET if found.size <= _BUDGET else _SAMPLE // max(len(found.files), 1)
    digest, sampled = blake3.blake3(), False
    for name, state in found.files.items():
        digest.update(f"{name}\0{state.size}\0".encode("utf-8", "surrogateescape"))
        if share >= 512 or state.size <= share:
            sampled |= samples.add_file(digest, path / name, state.size, share)
        else:
            sampled = True  # too many files to open: their names and sizes have to do
    return {**_told(digest, sampled), "bytes": found.size, "files": len(found.files)}


# -- arrays ----------------------------------------------------------------------------------------


def _of_array(data: Any, budget: int) -> dict[str, Any]:
    import numpy as np

    array = np.asarray(data)
    digest = blake3.blake3(f"array {array.shape} {array.dtype.str}\0".encode())
    cost = array.nbytes if not array.dtype.hasobject else array.size * _OBJECT_COST
    sampled = cost > budget
    part = _sampled(array, cost, np.concatenate, budget // 4) if sampled else array
    digest.update(_bytes_of(part))
    shape = {"shape": list(array.shape), "dtypes": str(array.dtype), "bytes": int(array.nbytes)}
    return {"kind": "array", **_told(digest, sampled), **shape}


def _of_tensor(data: Any, budget: int) -> dict[str, Any]:
    import torch

    tensor = data.detach()
    if tensor.layout != torch.strided:
        raise InvalidValue(f"log_input takes dense tensors, not {tensor.layout}")
    size = tensor.numel() * tensor.element_size()
    digest = blake3.blake3(f"tensor {tuple(tensor.shape)} {tensor.dtype}\0".encode())
    sampled = size > budget
    # Only what is hashed leaves the device.
    part = _sampled(tensor, size, torch.cat, budget // 4) if sampled else tensor
    part = part.cpu().contiguous()
    # As bytes: numpy does not have every type that torch has.
    digest.update(memoryview(part.flatten().view(torch.uint8).numpy()))
    shape = {"shape": list(tensor.shape), "dtypes": str(tensor.dtype), "bytes": size}
    return {"kind": "tensor", **_told(digest, sampled), **shape}


def _sampled(array: Any, cost: int, join: Callable[[list[Any], int], Any], most: int) -> Any:
    """Evenly spaced slices along the longest axes, first and last among them."""
    while cost > most:
        axis = max(range(len(array.shape)), key=lambda i: array.shape[i])
        length = array.shape[axis]
        before = (slice(None),) * axis
        places = _places(length, min(length * most // cost, length - 1))
        array = join([array[(*before, slice(*place))] for place in places], axis)
        cost = cost * sum(end - start for start, end in places) // length
    return array


def _places(length: int, keep: int) -> list[tuple[int, int]]:
    """Evenly spaced stretches, ``(start, end)``, of about so many places below a length."""
    run = max(keep // _PARTS, 1)
    parts = min(_PARTS, max(keep, 1))
    starts = dict.fromkeys((length - run) * i // max(parts - 1, 1) for i in range(parts))
    return [(start, start + run) for start in starts]


def _of_sparse(data: Any, budget: int) -> dict[str, Any]:
    matrix = data.tocsr() if data.format not in ("csr", "csc") else data
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    digest = blake3.blake3(f"{matrix.format} {matrix.shape} {matrix.dtype.str}\0".encode())
    sampled = False
    for part in (matrix.data, matrix.indices, matrix.indptr):
        found = _of_array(part, budget)
        sampled |= found["sampled"]
        digest.update(found["hash"].encode())
    size = matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes
    facts = {"dtypes": str(matrix.dtype), "bytes": int(size), "values": int(matrix.nnz)}
    return {"kind": "sparse", **_told(digest, sampled), "shape": list(matrix.shape), **facts}


def _bytes_of(array: Any) -> Any:
    import numpy as np

    if array.dtype.hasobject:
        return _objects(array.ravel())
    if array.dtype.kind in "mM":
        array = array.view("i8")
    plain: Any = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return memoryview(plain)


# -- tables ----------------------------------------------------------------------------------------


def _of_table(data: Any, budget: int) -> dict[str, Any]:
    import pandas as pd

    if isinstance(data, pd.Index):
        data = data.to_series()
    table = data.to_frame() if isinstance(data, pd.Series) else data
    names = [str(name) for name in table.columns]
    types = [str(kind) for kind in table.dtypes]
    digest = blake3.blake3(
        f"table {len(table)} {names} {types}\0".encode("utf-8", "backslashreplace")
    )
    widths = [_width(table.iloc[:, i].dtype) for i in range(len(names))]
    cost = len(table) * (sum(widths) + _width(table.index.dtype))
    sampled = cost > budget
    if sampled:
        places = _places(len(table), len(table) * (budget // 4) // cost)
        table = pd.concat([table.iloc[slice(*place)] for place in places])
    for column in (table.index, *(table.iloc[:, i] for i in range(len(names)))):
        digest.update(_column(column))
    facts = {"rows": len(data), "shape": [len(data), len(names)]}
    columns = dict(list(zip(names, types, strict=True))[:_MOST_COLUMNS])
    return {"kind": "table", **_told(digest, sampled), **facts, "columns": columns}


def _width(dtype: Any) -> int:
    plain = getattr(dtype, "kind", "O") in "biufcmM" and not _extension(dtype)
    return int(dtype.itemsize) if plain else _OBJECT_COST


def _extension(dtype: Any) -> bool:
    import numpy as np

    return not isinstance(dtype, np.dtype)


def _column(column: Any) -> Any:
    if not _extension(column.dtype) and column.dtype.kind != "O":
        return _bytes_of(column.to_numpy())
    return _objects(column.to_numpy(dtype=object))


def _objects(values: Any) -> bytes:
    """One hash a value; that of pandas for text and numbers, which is the same in every process."""
    from pandas.util import hash_array

    try:
        return bytes(hash_array(values, categorize=True).tobytes())
    except TypeError:  # lists, dicts and other values without a hash
        return "\0".join(map(repr, values)).encode("utf-8", "backslashreplace")


def _told(digest: Any, sampled: bool) -> dict[str, Any]:
    return {"hash": f"b3-{digest.hexdigest()}", "sampled": sampled}


_OF = {"table": _of_table, "tensor": _of_tensor, "sparse": _of_sparse, "array": _of_array}
