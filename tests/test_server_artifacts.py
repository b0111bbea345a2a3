"""The artifacts of a run over HTTP: previews as data, and content that is never a page."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from asking import Fetch, content, keep, page, refused
from runs import HOSTILE, write

from trackbook.capture import artifacts
from trackbook.server import runpage
from trackbook.store import Store


def table(rows: int, columns: int = 3) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([f"c{i}" for i in range(columns)])
    writer.writerows([[f"{r * i}" for i in range(columns)] for r in range(rows)])
    return out.getvalue()


async def test_artifacts_are_listed_and_previewed(served: Store, jp_fetch: Fetch) -> None:
    run_id, blobs = write(served), served.blobs
    keep(
        served,
        run_id,
        artifacts.from_text(blobs, "hello", "notes.md"),
        artifacts.from_dict(blobs, {"a": [1, 2]}, "config.json"),
        artifacts.from_text(blobs, table(1000), "scores.csv"),
        artifacts.from_text(blobs, table(3, 5000), "wide.csv"),
        artifacts.from_dict(blobs, {"labels": ["a"], "matrix": [[1]]}, "confusion_matrix.json"),
        artifacts.from_text(blobs, "a\0b", "noise.txt"),
    )
    rows = (await page(jp_fetch, served, run_id, "artifacts"))["rows"]
    assert [row["name"] for row in rows][:2] == ["notes.md", "config.json"]
    assert rows[0]["text"] == "5 B"

    async def preview(name: str) -> Any:
        return await page(jp_fetch, served, run_id, "preview", name=name)

    assert await preview("notes.md") == {"kind": "text", "text": "hello", "more": False}
    assert (await preview("config.json"))["kind"] == "json"
    head = await preview("scores.csv")
    assert (len(head["rows"]), head["more"], head["numeric"]) == (200, True, [True] * 3)
    wide = await preview("wide.csv")
    assert (len(wide["columns"]), wide["hidden"]) == (100, 4900)
    assert (await preview("confusion_matrix.json"))["kind"] == "chart"
    assert await preview("noise.txt") == {"kind": "nothing"}


async def test_parquet_is_previewed_without_pandas(served: Store, jp_fetch: Fetch) -> None:
    import datetime

    import pyarrow as pa
    from pyarrow import parquet

    moment = datetime.datetime(2026, 11, 21, 10, 0)
    columns = {"n": list(range(500)), "word": ["w"] * 500, "when": [moment] * 500}
    buffer = io.BytesIO()
    parquet.write_table(pa.table(columns), buffer)
    run_id = write(served)
    blob = served.blobs.put(buffer.getvalue())
    size = len(buffer.getvalue())
    broken = served.blobs.put(b"no parquet")
    lines = [
        artifacts.line("t.parquet", "table", "application/vnd.apache.parquet", size, blob),
        artifacts.line("bad.parquet", "table", "application/vnd.apache.parquet", 10, broken),
    ]
    keep(served, run_id, artifacts.Kept(lines))
    head = await page(jp_fetch, served, run_id, "preview", name="t.parquet")
    assert (head["total"], len(head["rows"])) == (500, 200)
    assert head["rows"][2][0] == "2"
    assert head["rows"][2][2].startswith("2026-11-21 10:00:00")
    bad = page(jp_fetch, served, run_id, "preview", name="bad.parquet")
    assert (await refused(bad))[0] == 500


def test_no_preview_brings_pandas(tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame({"when": pd.to_datetime(["2026-11-21"]), "n": [1.5]})
    frame.to_parquet(tmp_path / "t.parquet")
    code = (
        "import sys\nfrom pathlib import Path\nfrom trackbook.server.previews import preview\n"
        f"shown = preview(Path({str(tmp_path / 't.parquet')!r}), {{'name': 't.parquet'}})\n"
        "assert shown['rows'], shown\nassert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


async def test_content_is_never_a_page_of_this_server(served: Store, jp_fetch: Fetch) -> None:
    run_id, blobs = write(served), served.blobs
    svg = f'<svg xmlns="http://www.w3.org/2000/svg">{HOSTILE}</svg>'
    names = ("page.html", "picture.svg", "a\r\nb.txt".replace("\r\n", " "), "plain.bin")
    keep(served, run_id, *[artifacts.from_text(blobs, svg, name) for name in names])
    for name in names:
        reply = await content(jp_fetch, served, run_id, name=name)
        assert reply.body.decode() == svg
        policy = reply.headers["Content-Security-Policy"]
        assert policy.startswith("sandbox;")
        assert "default-src 'none'" in policy
        assert "allow-" not in policy
        assert "script-src" not in policy
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Content-Disposition"].startswith("attachment;")
        assert "html" not in reply.headers["Content-Type"]
    picture = await content(jp_fetch, served, run_id, name="picture.svg")
    assert picture.headers["Content-Type"] == "image/svg+xml"
    foreign = {"Sec-Fetch-Site": "cross-site"}
    answer = content(jp_fetch, served, run_id, headers=foreign, name="picture.svg")
    assert (await refused(answer))[0] == 403


async def test_steps_are_told_apart(served: Store, jp_fetch: Fetch) -> None:
    run_id, blobs = write(served), served.blobs
    kept = []
    for step in (0, 5):
        one = artifacts.from_text(blobs, f"at {step}", "sample.png")
        one.lines[0]["step"] = step
        kept.append(one)
    keep(served, run_id, *kept)
    rows = (await page(jp_fetch, served, run_id, "artifacts"))["rows"]
    assert rows[0]["steps"] == [0, 5]
    for step in ("0", "5"):
        reply = await content(jp_fetch, served, run_id, name="sample.png", step=step)
        assert reply.body.decode() == f"at {step}"
    answer = content(jp_fetch, served, run_id, name="sample.png", step="1.5")
    assert (await refused(answer))[0] == 400


async def test_a_huge_file_is_only_downloaded(
    served: Store, jp_fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runpage, "LARGEST_SHOWN", 100_000)
    run_id = write(served)
    data = os.urandom(3_000_000)
    blob = served.blobs.put(data)
    line = artifacts.line("big.bin", "file", "application/octet-stream", len(data), blob)
    keep(served, run_id, artifacts.Kept([line]))
    code, message = await refused(content(jp_fetch, served, run_id, name="big.bin"))
    assert (code, "download" in message) == (413, True)
    reply = await content(jp_fetch, served, run_id, name="big.bin", download="1")
    assert reply.body == data


async def test_a_blob_that_is_a_link_is_not_followed(
    served: Store, jp_fetch: Fetch, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_bytes(os.urandom(4000))
    run_id = write(served)
    keep(served, run_id, artifacts.from_text(served.blobs, "x" * 4000, "notes.txt"))
    assert served.path is not None
    for blob in (served.path / "blobs").rglob("b3-*"):
        blob.unlink()
        blob.symlink_to(secret)
    assert (await refused(content(jp_fetch, served, run_id, name="notes.txt")))[0] == 404
    answer = page(jp_fetch, served, run_id, "preview", name="notes.txt")
    assert (await refused(answer))[0] == 500


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "/etc/passwd", "..", "", "b3-" + "0" * 64, "folder"]
)
async def test_names_lead_nowhere_else(served: Store, jp_fetch: Fetch, name: str) -> None:
    run_id = write(served)
    keep(served, run_id, artifacts.from_text(served.blobs, "x", "folder/notes.txt"))
    assert (await refused(content(jp_fetch, served, run_id, name=name)))[0] in (400, 404)
    answer = page(jp_fetch, served, run_id, "preview", name=name)
    assert (await refused(answer))[0] in (400, 500)
