"""Packages that are installed as editable: a replay imports what the run imported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from trackbook.reading import OpenStore

Session = Callable[..., OpenStore]
CELLS = (
    "from shapes.areas import circle\nimport shapes",
    "%%track area\nradius = 2\narea = circle(radius) + shapes.OFFSET * radius",
)


@pytest.fixture
def package(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package in its author's folder, brought in as ``pip install -e`` does: by a ``.pth``."""
    source = tmp_path_factory.mktemp("author") / "src" / "shapes"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text("OFFSET = 0.5\n")
    (source / "areas.py").write_text("def circle(r):\n    return 3.25 * r * r\n")
    sites = tmp_path_factory.mktemp("sites")
    (sites / "__editable__.shapes.pth").write_text(f"{source.parent}\n")
    (sites / "sitecustomize.py").write_text(f"import site\nsite.addsitedir({str(sites)!r})\n")
    monkeypatch.setenv("PYTHONPATH", str(sites))
    return source


def test_it_is_replayed_as_it_was_though_it_was_edited_since(
    session: Session, package: Path
) -> None:
    run = session(*CELLS).get_run("area")
    assert run.metrics["area"] == 14.0
    edited = "def circle(r):\n    return 3.0 * r * r\n"
    (package / "areas.py").write_text(edited)
    (package / "__init__.py").write_text("OFFSET = 9\n")
    verdict = run.replay()
    assert verdict.text.startswith("reproduced: area 14"), verdict
    assert (package / "areas.py").read_text() == edited


def test_it_is_replayed_though_it_is_gone(session: Session, package: Path) -> None:
    run = session(*CELLS).get_run("area")
    for file in package.glob("*.py"):
        file.unlink()
    verdict = run.replay()
    assert verdict.text.startswith("reproduced: area 14"), verdict
