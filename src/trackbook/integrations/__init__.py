"""Autolog: what the frameworks we know do becomes params and metrics.

An integration is a module with ``install(patches)``. It goes in when its framework is imported, and
costs nothing until then. Other packages add theirs by an entry point of the group
``trackbook.integrations``: its name is the framework's module to wait for.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Iterable

from .. import settings
from ..capture.patch import Guard, Patches
from ..errors import InvalidValue
from .arrival import Arrivals

GROUP = "trackbook.integrations"
# Framework: the module whose import brings it in, and ours.
REGISTRY = {
    "sklearn": ("sklearn.base", "trackbook.integrations.sklearn"),
    "xgboost": ("xgboost", "trackbook.integrations.xgboost"),
}

_installed: dict[str, Patches] = {}
_arrivals = Arrivals()


def autolog(
    enable: bool = True,
    *,
    only: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
) -> None:
    """Log by itself what every known framework fits and trains, those not yet imported too.

    ``only`` and ``exclude`` name frameworks as they are imported, such as ``"sklearn"``.
    ``autolog(False)`` puts every original function back.
    """
    known = _known()
    wanted = (_chosen(only, known) or set(known)) - _chosen(exclude, known)
    if not enable or settings.disabled():
        wanted = set()
    for name in [name for name in _installed if name not in wanted]:
        _installed.pop(name).undo()
    _arrivals.expect({})
    waiting = {}
    for name in wanted - _installed.keys():
        trigger, module = known[name]
        if trigger in sys.modules:
            _install(name, module)
        else:
            waiting[trigger] = (_install, name, module)
    _arrivals.expect(waiting)


def _known() -> dict[str, tuple[str, str]]:
    known = dict(REGISTRY)
    for entry in importlib.metadata.entry_points(group=GROUP):
        known.setdefault(entry.name.partition(".")[0], (entry.name, entry.value))
    return known


def _chosen(names: str | Iterable[str] | None, known: Iterable[str]) -> set[str]:
    chosen = {names} if isinstance(names, str) else set(names or ())
    unknown = chosen - set(known)
    if unknown:
        told = ", ".join(sorted(known))
        raise InvalidValue(f"autolog does not know {', '.join(sorted(unknown))}; it knows {told}")
    return chosen


def _install(name: str, module: str) -> None:
    patches = Patches()
    done = Guard(name).run(lambda: importlib.import_module(module).install(patches) or True)
    if done:
        _installed[name] = patches
    else:
        patches.undo()
