"""Autolog: what the frameworks we know do becomes params and metrics.

An integration is a module with ``install(patches)``. It goes in when its framework is imported, and
costs nothing until then. Other packages add theirs by an entry point of the group
``trackbook.integrations``: its name is the framework's module to wait for.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import sys
from collections.abc import Iterable
from types import ModuleType

from .. import settings
from ..capture import fitmodels
from ..capture import session as sessions
from ..capture.patch import Guard, Patches
from ..errors import InvalidValue
from .arrival import Arrivals

GROUP = "trackbook.integrations"
# Framework, or a part of one: the module whose import brings it in, and ours.
REGISTRY = {
    "torch": ("torch", "trackbook.integrations.torch"),
    "sklearn": ("sklearn.base", "trackbook.integrations.sklearn"),
    "sklearn.metrics": ("sklearn.metrics", "trackbook.integrations.sklearn_metrics"),
    "xgboost": ("xgboost", "trackbook.integrations.xgboost"),
    "lightgbm": ("lightgbm", "trackbook.integrations.lightgbm"),
    "optuna": ("optuna", "trackbook.integrations.optuna"),
    "lightning": ("lightning.pytorch.trainer.trainer", "trackbook.integrations.lightning"),
    "pytorch_lightning": (
        "pytorch_lightning.trainer.trainer",
        "trackbook.integrations.pytorch_lightning",
    ),
    "transformers": ("transformers.trainer", "trackbook.integrations.transformers"),
    "matplotlib": ("matplotlib.backend_bases", "trackbook.integrations.matplotlib"),
    "tensorboard": ("torch.utils.tensorboard.writer", "trackbook.integrations.tensorboard"),
    "tensorboardX": ("tensorboardX.writer", "trackbook.integrations.tensorboardx"),
}

_installed: dict[str, Patches] = {}
_arrivals = Arrivals()


def autolog(
    enable: bool = True,
    *,
    only: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    models: str | bool = "auto",
) -> None:
    """Log by itself what every known framework fits and trains, those not yet imported too.

    ``only`` and ``exclude`` name frameworks as they are imported, such as ``"sklearn"``.
    ``models`` says which models are kept as files: ``"auto"`` those under 50 MB and larger ones
    that are the best so far, ``"best"`` only the best so far, ``"all"``, or False.
    ``autolog(False)`` puts every original function back.
    """
    known = _known()
    chosen = _chosen(only, known) or {_framework(name) for name in known}
    chosen -= _chosen(exclude, known)
    wanted = {name for name in known if _framework(name) in chosen}
    fitmodels.choose(models)
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
        known.setdefault(_framework(entry.name), (entry.name, entry.value))
    return known


def _framework(name: str) -> str:
    return name.partition(".")[0]


def _chosen(names: str | Iterable[str] | None, known: Iterable[str]) -> set[str]:
    chosen = {names} if isinstance(names, str) else set(names or ())
    frameworks = {_framework(name) for name in known}
    unknown = chosen - frameworks
    if unknown:
        told = ", ".join(sorted(frameworks))
        raise InvalidValue(f"autolog does not know {', '.join(sorted(unknown))}; it knows {told}")
    return chosen


def _install(name: str, module: str) -> None:
    patches = Patches()
    if Guard(name).run(_put_in, module, patches):
        _installed[name] = patches
    else:
        patches.undo()


def _put_in(module: str, patches: Patches) -> bool:
    integration = importlib.import_module(module)
    _check_version(integration)
    integration.install(patches)
    return True


def _check_version(integration: ModuleType) -> None:
    """Warn once where the framework's version is none of those that were tested.

    An integration says them as ``TESTED``: the module, the lowest, the first that was not tested.
    """
    tested = getattr(integration, "TESTED", None)
    if tested is None:
        return
    name, lowest, beyond = tested
    version = str(getattr(sys.modules.get(name), "__version__", ""))
    found = _numbers(version)
    if found and not _numbers(lowest) <= found < _numbers(beyond):
        sessions.current.warn(
            f"autolog is tested with {name} from {lowest} to before {beyond}; this is {version}. "
            "What works is tracked"
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3])
