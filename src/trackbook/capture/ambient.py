"""State outside the namespace that cells change: options, environment, folders, filters."""

from __future__ import annotations

import builtins
import decimal
import locale
import os
import pickle
import sys
import warnings
import zlib
from collections.abc import Callable
from typing import Any

Probe = dict[str, int]
"""By what it is: a number that changes with it. Read, never kept: values may be secrets."""

# What libraries set for themselves when they are imported.
_THEIR_OWN: tuple[str, ...] = (
    "KMP_",
    "OMP_",
    "MKL_",
    "OPENBLAS_",
    "TF_",
    "CUDA_",
    "TORCH",
    "QT_",
    "MPLBACKEND",
)
_THEIR_OWN += ("NUMEXPR_", "PYTORCH_", "XLA_", "TOKENIZERS_", "JOBLIB_", "LIGHTGBM_", "COLUMNS")
_THEIR_OWN += ("LINES", "TRACKBOOK_")


def probe() -> Probe:
    """What it is now; takes about 0.1 ms."""
    found: Probe = {}
    for name, read in _PROBES.items():
        value = read()
        if value is not None:
            found[name] = value
    return found


def changed(before: Probe, after: Probe, imported: bool, source: str) -> frozenset[str]:
    """What a cell has changed; what comes with a library's first import is not the cell's."""
    found = {name for name, value in after.items() if before.get(name, value) != value}
    if imported and "warn" not in source:
        found.discard("warnings")
    return frozenset(found)


def _environ() -> int:
    return hash(tuple((k, v) for k, v in os.environ.items() if not k.startswith(_THEIR_OWN)))


def _folder() -> int | None:
    try:
        return hash(os.getcwd())  # noqa: PTH109 - a Path costs ten times as much
    except OSError:
        return None


def _path() -> int:
    return hash(tuple(str(entry) for entry in sys.path))


def _warnings() -> int:
    return hash(tuple(f"{entry!r}" for entry in warnings.filters if _is_theirs(entry)))


def _is_theirs(entry: tuple[Any, ...]) -> bool:
    pattern = getattr(entry[3], "pattern", entry[3])
    return not (isinstance(pattern, str) and "trackbook" in pattern)


def _builtins() -> int:
    # IPython binds ``_`` there, and adds names of its own.
    return hash(tuple((n, id(v)) for n, v in vars(builtins).items() if not n.startswith("_")))


def _decimal() -> int:
    context = decimal.getcontext()
    return hash((context.prec, context.rounding))


def _locale() -> int:
    return hash(locale.setlocale(locale.LC_ALL))


def _loaded(module: str, read: Callable[[Any], int | None]) -> Callable[[], int | None]:
    def ask() -> int | None:
        loaded = sys.modules.get(module)
        try:
            return None if loaded is None else read(loaded)
        except AttributeError:  # half imported, or of another version
            return None

    return ask


def _rc_params(matplotlib: Any) -> int:
    # The backend is chosen when the first figure is made, by nobody's wish.
    held = dict.items(matplotlib.rcParams)
    return hash(str([item for item in held if not item[0].startswith("backend")]))


def _figures(helpers: Any) -> int:
    return hash(tuple(helpers.Gcf.figs))


def _crc(value: Any) -> int | None:
    try:
        return zlib.crc32(pickle.dumps(value, 5))
    except (pickle.PicklingError, TypeError, AttributeError):
        return None


def _torch(torch: Any) -> int:
    return hash(
        (
            str(torch.get_default_dtype()),
            torch.is_grad_enabled(),
            torch.are_deterministic_algorithms_enabled(),
            torch.get_num_threads(),
        )
    )


_PROBES: dict[str, Callable[[], int | None]] = {
    "environ": _environ,
    "cwd": _folder,
    "sys.path": _path,
    "warnings": _warnings,
    "builtins": _builtins,
    "decimal context": _decimal,
    "locale": _locale,
    "recursion limit": sys.getrecursionlimit,
    "rcParams": _loaded("matplotlib", _rc_params),
    "figures": _loaded("matplotlib._pylab_helpers", _figures),
    "numpy print options": _loaded("numpy", lambda m: hash(str(m.get_printoptions()))),
    "numpy error state": _loaded("numpy", lambda m: hash(tuple(m.geterr().items()))),
    "pandas options": _loaded("pandas._config.config", lambda m: hash(str(m._global_config))),
    "scikit-learn options": _loaded("sklearn._config", lambda m: hash(str(m.get_config()))),
    "torch settings": _loaded("torch", _torch),
}
