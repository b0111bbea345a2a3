"""Print what the package and its tests depend on, one requirement a line, without the package.

``--kernel`` leaves out what a kernel's own environment need not have, such as JupyterLab, and the
frameworks of the test extra.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

SERVER = {"jupyterlab", "jupyter_server", "jupyter_events"}
TESTS = {"hypothesis", "nbclient", "pytest", "pytest-timeout"}
EXTRAS = {"demo", "test"}


def main() -> None:
    """Read ``pyproject.toml`` of the current folder."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(line for group in extras.values() for line in group)]
    if "--kernel" in sys.argv[1:]:
        needed = [line for line in project["dependencies"] if name(line) not in SERVER]
        tests = [line for line in extras["test"] if name(line) in TESTS]
        wanted = [*needed, *extras["demo"], *tests, "ipykernel"]
    print("\n".join(sorted({line for line in wanted if not line.startswith(project["name"])})))


def name(requirement: str) -> str:
    """The package that a requirement is about."""
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0]


if __name__ == "__main__":
    main()
