"""Print what the package and its tests depend on, one requirement a line, without the package."""

from __future__ import annotations

import tomllib
from pathlib import Path


def main() -> None:
    """Read ``pyproject.toml`` of the current folder."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = {line for group in groups for line in group if not line.startswith(project["name"])}
    print("\n".join(sorted(wanted)))


if __name__ == "__main__":
    main()
