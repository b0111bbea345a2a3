"""Models as files: one module a format, each with both ways, so that what is written can be read.

A format has ``NAME``, ``SUFFIX``, ``takes(model)``, ``write(model, path)`` and ``read(path, how)``.
No library is imported to ask whether a model is of it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from .. import signing
from ..errors import InvalidValue, StoreError
from . import lightgbm, pickles, safetensors, skops, torch, xgboost
from .loading import Wanted

__all__ = ["FORMATS", "Wanted", "described", "format_of", "load", "signed"]


class ModelFormat(Protocol):
    """What a module of this package offers."""

    NAME: str
    SUFFIX: str

    def takes(self, model: Any) -> bool:
        """Whether this is the format for such a model, and can be used here."""

    def write(self, model: Any, path: Path) -> None:
        """Write the model; raises ``OSError`` for the disk, ``InvalidValue`` for the model."""

    def read(self, path: Path, wanted: Wanted) -> Any:
        """The model; raises ``StoreError``."""


FORMATS: tuple[ModelFormat, ...] = (xgboost, lightgbm, safetensors, torch, skops, pickles)
"""In the order they are asked; the first that takes a model keeps it."""


def format_of(model: Any, name: str | None = None) -> ModelFormat:
    """The format that a model is kept in; raises ``InvalidValue`` where there is none."""
    names = ", ".join(form.NAME for form in FORMATS)
    if name is not None:
        found = next((form for form in FORMATS if name == form.NAME), None)
        if found is None:
            raise InvalidValue(f"there is no format {name!r:.40}; there is {names}")
        if found is not pickles and not found.takes(model):
            raise InvalidValue(f"a {_kind(model)} cannot be kept as {name}{_missing(model)}")
        return found
    for form in FORMATS:
        if form.takes(model):
            return form
    raise InvalidValue(
        f"a {_kind(model)} has no safe format{_missing(model)}; format='pickle' keeps it, "
        "and loading that runs code"
    )


def described(model: Any, form: ModelFormat) -> dict[str, Any]:
    """What the line of a model says of it: ``format, class, library, version, n_parameters``."""
    kind = type(model)
    package = kind.__module__.partition(".")[0]
    facts: dict[str, Any] = {"format": form.NAME, "class": f"{kind.__module__}.{kind.__qualname__}"}
    if form in (safetensors, torch):
        package, facts["n_parameters"] = "torch", torch.count(model)
    elif form is xgboost:
        facts["loader"] = xgboost.loader(model)
    known = {"sklearn": "scikit-learn", "torch": "torch"}
    library = known.get(package, package)
    try:
        facts["library"], facts["version"] = library, version(library)
    except PackageNotFoundError:
        # A class of the user's: what it is built on says more.
        base = "scikit-learn" if form is skops else form.NAME
        if form is not pickles:
            facts["library"], facts["version"] = base, _version(base)
    return facts


def load(path: Path, line: Mapping[str, Any], trust: bool | Sequence[str], into: Any) -> Any:
    """The model that a line names, from its file; raises ``StoreError`` or ``InvalidValue``."""
    form = next((form for form in FORMATS if line.get("format") == form.NAME), None)
    if form is None:
        raise StoreError(
            f"{line['name']!r} is a model of format {line.get('format')!r:.40}, which this "
            "Trackbook does not know: update it"
        )
    if into is not None and form not in (safetensors, torch):
        raise InvalidValue(f"into= takes the state of a torch module; this is {form.NAME}")
    ours = signing.is_ours(signed(form.NAME, str(line.get("blob"))), line.get("signature"))
    return form.read(path, Wanted(str(line["name"]), dict(line), trust, into, ours))


def signed(form: str, blob: str) -> bytes:
    """What is signed of a model: its content, and what reads it."""
    return f"model\n{form}\n{blob}".encode("utf-8", "backslashreplace")


def _kind(model: Any) -> str:
    kind = type(model)
    package = kind.__module__.partition(".")[0]
    return kind.__name__ if package in ("builtins", "__main__") else f"{package} {kind.__name__}"


def _missing(model: Any) -> str:
    """What to install, where the format for a model is one that is not installed."""
    if skops.is_estimator(model) and not skops.installed():
        return " without skops (pip install 'trackbook[models]')"
    return ""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return getattr(sys.modules.get(package), "__version__", "")
