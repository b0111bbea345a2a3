"""The page of one run over HTTP: its pieces, its artifacts, and what nobody gets by them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from asking import Fetch, content, log, page, refused
from runs import snapshot, write

from trackbook.server import notebooks
from trackbook.server.pieces import PIECES
from trackbook.store import Store, open_store

ALL = (*PIECES, "snapshot", "preview")


# -- the overview ----------------------------------------------------------------------------------


async def test_a_run_is_held_against_the_previous_and_the_best(
    served: Store, jp_fetch: Fetch
) -> None:
    ids = [
        write(served, params={"depth": d, "seed": 0}, metrics={"acc": [a]})
        for d, a in ((1, 0.5), (2, 0.75), (3, 0.625), (4, 0.6875))
    ]
    view = await page(jp_fetch, served, ids[3], "overview")
    assert view["attempts"] == 4
    previous, best = view["result"]["against"]
    assert (previous["role"], previous["label"]) == ("previous", "forest #3")
    assert (previous["delta"], previous["better"]) == ("+0.062", True)
    assert (best["role"], best["id"], best["delta"]) == ("best", ids[1], "\N{MINUS SIGN}0.062")
    assert view["params"] == [
        {
            "key": "depth",
            "text": "4",
            "chosen": True,
            "differs": True,
            "previous": "3",
            "best": "2",
        },
        {
            "key": "seed",
            "text": "0",
            "chosen": True,
            "differs": False,
            "previous": "0",
            "best": "0",
        },
    ]
    champion = await page(jp_fetch, served, ids[1], "overview")
    assert champion["result"]["is_best"] is True
    assert [rival["role"] for rival in champion["result"]["against"]] == ["previous"]
    first = await page(jp_fetch, served, ids[0], "overview")
    assert [rival["role"] for rival in first["result"]["against"]] == ["best"]


async def test_the_version_changes_with_the_run_and_only_then(
    served: Store, jp_fetch: Fetch
) -> None:
    run_id = write(served)
    version = (await page(jp_fetch, served, run_id, "overview"))["version"]
    write(served, "another")
    assert (await page(jp_fetch, served, run_id, "overview"))["version"] == version
    served.edit(run_id, {"star": True})
    assert (await page(jp_fetch, served, run_id, "overview"))["version"] != version


async def test_nan_alone_is_no_best_and_no_change(served: Store, jp_fetch: Fetch) -> None:
    write(served, metrics={"loss": [float("nan")]})
    run_id = write(served, metrics={"loss": [float("nan")] * 3})
    view = await page(jp_fetch, served, run_id, "overview")
    assert view["result"]["text"] == "nan"
    assert [(r["text"], r["delta"]) for r in view["result"]["against"]] == [("nan", "")]
    drawn = (await page(jp_fetch, served, run_id, "charts", key="loss"))["charts"]["loss"]
    assert [row["odd"] for row in drawn["spec"]["data"]["values"]] == ["nan"] * 3


async def test_a_damaged_run_says_what_is_wrong(served: Store, jp_fetch: Fetch) -> None:
    run_id = write(served)
    assert served.path is not None
    (document,) = served.path.glob(f"runs/*/{run_id}/run.json")
    document.write_text("{")
    view = await page(jp_fetch, served, run_id, "overview")
    assert view["run"]["error"]["type"] == "Damaged"
    for piece in PIECES:
        if piece != "candidates":
            await page(jp_fetch, served, run_id, piece)


async def test_thousands_of_params_come_in_parts(served: Store, jp_fetch: Fetch) -> None:
    many = {f"p{i}": i for i in range(5000)}
    write(served, params=many)
    run_id = write(served, params={**many, "p4999": 0})
    view = await page(jp_fetch, served, run_id, "overview")
    assert view["params"][0]["key"] == "p4999"
    assert len(view["params"]) <= 100
    assert view["has"]["params"] == 5000
    part = await page(jp_fetch, served, run_id, "params", start=4600)
    assert len(part["rows"]) == 400
    found = await page(jp_fetch, served, run_id, "params", find="P499")
    assert found["total"] == 11
    assert (await refused(page(jp_fetch, served, run_id, "params", start="x")))[0] == 400


# -- metrics and charts ----------------------------------------------------------------------------


async def test_metrics_come_by_prefix_and_charts_one_by_one(served: Store, jp_fetch: Fetch) -> None:
    logged = {"train/loss": [2.0, 1.0], "val/loss": [3.0], "acc": [0.5], "system/cpu": [1.0, 2.0]}
    run_id = write(served, metrics=logged)
    groups = (await page(jp_fetch, served, run_id, "metrics"))["groups"]
    assert sorted(group["prefix"] for group in groups) == ["", "system", "train", "val"]
    assert groups[-1]["prefix"] == "system"
    train = next(group for group in groups if group["prefix"] == "train")
    expected = {"key": "train/loss", "count": 2, "last": "1", "min": "1", "max": "2"}
    assert train["rows"] == [expected]
    reply = await jp_fetch(
        *("trackbook", "stores", served.id, "runs", run_id, "page", "charts"),
        params=[("key", "train/loss"), ("key", "none")],
    )
    charts = json.loads(reply.body)["charts"]
    assert list(charts) == ["train/loss"]
    assert charts["train/loss"]["spec"]["data"]["values"]
    data = await page(jp_fetch, served, run_id, "charts", key="train/loss", spec=0)
    assert "spec" not in data["charts"]["train/loss"]
    assert data["charts"]["train/loss"]["data"] == charts["train/loss"]["spec"]["data"]


# -- logs, patch, environment ----------------------------------------------------------------------


async def test_logs_come_from_the_end_and_in_ranges(served: Store, jp_fetch: Fetch) -> None:
    run_id = write(served)
    text = "".join(f"line {i} é\n" for i in range(20_000))
    log(served, run_id, text)
    tail = await page(jp_fetch, served, run_id, "logs")
    assert (tail["end"], tail["size"]) == (len(text), len(text))
    assert tail["text"] == text[tail["start"] :]
    assert tail["text"].startswith("line ")
    before = await page(jp_fetch, served, run_id, "logs", before=tail["start"])
    assert before["text"] == text[before["start"] : tail["start"]]
    after = await page(jp_fetch, served, run_id, "logs", after=tail["end"])
    assert (after["text"], after["start"]) == ("", len(text))


async def test_patch_and_environment_are_told(served: Store, jp_fetch: Fetch) -> None:
    write(served, env={"packages": {"numpy": "1", "pandas": "2"}})
    git = {"commit": "abc", "patch": served.blobs.put(b"+new\n"), "patch_exact": False}
    run_id = write(
        served,
        git=git,
        env={"python": "3.11", "packages": {"numpy": "2", "pandas": "2"}},
        distributions=served.blobs.put(b'[{"name": "numpy", "version": "2"}]'),
    )
    assert (await page(jp_fetch, served, run_id, "patch"))["text"] == "+new\n"
    env = await page(jp_fetch, served, run_id, "environment")
    assert env["moved"] == [{"name": "numpy", "now": "2", "before": "1"}]
    assert env["installed"] == [["numpy", "2"]]
    assert ["python", "3.11"] in env["facts"]


# -- the notebook ----------------------------------------------------------------------------------


async def test_a_snapshot_marks_the_tracked_cell(served: Store, jp_fetch: Fetch) -> None:
    blob = snapshot(served, [("a", "markdown", "# hi"), ("b", "code", "x = 1")], "b")
    run_id = write(served, notebook={"path": "study.ipynb", "snapshot": blob})
    view = await page(jp_fetch, served, run_id, "snapshot")
    assert (view["start"], view["end"], view["total"], view["tracked"]) == (0, 2, 2, 1)
    assert view["notebook"]["cells"][1]["source"] == "x = 1"


async def test_a_huge_notebook_shows_the_tracked_cell_and_its_neighbours(
    served: Store, jp_fetch: Fetch
) -> None:
    cells = [(f"c{i}", "code", f"# {i}\n" + "x" * 100_000) for i in range(200)]
    blob = snapshot(served, cells, "c120")
    run_id = write(served, notebook={"path": "study.ipynb", "snapshot": blob})
    view = await page(jp_fetch, served, run_id, "snapshot")
    assert view["total"] == 200
    assert 1 < view["end"] - view["start"] < 25
    assert view["notebook"]["cells"][view["tracked"]]["source"].startswith("# 120\n")
    assert len(json.dumps(view)) < 2 * notebooks.LARGEST
    whole = await page(jp_fetch, served, run_id, "snapshot", whole=1)
    assert len(whole["notebook"]["cells"]) == 200


# -- what nobody gets ------------------------------------------------------------------------------


async def test_another_stores_runs_and_unknown_pieces_are_404(
    served: Store, jp_fetch: Fetch, tmp_path: Path
) -> None:
    other = open_store(tmp_path / "other" / ".trackbook", create=True)
    run_id = write(other)
    for piece in ("overview", "logs", "snapshot", "preview"):
        assert (await refused(page(jp_fetch, served, run_id, piece)))[0] == 404
        assert (await refused(page(jp_fetch, other, run_id, piece)))[0] == 404
    assert (await refused(content(jp_fetch, other, run_id, name="x")))[0] == 404
    assert (await refused(page(jp_fetch, served, write(served), "secrets")))[0] == 404
    bad = page(jp_fetch, served, "..%2F..%2Fetc", "overview")
    assert (await refused(bad))[0] == 404


async def test_a_store_that_vanishes_is_404(served: Store, jp_fetch: Fetch) -> None:
    import shutil

    run_id = write(served)
    await page(jp_fetch, served, run_id, "overview")
    assert served.path is not None
    shutil.rmtree(served.path)
    assert (await refused(page(jp_fetch, served, run_id, "overview")))[0] in (404, 500)


@pytest.mark.parametrize("piece", ALL)
async def test_a_stranger_gets_no_piece(served: Store, jp_fetch: Fetch, piece: str) -> None:
    run_id = write(served)
    parts = ("trackbook", "stores", served.id, "runs", run_id, "page", piece)
    headers = {"Authorization": "token wrong"}
    assert (await refused(jp_fetch(*parts, headers=headers)))[0] == 403
    answer = content(jp_fetch, served, run_id, headers=headers, name="x")
    assert (await refused(answer))[0] == 403


async def test_a_write_by_cookie_alone_needs_the_xsrf_token(
    served: Store, jp_fetch: Fetch, jp_http_port: int, jp_base_url: str, jp_serverapp: Any
) -> None:
    from tornado.httpclient import AsyncHTTPClient, HTTPRequest

    run_id = write(served)
    root = f"http://127.0.0.1:{jp_http_port}{jp_base_url}"
    token = jp_serverapp.identity_provider.token
    client = AsyncHTTPClient()
    login = HTTPRequest(f"{root}tree?token={token}", follow_redirects=False)
    reply = await client.fetch(login, raise_error=False)
    cookies = "; ".join(c.split(";")[0] for c in reply.headers.get_list("Set-Cookie"))
    assert "username" in cookies
    address = f"{root}trackbook/stores/{served.id}/runs/{run_id}"
    headers = {"Cookie": cookies, "Content-Type": "application/json"}
    allowed = await client.fetch(f"{address}/page/overview", headers=headers, raise_error=False)
    patch = HTTPRequest(address, method="PATCH", body='{"name": "mine"}', headers=headers)
    assert (await client.fetch(patch, raise_error=False)).code == 403
    assert served.document(run_id)["name"] == "forest"
    assert allowed.code == 200
