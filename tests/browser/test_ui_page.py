"""The explorer outside JupyterLab: `trackbook ui`, and the page beside JupyterLab."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from lab import troubles
from playwright.sync_api import Page, expect
from runs import write
from serving import stop

from trackbook.store import Store, open_store

pytestmark = pytest.mark.browser

SHOTS = Path(__file__).parent / "shots"
PREFIX = "/hub/user/ada%40lab/"


def shot(page: Page, name: str) -> None:
    if os.environ.get("TRACKBOOK_SHOTS"):
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png")


@pytest.fixture
def ui(store: Store, tmp_path: Path) -> Iterator[str]:
    """The address that `trackbook ui` prints, under a prefix as a Hub gives one."""
    config = tmp_path / "config"
    config.mkdir()
    settings = {"ServerApp": {"base_url": PREFIX}}
    (config / "jupyter_server_config.json").write_text(json.dumps(settings), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "trackbook.cli", "ui", str(tmp_path), "--no-browser"],
        env={**os.environ, "JUPYTER_CONFIG_DIR": str(config)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"http://127\.0\.0\.1\S+token=\S+", line):
                yield found[0]
                break
        else:
            pytest.fail("".join(said))
    finally:
        stop(process)  # type: ignore[arg-type]


def test_the_page_of_a_store_is_live_and_compares(store: Store, ui: str, page: Page) -> None:
    for depth in (2, 4):
        write(store, params={"depth": depth}, metrics={"accuracy": [0.5, 0.8 + depth / 100]})
    page.goto(ui)
    rows = page.locator("[role=row][data-run-id]")
    expect(rows).to_have_count(2)
    write(store, "boosting", params={"depth": 1}, metrics={"accuracy": [0.7]})
    expect(rows).to_have_count(3)
    assert troubles(page, "body") == []
    shot(page, "page")

    for name in ("forest #1", "forest #2"):
        page.get_by_role("checkbox", name=f"Select {name}", exact=True).check()
    page.get_by_role("button", name=re.compile("Compare")).click()
    expect(page.locator(".tb-Compare")).to_contain_text("depth")
    expect(page.locator(".tb-Compare .marks").first).to_be_visible()  # a curve is drawn
    assert troubles(page, "body") == []
    shot(page, "page-compare")
    page.reload()
    expect(page.locator(".tb-Compare")).to_contain_text("depth")
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator("body[data-jp-theme-light=false]")).to_have_count(1)
    assert troubles(page, "body") == []
    shot(page, "page-dark")
    page.go_back()
    expect(rows).to_have_count(3)


def test_a_run_has_its_page(store: Store, ui: str, page: Page) -> None:
    run = write(store, params={"depth": 2}, metrics={"accuracy": [0.5, 0.8]}, source="depth = 2")
    page.goto(f"{ui}#/run/{store.id}/{run}")
    shown = page.locator(".tb-RunPage")
    expect(shown).to_contain_text("forest")
    expect(shown).to_contain_text("depth")
    expect(page).to_have_title("forest #1 · Trackbook")
    assert troubles(page, "body") == []
    shot(page, "page-run")
    page.get_by_role("link", name="Trackbook").click()
    page.locator("[role=row][data-run-id]").first.dblclick()
    expect(shown).to_be_visible()
    page.goto(f"{ui}#/run/{store.id}/20261121-000000-aaaaaaaaaa")
    page.reload()
    expect(page.get_by_text("cannot be found")).to_be_visible()


def test_the_page_is_for_who_has_the_token(ui: str, page: Page) -> None:
    page.goto(ui.partition("?")[0])
    expect(page).to_have_url(re.compile(r"/login\?"))
    expect(page.locator("#trackbook")).to_have_count(0)


def test_another_store_is_not_there(ui: str, page: Page, tmp_path: Path) -> None:
    other = open_store(tmp_path / "other" / ".trackbook", create=True)
    page.goto(ui)
    expect(page.get_by_text("No runs yet")).to_be_visible()
    reply = page.request.get(
        urlsplit(ui)._replace(query="", path=f"{PREFIX}trackbook/stores").geturl()
    )
    assert other.id not in {one["id"] for one in reply.json()["stores"]}
    assert len(reply.json()["stores"]) == 1


def test_the_page_is_beside_jupyterlab_too(server: str, page: Page) -> None:
    page.goto(server.replace("/?", "/trackbook/?"))
    expect(page.locator(".tb-Page-main")).to_be_visible()
    expect(
        page.locator("[role=row][data-run-id]").or_(page.locator(".tb-Empty")).first
    ).to_be_visible()


def test_no_request_of_the_page_has_left_this_machine(requested: set[str]) -> None:
    """The last test of the file: it looks at what all pages before it asked for."""
    assert any("/static/trackbook/" in url for url in requested)
    hosts = {urlsplit(url).hostname for url in requested if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
