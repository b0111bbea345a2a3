"""The code of two runs side by side: cells added, removed and changed, and patches."""

from __future__ import annotations

from runs import snapshot, write

from trackbook import reading
from trackbook.reading.executed import cells, difference
from trackbook.store import Store
from trackbook.views.celldiff import Cell, differences, patches, side_by_side


def told(left: list[tuple[str, str]], right: list[tuple[str, str]]) -> list[tuple[str, str]]:
    found = differences([Cell(*cell) for cell in left], [Cell(*cell) for cell in right])
    return [(cell["id"], cell["status"]) for cell in found]


def test_cells_are_known_by_their_id_in_the_order_of_the_right_notebook() -> None:
    left = [("a", "import numpy"), ("b", "depth = 2"), ("c", "old()"), ("d", "fit()")]
    right = [("a", "import numpy"), ("n", "new stuff = 1"), ("b", "depth = 3"), ("d", "fit()")]
    assert told(left, right) == [
        ("a", "same"),
        ("n", "added"),
        ("b", "changed"),
        ("c", "removed"),
        ("d", "same"),
    ]


def test_without_common_ids_cells_that_are_alike_belong_together() -> None:
    left = [("1", "model = Forest(depth=2)\nmodel.fit(X)"), ("2", "plot(model)")]
    right = [("x", "model = Forest(depth=3)\nmodel.fit(X)"), ("y", "save(everything, 'there')")]
    assert told(left, right) == [("x", "changed"), ("2", "removed"), ("y", "added")] or told(
        left, right
    ) == [("x", "changed"), ("y", "added"), ("2", "removed")]


def test_nothing_and_everything() -> None:
    assert told([], []) == []
    assert told([], [("a", "x")]) == [("a", "added")]
    assert told([("a", "x")], []) == [("a", "removed")]


def test_changed_lines_stand_beside_what_they_became() -> None:
    lines = side_by_side("a = 1\nb = 2\nc = 3", "a = 1\nb = 5\nc = 3\nd = 4")
    assert [(line["kind"], line["left"], line["right"]) for line in lines] == [
        ("same", [1, "a = 1"], [1, "a = 1"]),
        ("changed", [2, "b = 2"], [2, "b = 5"]),
        ("same", [3, "c = 3"], [3, "c = 3"]),
        ("one", None, [4, "d = 4"]),
    ]


def test_a_very_long_cell_is_cut_and_says_so() -> None:
    (cell,) = differences([], [Cell("a", "x\n" * 5000)])
    assert (len(cell["lines"]), cell["more"]) == (2000, 3000)


def test_patches_are_compared_file_by_file() -> None:
    one = (
        "diff --git a/m.py b/m.py\nindex 1..2 100644\n--- a/m.py\n+++ b/m.py\n@@ -1 +1 @@\n-a\n+b\n"
    )
    two = one.replace("+b", "+c").replace("1..2", "1..3")
    other = one.replace("m.py", "n.py")
    assert [entry["path"] for entry in patches(one + other, two)] == ["m.py", "n.py"]
    assert patches(one, one.replace("1..2", "1..9")) == []
    assert patches(one + other, two)[1]["right"] == ""


def test_runs_with_notebooks_and_with_none(store: Store) -> None:
    ids = []
    for value in (1, 2):
        kept = [("data", "code", f"data = load({value})"), ("cell-1", "code", "stale")]
        notebook = {"path": "s.ipynb", "snapshot": snapshot(store, kept, "cell-1")}
        git = {
            "commit": str(value) * 40,
            "patch": store.blobs.put(b"diff --git a/m b/m\n+%d" % value),
        }
        ids.append(write(store, source=f"fit({value})", notebook=notebook, git=git))
    tb = reading.OpenStore(store)
    found = difference(tb.get_run(ids[0]), tb.get_run(ids[1]))
    changed = {cell["id"]: cell for cell in found["cells"]}
    assert {name: cell["status"] for name, cell in changed.items()} == {
        "data": "changed",
        "cell-1": "changed",
    }
    assert changed["cell-1"]["tracked"]
    assert changed["cell-1"]["lines"][0]["left"] == [1, "fit(1)"]
    assert [patch["path"] for patch in found["patches"]] == ["m"]
    assert "different commits, 1111111111 and 2222222222" in found["notes"][0]

    alone = tb.get_run(write(store, source="fit(3)"))
    assert [cell.source for cell in cells(alone)] == ["fit(3)"]
    bare = tb.get_run(write(store))
    assert difference(bare, bare) == {"cells": [], "patches": [], "notes": []}
