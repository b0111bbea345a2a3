"""A virtual environment for each tool, made when first needed, in ``.cache/peers/venvs``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / ".cache" / "peers"
VENVS = CACHE / "venvs"
# Tools work outside of this repository (one of them sets up DVC in any repository that it finds
# itself in), and on a disk: /tmp may be memory.
WORK = Path("/var/tmp") / f"trackbook-peers-{os.getuid()}"
_STAMP = "installed.json"


def settings() -> dict[str, Any]:
    """What ``tools.toml`` says."""
    return tomllib.loads((HERE / "tools.toml").read_text("utf-8"))


class NotInstalled(Exception):
    """A tool cannot be installed here; the text is the reason, one line."""


def python_of(venv: str) -> Path:
    """The Python of an environment, which is built where it is missing; "" is this one.

    Raises ``NotInstalled`` with pip's reason.
    """
    if not venv:
        return Path(sys.executable)
    folder = VENVS / venv
    wanted = packages(venv)
    stamp = folder / _STAMP
    if not stamp.exists() or json.loads(stamp.read_text("utf-8")) != wanted:
        _build(folder, wanted)
        stamp.write_text(json.dumps(wanted), encoding="utf-8")
    return folder / "bin" / "python"


def packages(venv: str) -> list[str]:
    """What is installed into an environment."""
    return [*settings()["venvs"][venv], *settings()["every"]["packages"]]


def _build(folder: Path, wanted: list[str]) -> None:
    print(f"installing {' '.join(wanted)}", file=sys.stderr, flush=True)
    _call(sys.executable, "-m", "venv", "--clear", str(folder))
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    plan = _call(*pip, "install", "--quiet", "--dry-run", "--report", "-", *wanted)
    coming = {item["metadata"]["name"].lower() for item in json.loads(plan)["install"]}
    refused = coming & set(settings()["every"]["refused"])
    if refused:
        raise NotInstalled(f"it would bring {', '.join(sorted(refused))}")
    _call(*pip, "install", "--quiet", *wanted)


def _call(*command: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if line.strip()]
        error = next((line for line in lines if line.startswith("ERROR")), (lines or ["?"])[-1])
        raise NotInstalled(error[:160])
    return result.stdout


if __name__ == "__main__":
    for name in sys.argv[1:] or settings()["venvs"]:
        try:
            python_of(name)
        except NotInstalled as why:
            print(f"{name}: not installed: {why}")
