"""The commands by which people change runs, over a real store."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result
from runs import write

from trackbook.cli import trackbook
from trackbook.store import Store


def call(store: Store, *arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(trackbook, [*arguments, "--store", str(store.path)], input=answer)


def done(store: Store, *arguments: str, answer: str | None = None) -> str:
    result = call(store, *arguments, answer=answer)
    assert result.exit_code == 0, result.output
    return result.stdout


def failed(store: Store, *arguments: str, code: int = 1) -> str:
    result = call(store, *arguments)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    assert result.stdout == ""
    if code == 1:
        assert len(result.stderr.splitlines()) == 1
    return result.stderr


def test_tags_are_set_and_taken_off(store: Store) -> None:
    run_id = write(store, tags={"old": "", "stage": "test"})
    said = done(store, "tag", "forest", "baseline", "stage=prod", "eq=a=b", "--remove", "old")
    assert store.document(run_id)["tags"] == {"stage": "prod", "baseline": "", "eq": "a=b"}
    assert said == (
        f"forest #1  {run_id}  tag baseline, tag stage=prod (was test), tag eq=a=b, "
        "tag old removed\n"
    )


def test_a_run_is_renamed_noted_and_starred(store: Store) -> None:
    run_id = write(store)
    assert f"tree #1  {run_id}  name 'forest' → 'tree'" in done(store, "rename", "forest", "tree")
    done(store, "note", "tree", "# Good")
    assert store.document(run_id)["note"] == "# Good"
    done(store, "note", "tree", "-", answer="from\nstdin")
    assert store.document(run_id)["note"] == "from\nstdin"
    assert "starred" in done(store, "star", "tree")
    assert store.document(run_id)["star"] is True
    assert "no longer starred" in done(store, "star", "--undo", "tree")


def test_archived_runs_come_back_by_the_name_of_the_archived_one(store: Store) -> None:
    old = write(store, started=1.0)
    new = write(store, started=2.0)
    done(store, "archive", old, old)
    assert [document["id"] for document in store.find()] == [new]
    assert old in done(store, "archive", "--undo", "forest")
    assert "is not archived" in failed(store, "archive", "--undo", "forest")
    done(store, "archive", old, new)
    assert store.find() == []


def test_nothing_is_changed_where_one_reference_is_wrong(store: Store) -> None:
    run_id = write(store)
    assert "forest" in failed(store, "archive", run_id, "forrest")
    assert store.edits(run_id) == []


def test_undo_goes_back_and_redo_forth(store: Store) -> None:
    run_id = write(store)
    for name in ("a", "b", "c"):
        done(store, "rename", run_id, name)
    assert f"b #1  {run_id}  undo: name 'c' → 'b'\n" == done(store, "undo", run_id)
    done(store, "undo", "b", "-n", "2")
    assert store.document(run_id)["name"] == "forest"
    assert "has no edit to undo" in failed(store, "undo", run_id)
    assert "redo: name 'forest' → 'a'" in done(store, "undo", "--redo", run_id)
    assert "1 edit to undo, not 5" in failed(store, "undo", run_id, "-n", "5")
    assert store.document(run_id)["name"] == "a"
    done(store, "undo", run_id, "--redo")
    done(store, "undo", run_id, "--redo")
    assert store.document(run_id)["name"] == "c"
    assert "nothing to redo" in failed(store, "undo", run_id, "--redo")


def test_a_deletion_is_undone_like_any_edit(store: Store) -> None:
    run_id = write(store)
    done(store, "rm", "forest")
    assert "brought back from the trash" in done(store, "undo", "forest")
    assert [document["id"] for document in store.find()] == [run_id]


def test_show_tells_the_history(store: Store) -> None:
    write(store)
    assert "edit" not in done(store, "show", "forest").lower()
    done(store, "tag", "forest", "x\x1b[2J")
    done(store, "star", "forest")
    done(store, "undo", "forest")
    shown = done(store, "show", "forest")
    assert "edited 3 times, last by " in shown
    lines = shown.split("\nEdits\n")[1].splitlines()
    assert len(lines) == 3
    assert lines[1].endswith("starred (undone)")
    assert lines[2].endswith("undo: no longer starred")
    assert "\x1b" not in shown


def test_diff_prints_what_differs_between_cells(store: Store) -> None:
    write(store, "one", source="a = 1\nb = 2")
    write(store, "two", source="a = 1\nb = 3")
    shown = done(store, "diff", "one", "two")
    assert "-b = 2" in shown
    assert "+b = 3" in shown
    assert done(store, "diff", "one", "one") == "the cells are the same\n"
    failed(store, "diff", "one", code=2)
    assert "three" in failed(store, "diff", "one", "three")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("tag", "forest"), 2),
        (("tag", "forest", "=x"), 2),
        (("tag", "none", "x"), 1),
        (("rename", "forest", " "), 1),
        (("rename", "forest"), 2),
        (("note", "none", "x"), 1),
        (("undo", "forest", "-n", "0"), 2),
        (("undo",), 2),
        (("star",), 2),
    ],
)
def test_bad_input_is_said_and_changes_nothing(
    store: Store, arguments: tuple[str, ...], code: int
) -> None:
    run_id = write(store)
    failed(store, *arguments, code=code)
    assert store.edits(run_id) == []
