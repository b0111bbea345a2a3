"""Who runs where with what: read once a process, cheaply."""

from __future__ import annotations

import getpass
import platform
import sys
from typing import Any

from .. import redact


def user_and_host() -> dict[str, str]:
    """``user`` and ``host`` of a document; empty where the system does not say."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = ""  # a user id without a name, as in many containers
    return {"user": user, "host": platform.node()}


def describe() -> dict[str, Any]:
    """Python, platform, argv and the versions of the packages that are imported by now."""
    argv = [redact.text(argument)[0][:500] for argument in sys.argv[:50]]
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "argv": argv,
        "packages": _packages(),
    }


def _packages() -> dict[str, str]:
    # A module's own __version__ costs nothing; importlib.metadata would cost a second here.
    versions = {}
    for name, module in list(sys.modules.items()):
        if "." in name or name.startswith("_") or name in sys.stdlib_module_names:
            continue
        version = vars(module).get("__version__") if hasattr(module, "__dict__") else None
        if isinstance(version, str):
            versions[name] = version
    return dict(sorted(versions.items()))
