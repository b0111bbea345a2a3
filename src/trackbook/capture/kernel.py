"""Which kernel this process is, so that its server can say how it ended."""

from __future__ import annotations

import re
import sys
from pathlib import Path

_FILE = re.compile(r"kernel-(.+)\.json")


def describe() -> dict[str, str]:
    """``kernel``, the id that a Jupyter server gave it; empty outside such a kernel."""
    module = sys.modules.get("ipykernel.kernelapp")
    if module is None or not module.IPKernelApp.initialized():
        return {}
    match = _FILE.fullmatch(Path(module.IPKernelApp.instance().connection_file).name)
    return {"kernel": match[1]} if match else {}
