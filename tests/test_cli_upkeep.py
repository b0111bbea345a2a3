"""The commands that look after a store, over real stores."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from runs import write

from trackbook.cli import trackbook
from trackbook.store import Store, open_store


def call(store: Store, *arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(trackbook, [*arguments, "--store", str(store.path)], input=answer)


def failed(result: Result, code: int) -> str:
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    assert len(result.stderr.strip().splitlines()) == 1 or code == 2
    return result.stderr


def place(store: Store, run_id: str) -> Path:
    assert store.path
    return store.path / "runs" / run_id[:8] / run_id


# -- the trash -------------------------------------------------------------------------------------


def test_a_run_goes_to_the_trash_and_comes_back(store: Store) -> None:
    run_id = write(store)
    assert "is in the trash" in call(store, "rm", "forest").stdout
    assert store.find() == []
    assert call(store, "restore", "forest").exit_code == 0
    assert [document["id"] for document in store.find()] == [run_id]


def test_restore_means_the_run_in_the_trash_also_where_another_has_its_name(store: Store) -> None:
    old = write(store)
    call(store, "rm", old)
    new = write(store)
    assert call(store, "restore", "forest").exit_code == 0
    assert {document["id"] for document in store.find()} == {old, new}
    assert "not in the trash" in failed(call(store, "restore", "forest"), 1)


def test_purge_shows_asks_and_removes(store: Store) -> None:
    run_id = write(store, metrics={"loss": [1.0] * 1000})
    kept = write(store, "kept")
    call(store, "rm", run_id)
    refused = call(store, "purge", "forest", answer="n\n")
    assert refused.exit_code == 1
    assert "forest #1" in refused.stdout
    assert "kB" in refused.stdout
    assert place(store, run_id).is_dir()
    assert "purged 1 run" in call(store, "purge", "forest", answer="y\n").stdout
    assert not place(store, run_id).exists()
    assert call(store, "restore", run_id).exit_code == 1
    assert [document["id"] for document in store.find()] == [kept]


def test_purge_without_a_terminal_does_not_take_silence_for_yes(store: Store) -> None:
    run_id = write(store)
    call(store, "rm", run_id)
    assert call(store, "purge", "--all").exit_code == 1
    assert place(store, run_id).is_dir()


def test_purge_alone_lists_and_all_empties_the_trash(store: Store) -> None:
    ids = {write(store, name) for name in ("a", "b", "c")}
    assert call(store, "purge").stdout == "the trash is empty\n"
    call(store, "rm", "a", "b", "a")
    listed = json.loads(call(store, "purge", "--json").stdout)
    assert {entry["name"] for entry in listed} == {"a", "b"}
    assert all(entry["bytes"] > 0 and not entry["purged"] for entry in listed)
    assert "2 runs in the trash" in call(store, "purge").stdout
    done = json.loads(call(store, "purge", "--all", "--yes", "--json").stdout)
    assert {entry["id"] for entry in done} == {entry["id"] for entry in listed} < ids
    assert call(store, "purge", "--all", "--yes").stdout == "the trash is empty\n"
    assert [document["name"] for document in store.find()] == ["c"]


def test_purge_takes_only_what_is_in_the_trash(store: Store) -> None:
    run_id = write(store)
    message = failed(call(store, "purge", run_id, "--yes"), 1)
    assert "not in the trash" in message
    assert "trackbook rm" in message
    assert place(store, run_id).is_dir()
    failed(call(store, "purge", "nothing", "--yes"), 1)


@pytest.mark.parametrize(
    "arguments",
    [("rm",), ("restore",), ("purge", "a", "--all"), ("purge", "--all", "--json")],
)
def test_wrong_usage_is_2(store: Store, arguments: tuple[str, ...]) -> None:
    failed(call(store, *arguments), 2)


@pytest.mark.parametrize("arguments", [("purge",), ("rm", "x")])
def test_where_there_is_no_store_one_line_says_so(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    result = CliRunner().invoke(trackbook, [*arguments, "--store", str(tmp_path)])
    assert "there is no store" in failed(result, 1)
    assert list(tmp_path.iterdir()) == []


def test_a_running_run_stays_and_named_with_others_none_of_them_goes(store: Store) -> None:
    running, finished = write(store, "open", end=False), write(store, "done")
    owner = store.resume(write(store, "held"))
    for name in ("done", "held"):
        call(store, "rm", name)
    message = failed(call(store, "purge", "done", "held", "--yes"), 1)
    assert message.endswith("is still running: end it there first\n")
    assert place(store, finished).is_dir()
    swept = call(store, "purge", "--all", "--yes")
    assert swept.exit_code == 0
    assert "is still running: end it there first; it stays" in swept.stderr
    assert "purged 1 run" in swept.stdout
    assert not place(store, finished).exists()
    owner.finish()
    assert "purged 1 run" in call(store, "purge", "--all", "--yes").stdout
    assert place(store, running).is_dir()


@pytest.mark.parametrize("command", ["restore", "purge"])
def test_a_purged_run_does_not_come_back(store: Store, command: str) -> None:
    run_id = write(store)
    call(store, "rm", run_id)
    call(store, "purge", "--all", "--yes")
    for ref in (run_id, "forest"):
        assert "what was purged is gone for good" in failed(call(store, command, ref), 1)


def test_a_damaged_run_is_edited_by_no_command_but_goes_away(store: Store) -> None:
    run_id = write(store)
    (place(store, run_id) / "run.json").write_text("{")
    for arguments in (("rename", run_id, "x"), ("tag", run_id, "x"), ("note", run_id, "x")):
        message = failed(call(store, *arguments), 1)
        assert "damaged" in message
        assert "archived or deleted" in message
    assert call(store, "archive", run_id).exit_code == 0
    assert call(store, "rm", run_id).exit_code == 0
    assert "purged 1 run" in call(store, "purge", run_id, "--yes").stdout


# -- gc --------------------------------------------------------------------------------------------


def age(store: Store) -> None:
    assert store.path
    for path in store.path.rglob("*"):
        os.utime(path, (1e9, 1e9))


def test_gc_shows_what_would_go_and_then_removes_it(store: Store) -> None:
    write(store, source="a = 1", metrics={"loss": [1.0]})
    stray = store.blobs.put(b"nobody names me")
    young = call(store, "gc")
    assert "removed 0 B; 15 B that no run names yet" in young.stdout
    age(store)
    dry = call(store, "gc", "--dry-run")
    assert dry.exit_code == 0
    assert "would remove 1 file, 15 B" in dry.stdout
    assert "forest #1" in dry.stdout
    report = json.loads(call(store, "gc", "--dry-run", "--json").stdout)
    assert [Path(entry["path"]).name for entry in report["unneeded"]] == [stray]
    assert report["freed"] == 0
    assert store.blobs.get(stray) == b"nobody names me"
    assert "removed 15 B" in call(store, "gc").stdout
    assert json.loads(call(store, "gc", "--json").stdout)["unneeded"] == []
    assert store.blobs.get(store.find()[0]["cell"]["source"]) == b"a = 1"


def test_gc_that_cannot_read_a_run_removes_nothing_and_says_why(store: Store) -> None:
    run_id = write(store)
    store.blobs.put(b"nobody names me")
    age(store)
    (place(store, run_id) / "run.json").write_text("{")
    for options in ((), ("--dry-run",), ("--json",)):
        result = call(store, "gc", *options)
        assert result.exit_code == 1
        assert run_id in result.stderr
        assert "no blob was removed" in result.stderr
    assert store.blobs.put(b"nobody names me")
    assert call(store, "gc", "--frobnicate").exit_code == 2


# -- merge -----------------------------------------------------------------------------------------


def test_merge_copies_says_what_and_does_nothing_twice(store: Store, tmp_path: Path) -> None:
    other = open_store(tmp_path / "laptop" / ".trackbook", create=True)
    run_id = write(other, source="a = 1")
    running = write(other, "running", end=False)
    result = call(store, "merge", str(tmp_path / "laptop"))
    assert result.exit_code == 0
    assert "copied 1 run and 1 of their files, 5 B" in result.stdout
    assert f"{running} is still running there" in result.stdout
    assert [document["id"] for document in store.find()] == [run_id]
    report = json.loads(call(store, "merge", str(other.path), "--json").stdout)
    assert (report["copied"], report["present"]) == ([], [run_id])


def test_merge_says_what_it_cannot_copy(store: Store, tmp_path: Path) -> None:
    other = open_store(tmp_path / "other", create=True)
    good, bad = write(other), write(other)
    (place(other, bad) / "run.json").write_text("{")
    result = call(store, "merge", str(other.path))
    assert result.exit_code == 1
    assert bad in result.stderr
    assert [document["id"] for document in store.find()] == [good]
    assert "the store itself" in failed(call(store, "merge", str(store.path)), 1)
    (tmp_path / "empty").mkdir()
    assert "no store" in failed(call(store, "merge", str(tmp_path / "empty")), 1)
    failed(call(store, "merge", str(tmp_path / "none")), 2)
    failed(call(store, "merge"), 2)


# -- doctor ----------------------------------------------------------------------------------------


def test_doctor_says_that_a_store_is_whole(store: Store) -> None:
    write(store, metrics={"loss": [1.0]}, source="a = 1")
    for options in ((), ("--deep",), ("--repair",), ("--repair", "--deep")):
        result = call(store, "doctor", *options)
        assert (result.exit_code, result.stdout) == (0, "no problems in 1 run\n")


def test_doctor_lists_problems_with_cures_and_ends_with_1(store: Store) -> None:
    run_id = write(store)
    (place(store, run_id) / "run.json").write_text("{")
    result = call(store, "doctor")
    assert result.exit_code == 1
    assert run_id in result.stdout
    assert "cure: " in result.stdout
    assert "1 problem in 1 run" in result.stdout
    repaired = call(store, "doctor", "--repair", "--json")
    assert repaired.exit_code == 1
    report = json.loads(repaired.stdout)
    assert [problem["where"] for problem in report["problems"]] == [run_id]
    assert (place(store, run_id) / "run.json").read_text() == "{"


def test_doctor_of_a_store_without_identity_is_one_line(store: Store, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "store.json").write_text("{")
    result = CliRunner().invoke(trackbook, ["doctor", "--store", str(copy)])
    assert "damaged" in failed(result, 1)
