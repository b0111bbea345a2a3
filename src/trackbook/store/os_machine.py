"""This machine: its names, what changes when it is started anew, and its steady clock."""

from __future__ import annotations

import hashlib
import re
import socket
import time
from functools import cache
from pathlib import Path


@cache
def host() -> str:
    """The name of this machine, fit for a file name."""
    return re.sub(r"[^A-Za-z0-9.-]", "_", socket.gethostname())[:80] or "unknown"


@cache
def boot_id() -> str:
    """What is the same for all processes of this machine since it was started."""
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        # Systems without /proc: as good as the clock is steady.
        text = f"{time.time() - time.monotonic():.0f}"[:-2]
    return re.sub(r"[^A-Za-z0-9-]", "_", text)


@cache
def machine() -> str:
    """What is the same for this installation of a system for ever; empty where nothing says."""
    try:
        told = Path("/etc/machine-id").read_bytes().strip()
    except OSError:
        return ""
    # The id itself is not to be given away.
    return hashlib.sha256(b"trackbook " + told).hexdigest()[:16] if told else ""


def steady_time() -> float:
    """Seconds that no clock setting changes; they pass while the machine sleeps, where it can."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
