"""What every test gets: a home of its own, a store, and a real IPython."""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from trackbook.store import Store

# A kernel's own environment has no server.
pytest_plugins = ("pytest_jupyter.jupyter_server",) if find_spec("jupyter_server") else ()

HOMES = {
    "HOME": "",
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_CACHE_HOME": ".cache",
    "JUPYTER_CONFIG_DIR": ".jupyter",
    "JUPYTER_DATA_DIR": ".local/share/jupyter",
    "JUPYTER_RUNTIME_DIR": ".local/share/jupyter/runtime",
    "JUPYTERLAB_SETTINGS_DIR": ".jupyter/lab/user-settings",
    "JUPYTERLAB_WORKSPACES_DIR": ".jupyter/lab/workspaces",
    "IPYTHONDIR": ".ipython",
    "MPLCONFIGDIR": ".config/matplotlib",
}
GIT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty home folder for the whole session, also for the processes that tests start."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name, below in HOMES.items():
            (folder / below).mkdir(parents=True, exist_ok=True)
            patch.setenv(name, str(folder / below))
        for name, value in GIT.items():
            patch.setenv(name, value)
        for name in [key for key in os.environ if key.startswith("TRACKBOOK_")]:
            if name != "TRACKBOOK_SHOTS":  # asks the browser tests for the README's picture
                patch.delenv(name)
        patch.setenv("MPLBACKEND", "agg")
        yield folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A new local store in a folder of this test."""
    from trackbook.store import open_store

    return open_store(tmp_path / ".trackbook", create=True)


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    """A server with our extension, which lets nobody in without a token."""
    extensions = {"jpserver_extensions": {"trackbook": True}}
    return {"ServerApp": {**extensions, "allow_unauthenticated_access": False}}


@pytest.fixture
def served(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store of this test, which a server may show."""
    from trackbook import settings

    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    assert store.path is not None
    settings.register(store.id, store.path)
    return store


@pytest.fixture
def ip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A real IPython with the extension loaded, in a folder and with a store of this test.

    ``TRACKBOOK_STORE`` names the store, so that one further up never takes the runs.
    """
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
    # A shell takes these over for good; it does not give them back by itself.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(sys, "displayhook", sys.displayhook)
    InteractiveShell.clear_instance()
    config = Config(
        {"HistoryManager": {"enabled": False}, "InteractiveShell": {"colors": "nocolor"}}
    )
    shell = InteractiveShell.instance(config=config)
    shell.run_line_magic("load_ext", "trackbook")
    yield shell
    _close(shell)


def _close(shell: InteractiveShell) -> None:
    from trackbook import settings

    if "trackbook" in shell.extension_manager.loaded:
        shell.run_line_magic("unload_ext", "trackbook")
    settings.choose_store(None)
    type(shell).clear_instance()
    for name in ("__IPYTHON__", "display"):
        builtins.__dict__.pop(name, None)
