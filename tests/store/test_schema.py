"""``docs/run.schema.json`` describes what is really written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from trackbook.model import FORMAT, KINDS, STATUSES, new_document
from trackbook.store import LocalStore, Store

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "run.schema.json").read_text())


def check(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_bytes())
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return document


def test_the_schema_is_one_and_knows_our_words() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["format"]["const"] == FORMAT
    assert tuple(SCHEMA["properties"]["kind"]["enum"]) == KINDS
    assert {*SCHEMA["properties"]["status"]["enum"], "lost"} == set(STATUSES)
    assert set(SCHEMA["required"]) == set(new_document(name="x", experiment="e"))


def test_a_written_run_fits_the_schema(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    writer = store.create(new_document(name="forest", experiment="e"))
    blob = store.blobs.put(b"x = 1")
    writer.log("loss", 0, 0.0, float("nan"))
    writer.document.update(
        params={"lr": 0.1, "none": None, "deep": {"x": float("inf"), "n": 2**70}},
        cell={"id": "a1", "source": blob},
        notebook={"path": "a.ipynb", "snapshot": blob},
        error={"type": "ValueError", "message": "no", "traceback": ""},
        param_history=[{"key": "lr", "old": 1, "new": 0.1, "time": 1.0}],
        late=[{"key": "acc", "cell": None, "time": 1.0}],
        anything={"else": True},
        status="failed",
        ended=2e9,
    )
    writer.finish()
    (file,) = tmp_path.glob("runs/*/*/run.json")
    document = check(file)
    assert document["summary"]["loss"]["last"] == {"$float": "nan"}


@pytest.mark.parametrize(
    "change",
    [
        {"id": "../x"},
        {"status": "lost"},
        {"number": 0},
        {"summary": {"a": {"last": "x", "min": 0, "max": 0, "count": 1}}},
        {"cell": {"id": "a", "source": "blob"}},
        {"params": []},
    ],
)
def test_a_wrong_document_does_not_fit(change: dict[str, Any]) -> None:
    document = {**new_document(name="x", experiment="e"), **change}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(document)


def test_what_a_tracked_cell_writes_fits_the_schema(ip: InteractiveShell, tmp_path: Path) -> None:
    for rate in (0.1, 0.2):
        ip.run_cell(
            f"%%track forest -t baseline -n note\nlr = {rate}\nacc = sum([lr, 0.5])",
            store_history=True,
        ).raise_error()
    ip.run_cell("import trackbook as tb; tb.log_metric('loss', float('inf'))").raise_error()
    ip.run_line_magic("unload_ext", "trackbook")
    store: Store = LocalStore(tmp_path / ".trackbook")
    files = list((tmp_path / ".trackbook").glob("runs/*/*/run.json"))
    assert len(files) == store.count() == 3
    for file in files:
        check(file)
