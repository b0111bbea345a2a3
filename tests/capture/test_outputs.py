"""What a tracked cell shows, in a real kernel: kept with the run, and shown as without us."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from kernels import Kernel, kernel

from trackbook import reading

LOAD = "%load_ext trackbook\nimport sys\nfrom IPython.display import *"
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    "awAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="module")
def user(folder: Path) -> Iterator[Kernel]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACKBOOK_STORE", str(folder / ".trackbook"))
        with kernel(folder) as started:
            started.run(LOAD)
            yield started


def kept(folder: Path, name: str) -> list[dict[str, Any]]:
    return reading.open_store(folder / ".trackbook").get_run(name).outputs()


def test_every_kind_of_output_is_kept_in_order(user: Kernel, folder: Path) -> None:
    user.run(
        "%%track kinds\nprint('a', end=''); print('b')\nprint('c', file=sys.stderr)\n"
        f"display(Image(data=__import__('base64').b64decode({PIXEL!r})))\nprint('d')\n41 + 1",
        "cell-1",
    )
    outputs = kept(folder, "kinds")
    told = [(o["output_type"], o.get("name"), o.get("text")) for o in outputs]
    assert told == [
        ("stream", "stdout", "ab\n"),
        ("stream", "stderr", "c\n"),
        ("display_data", None, None),
        ("stream", "stdout", "d\n"),
        ("execute_result", None, None),
    ]
    assert outputs[2]["data"]["image/png"].strip() == PIXEL
    assert outputs[4]["data"] == {"text/plain": "42"}
    assert outputs[4]["execution_count"] == 2
    records = reading.open_store(folder / ".trackbook").get_run("kinds")._document["outputs"]
    assert [set(record) for record in records] == [{"type", "blob", "size"}] * 5


def test_the_snapshot_is_a_valid_notebook_with_the_outputs_of_its_cell(
    user: Kernel, folder: Path
) -> None:
    user.run("other = 1\nother", "cell-a")
    user.run("%%track shot\nprint('shown')\n7", "cell-b")
    notebook = reading.open_store(folder / ".trackbook").get_run("shot").snapshot()
    nbformat.validate(notebook)
    (cell,) = [c for c in notebook.cells if c.metadata["trackbook"]["tracked"]]
    assert [o.output_type for o in cell.outputs] == ["stream", "execute_result"]
    assert cell.execution_count == cell.outputs[1].execution_count
    assert all(not c.outputs for c in notebook.cells if c is not cell)


def test_a_failure_is_kept_with_its_traceback(user: Kernel, folder: Path) -> None:
    got = user.run(
        "%%track broken\npassword = 'hunter2'\nraise ValueError(f\"password='{password}'\")"
    )
    (shown,) = [one for one in got if one["type"] == "error"]
    assert "hunter2" in shown["evalue"]
    (error,) = kept(folder, "broken")
    assert (error["output_type"], error["ename"]) == ("error", "ValueError")
    assert len(error["traceback"]) == len(shown["traceback"])
    assert "hunter2" not in json.dumps(error)


def test_updates_and_clearing_work_and_the_last_state_is_kept(user: Kernel, folder: Path) -> None:
    got = user.run(
        "%%track moving --quiet\nhandle = display('one', display_id=True)\nprint('gone')\n"
        "clear_output(wait=True)\nhandle = display('two', display_id=True)\n"
        "handle.update('three')\nprint('last')"
    )
    types = [one["type"] for one in got]
    assert types == [
        "display_data",
        "stream",
        "clear_output",
        "display_data",
        "update_display_data",
        "stream",
    ]
    shown, last = kept(folder, "moving")
    assert shown["data"] == {"text/plain": "'three'"}
    assert last["text"] == "last\n"


def test_progress_bars_are_one_line(user: Kernel, folder: Path) -> None:
    user.run(
        "%%track bar\nfor i in range(2000): print(f'\\r{i}', end='', file=sys.stderr)\n"
        "print(file=sys.stderr)"
    )
    assert kept(folder, "bar") == [{"output_type": "stream", "name": "stderr", "text": "1999\n"}]


def test_what_is_too_large_is_named_instead(user: Kernel, folder: Path) -> None:
    user.run(
        "%%track large\n"
        "display({'text/html': 'x' * 3_000_000, 'text/plain': 'short'}, raw=True)\n"
        "display({'image/png': 'A' * 3_000_000, 'text/plain': 'image'}, raw=True)\n"
        "display({'image/png': 'B' * 3_000_000, 'text/plain': 'image'}, raw=True)\n"
        "print('y' * 2_000_000)"
    )
    html, image, text = kept(folder, "large")
    assert html["data"] == {"text/plain": "short\n[Trackbook: text/html of 3.0 MB is not kept]"}
    assert len(image["data"]["image/png"]) == 3_000_000
    assert text["text"].endswith("[Trackbook: cut here]\n")
    assert 1_000_000 <= len(text["text"]) < 1_000_100
    run = reading.open_store(folder / ".trackbook").get_run("large")
    assert ("outputs", "skipped") in [(entry.what, entry.state) for entry in run.why]
    assert len(run.logs()) == 2_000_001


def test_secrets_are_hidden_in_every_representation(user: Kernel, folder: Path) -> None:
    secret = "hf_" + "a1B2" * 9
    user.run(
        f"%%track secret\nt = {secret!r}\nprint(t)\n"
        "data = {'text/html': f'<b>{t}</b>', 'application/json': {'api_key': 'abc12345', 'x': t}}\n"
        "display(data, raw=True)\nt"
    )
    assert secret not in json.dumps(kept(folder, "secret"))
    assert "abc12345" not in json.dumps(kept(folder, "secret"))
    for file in (folder / ".trackbook").rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes()


def test_untracked_cells_keep_nothing_and_leave_no_hook(user: Kernel) -> None:
    user.run("%%track once\n1")
    facts = (
        "ip = get_ipython(); print(ip.display_pub._hooks, "
        "vars(ip.displayhook).get('finish_displayhook'), sys.displayhook is ip.displayhook)"
    )
    assert user.printed(facts).startswith("[] None ")


def test_a_fault_of_ours_leaves_the_cell_right(user: Kernel, folder: Path) -> None:
    user.run(
        "import trackbook.capture.outputs as o\nkeep = o.CellOutputs._put\n"
        "def broken(*a): raise ZeroDivisionError('ours')\no.CellOutputs._put = broken"
    )
    try:
        got = user.run("%%track fault --quiet\ndisplay('x')\nprint('y')\n5")
    finally:
        user.run("o.CellOutputs._put = keep")
    warned = [one for one in got if "stopped tracking the outputs" in one.get("text", "")]
    assert len(warned) == 1, got
    rest = [one for one in got if one not in warned]
    assert [one["type"] for one in rest] == ["display_data", "stream", "execute_result"]
    assert reading.open_store(folder / ".trackbook").get_run("fault").status == "finished"
    got = user.run("%%track fault --quiet\n6")
    assert [one["type"] for one in got] == ["execute_result"]


CELLS = [
    "import sys, warnings\nfrom IPython.display import *",
    "%%track\nprint('a'); print('b', file=sys.stderr)\nx = 3\nx * 2",
    "print(_, __, Out, In[-2][-5:])",
    "%%track\nhandle = display(HTML('<i>1</i>'), display_id='fixed')\nhandle.update(HTML('2'))",
    "%%track\nclear_output()\nprint('after')\n_ + 1",
    "%%track\ndisplay(1, 2)\nprint('x', end='', flush=True)\n1/0",
    "%%track\nwarnings.warn('mine')",
    "%%track\nclass Odd:\n    def __repr__(self): raise RuntimeError('odd')\nOdd()",
    "%%track\nawait __import__('asyncio').sleep(0)\nprint('awaited')\n'value';",
    "%%track\n%%capture caught\nprint('caught')\ndisplay(3)",
    "print(caught.stdout, len(caught.outputs), sys.displayhook is get_ipython().displayhook)",
    "%%track\nsyntax error here",
    "print(sorted(Out), _)",
]


def comparable(message: dict[str, Any]) -> str:
    kept = {key: value for key, value in message.items() if key != "execution_count"}
    if "traceback" in kept:  # it shows the first line of the cell, which differs
        assert "trackbook" not in "".join(kept["traceback"])
        kept["traceback"] = len(kept["traceback"])
    return re.sub(r"\d+\.py", "", json.dumps(kept, sort_keys=True))


@pytest.mark.timeout(120)
def test_a_notebook_shows_the_same_with_and_without_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
    with kernel(tmp_path) as ours, kernel(tmp_path) as theirs:
        ours.run("%load_ext trackbook")
        theirs.run("pass")
        for cell in CELLS:
            quiet = cell.replace("%%track", "%%track --quiet")
            plain = cell.replace("%%track\n", "" if "%%capture" in cell else "#\n", 1)
            got, expected = ours.run(quiet), theirs.run(plain)
            assert streams_joined(got) == streams_joined(expected), cell


def streams_joined(messages: list[dict[str, Any]]) -> list[str]:
    """The messages, with text that came in several pieces put together."""
    joined: dict[str, str] = {}
    rest = []
    for message in messages:
        if message["type"] == "stream":
            joined[message["name"]] = joined.get(message["name"], "") + message["text"]
        else:
            rest.append(comparable(message))
    plain = re.sub(r"ipykernel_\d+/\d+", "", "\n".join(f"{n}: {joined[n]}" for n in sorted(joined)))
    return [*rest, plain]
