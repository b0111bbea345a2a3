"""Real faults for the tests: small disks, and other hosts, in namespaces that end with them."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import textwrap
from pathlib import Path

_UNSHARE = ["unshare", "--mount", *([] if os.getuid() == 0 else ["--map-root-user"])]


def python(
    code: str, *arguments: object, before: str = "", prefix: tuple[str, ...] = (), timeout: int = 60
) -> subprocess.CompletedProcess[str]:
    """Run code in a Python of its own; ``before`` is shell that comes first in the same process."""
    source = textwrap.dedent(code)
    command = [*prefix, sys.executable, "-c", source, *map(str, arguments)]
    if before:
        command = ["sh", "-ec", before + '\nexec "$@"', "sh", *command]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        env=environment,
        stdin=subprocess.DEVNULL,
    )


@functools.cache
def may_mount() -> bool:
    """Whether this user may mount in a namespace of its own."""
    try:
        done = subprocess.run(
            [*_UNSHARE, "mount", "-t", "tmpfs", "none", "/mnt"], check=False, capture_output=True
        )
    except OSError:
        return False
    return done.returncode == 0


def on_small_disk(
    code: str, folder: Path, *arguments: object, size: str = "2m"
) -> subprocess.CompletedProcess[str]:
    """Run code where ``folder`` (its first argument) is a disk of this size, gone with it."""
    folder.mkdir(exist_ok=True)
    mount = ["sh", "-ec", f'mount -t tmpfs -o size={size} none "$0"\nexec "$@"', str(folder)]
    return python(code, folder, *arguments, prefix=(*_UNSHARE, *mount))
