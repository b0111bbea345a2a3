"""Where the store is, and which stores a server may show."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from trackbook import settings
from trackbook.errors import StoreError


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("TRACKBOOK_STORE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    settings.choose_store(None)
    yield
    settings.choose_store(None)


def folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def test_without_anything_the_notebooks_folder_gets_it(tmp_path: Path) -> None:
    assert settings.find_store(folder(tmp_path / "a")) == tmp_path / "a" / ".trackbook"


def test_the_git_root_comes_before_the_folder(tmp_path: Path) -> None:
    folder(tmp_path / "p" / ".git")
    assert settings.find_store(folder(tmp_path / "p" / "nb")) == tmp_path / "p" / ".trackbook"


def test_the_nearest_store_upward_comes_before_the_git_root(tmp_path: Path) -> None:
    folder(tmp_path / "p" / "nb" / ".git")
    folder(tmp_path / "p" / ".trackbook")
    start = folder(tmp_path / "p" / "nb" / "deep")
    assert settings.find_store(start) == tmp_path / "p" / ".trackbook"


def test_nothing_above_home_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path / ".trackbook")
    monkeypatch.setenv("HOME", str(folder(tmp_path / "home")))
    start = folder(tmp_path / "home" / "work")
    assert settings.find_store(start) == start / ".trackbook"


def test_the_project_file_names_it_inside_the_project_only(tmp_path: Path) -> None:
    project = folder(tmp_path / "p")
    file = project / "pyproject.toml"
    file.write_text('[tool.trackbook]\nstore = "data/runs"')
    assert settings.find_store(folder(project / "nb")) == project / "data" / "runs"
    for foreign in ('store = "../elsewhere"', 'store = "/etc"', "store = 3", "broken ["):
        file.write_text(f"[tool.trackbook]\n{foreign}")
        found = settings.find_store(project)
        assert found.is_relative_to(project)


def test_the_environment_comes_before_what_is_found_and_a_choice_before_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder(tmp_path / ".trackbook")
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / "env"))
    assert settings.find_store(tmp_path) == tmp_path / "env"
    settings.choose_store(tmp_path / "chosen")
    assert settings.find_store(tmp_path) == tmp_path / "chosen"
    settings.choose_store(None)
    assert settings.find_store(tmp_path) == tmp_path / "env"


def test_a_folder_that_is_gone_is_found_from_what_is_left(tmp_path: Path) -> None:
    assert settings.find_store(tmp_path / "gone" / "x") == tmp_path / ".trackbook"


def test_a_path_is_a_store_or_holds_one_but_is_no_file(tmp_path: Path) -> None:
    held = folder(tmp_path / "p" / ".trackbook")
    (held / "store.json").write_text("{}")
    assert settings.as_store_path(tmp_path / "p") == held
    assert settings.as_store_path(held) == held
    assert settings.as_store_path("~/new") == tmp_path / "new"
    with pytest.raises(StoreError):
        settings.as_store_path(held / "store.json")


def test_the_default_experiment_is_relative_to_the_stores_folder(tmp_path: Path) -> None:
    store = tmp_path / ".trackbook"
    notebook = tmp_path / "notebooks" / "quick start.ipynb"
    assert settings.default_experiment(notebook, store) == "notebooks/quick start"
    assert settings.default_experiment(Path("/else/a.py"), store) == "a"
    assert settings.default_experiment(None, store) == "default"


@pytest.mark.parametrize(
    ("value", "off"), [("1", True), ("true", True), ("0", False), ("no", False), ("", False)]
)
def test_the_switch(monkeypatch: pytest.MonkeyPatch, value: str, off: bool) -> None:
    monkeypatch.setenv("TRACKBOOK_DISABLED", value)
    assert settings.disabled() is off


def test_only_registered_stores_that_exist_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    assert settings.registered() == {}
    kept = folder(tmp_path / "kept")
    (kept / "store.json").write_text("{}")
    settings.register("aa11", kept)
    settings.register("bb22", tmp_path / "gone")
    registry = tmp_path / "runtime" / "trackbook"
    (registry / "broken.json").write_text("{")
    (registry / "odd.json").write_text(json.dumps(["x"]))
    assert settings.registered() == {"aa11": kept}
    assert settings.registered_at("aa11") == kept
    (tmp_path / "runtime" / "outside.json").write_text((registry / "aa11.json").read_text())
    for other in ("bb22", "cc33", "broken", "odd", "", "../outside", str(registry / "aa11")):
        assert settings.registered_at(other) is None
    assert (registry.stat().st_mode & 0o077) == 0


def test_the_store_used_last_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    for name in ("a", "b", "c"):
        (folder(tmp_path / name) / "store.json").write_text("{}")
    before = settings.registry_stamp()
    # That in b was deleted once, and made anew.
    for name in ("aa", "b0", "bb", "cc", "aa"):
        settings.register(name, tmp_path / name[0])
        time.sleep(0.02)
    assert list(settings.registered()) == ["aa", "cc", "bb"]
    assert settings.registry_stamp() != before
