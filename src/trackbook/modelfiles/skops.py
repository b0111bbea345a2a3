"""Estimators of scikit-learn and its kin as ``.skops``: data, with the types it needs by name."""

from __future__ import annotations

import functools
import importlib
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import InvalidValue, StoreError
from .loading import Wanted, check_zip

NAME = "skops"
SUFFIX = ".skops"
_MOST_NAMED = 5


def installed() -> bool:
    """Whether skops can be imported."""
    return find_spec("skops") is not None


def is_estimator(model: Any) -> bool:
    """Whether a model is an estimator of scikit-learn or derived from one."""
    found = sys.modules.get("sklearn.base")
    return found is not None and isinstance(model, found.BaseEstimator)


def takes(model: Any) -> bool:
    """Estimators, where skops is installed."""
    return is_estimator(model) and installed()


def write(model: Any, path: Path) -> None:
    """Not packed, as the blob around it is."""
    try:
        with path.open("wb") as file:
            _writer().dump(model, file)
    except (TypeError, ValueError, AttributeError, RecursionError) as problem:
        raise InvalidValue(
            f"a {type(model).__name__} cannot be kept as skops: {problem}; format='pickle' keeps "
            "it, and loading that runs code"
        ) from None


@functools.cache
def _writer() -> ModuleType:
    """skops's input and output, to write with.

    For the types that it trusts when it reads, skops imports all of scikit-learn, which takes more
    than a second and brings torch along. Writing trusts nobody: our copy knows what is imported,
    and whoever imports skops gets another one.
    """
    if "skops.io" in sys.modules:
        return sys.modules["skops.io"]
    from sklearn import base, utils

    def loaded() -> list[tuple[str, type]]:
        return [(kind.__name__, kind) for kind in base.BaseEstimator.__subclasses__()]

    everything, utils.all_estimators = utils.all_estimators, loaded
    try:
        found = importlib.import_module("skops.io")
    finally:
        utils.all_estimators = everything
    for name in [name for name in sys.modules if name.partition(".")[0] == "skops"]:
        del sys.modules[name]
    return found


def read(path: Path, wanted: Wanted) -> Any:
    """The estimator; its types are skops's own trusted ones, or those that the caller trusts."""
    try:
        from skops import io
    except ImportError:
        raise StoreError(
            f"loading {wanted.name!r} needs skops: pip install 'trackbook[models]'"
        ) from None
    check_zip(path, wanted)
    try:
        strange = io.get_untrusted_types(file=path)
        trusted = strange if wanted.trust is True else list(wanted.trust or ())
        if wanted.ours:
            # Not all of scikit-learn is on skops's list, and what is written here is no trick.
            trusted += [name for name in strange if name.startswith("sklearn.")]
        unknown = [name for name in strange if name not in trusted]
        if unknown:
            raise _untrusted(unknown, wanted)
        return io.load(path, trusted=trusted)
    except (
        *(OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError),
        *(ImportError, zipfile.BadZipFile, NotImplementedError),
    ) as problem:
        raise wanted.unreadable(problem) from problem


def _untrusted(unknown: list[str], wanted: Wanted) -> StoreError:
    some = ", ".join(unknown[:_MOST_NAMED]) + (", …" if len(unknown) > _MOST_NAMED else "")
    return StoreError(
        f"the model {wanted.name!r} needs types that skops does not know to be safe: {some}. Look "
        f"at them; then trust=True, or trust={unknown[:1]!r} to name them, loads it"
    )
