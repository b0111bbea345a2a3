"""One JupyterLab and one Chromium for all browser tests; a new page and workspace for each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from lab import Lab
from playwright.sync_api import Browser, Page, expect, sync_playwright
from serving import serve
from studies import Study, maker

from trackbook.store import open_store

SETTINGS = {
    # Outputs outside the window would not be in the page at all.
    "@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {"windowingMode": "none"},
}
PAGE = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Playwright keeps an event loop running in this thread, in which no async test could run.
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(autouse=True)
def jp_asyncio_loop() -> None:
    """None: Playwright's event loop runs in this thread."""


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """Nothing to clean up: the server is a process of its own."""


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's project: a git repository with one commit, in which JupyterLab is started."""
    folder = tmp_path_factory.mktemp("digits", numbered=False)
    (folder / ".gitignore").write_text(".ipynb_checkpoints/\n*.ipynb\n", encoding="utf-8")
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "start"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="session")
def server(project: Path, home: Path) -> Iterator[str]:
    """The address of a real JupyterLab with the panel installed, token included."""
    configure(home)
    with serve(project, home / "jupyterlab.log") as (_, address):
        yield address


def configure(home: Path) -> None:
    """Settings of the isolated JupyterLab; fails where the panel is not installed."""
    listed = subprocess.run(
        [sys.executable, "-m", "jupyterlab.labextensions", "list"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "trackbook" in listed.stdout + listed.stderr, "the panel is not built: run `make test`"
    for name, value in SETTINGS.items():
        file = home / ".jupyter" / "lab" / "user-settings" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value), encoding="utf-8")
    page = home / ".jupyter" / "labconfig" / "page_config.json"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(json.dumps(PAGE), encoding="utf-8")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, in which no name but this machine's can be resolved."""
    chromium = shutil.which("chromium")
    assert chromium, "the browser tests need Chromium: apt-get install chromium"
    arguments = ["--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield started
        started.close()


@pytest.fixture(scope="session")
def requested() -> set[str]:
    """The address of every request that any page of the session has made."""
    return set()


@pytest.fixture
def page(browser: Browser, requested: set[str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1360, "height": 820})
    context.on("request", lambda request: requested.add(request.url))
    expect.set_options(timeout=30_000)
    new = context.new_page()
    yield new
    context.close()


@pytest.fixture
def lab(page: Page, server: str, project: Path) -> Iterator[Lab]:
    """JupyterLab in its own workspace, with our panel open; its kernels end with the test."""
    opened = Lab(page, server, project)
    opened.start()
    yield opened
    opened.shut_down_kernels()


@pytest.fixture
def notebook(project: Path, request: pytest.FixtureRequest) -> Callable[..., str]:
    """Write a notebook of these cells into a folder of this test; returns its path for Lab.

    The folder has a store of its own, unless the runs shall go to the project's.
    """

    def write(*cells: str, name: str = "work", own: bool = True) -> str:
        folder = project / request.node.name.removeprefix("test_")
        folder.mkdir(exist_ok=True)
        if own:
            open_store(folder / ".trackbook", create=True)
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
        new = nbformat.v4.new_notebook(metadata=kernel)
        new.cells = [nbformat.v4.new_code_cell(source) for source in cells]
        nbformat.write(new, folder / f"{name}.ipynb")
        return f"{folder.name}/{name}.ipynb"

    return write


@pytest.fixture
def study(project: Path, request: pytest.FixtureRequest) -> Study:
    """Makes a folder with a store of so many runs and a notebook, which the panel follows."""
    return maker(project, request.node.name)
