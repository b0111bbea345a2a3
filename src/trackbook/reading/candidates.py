"""What a search tried: the candidates inside its run, and runs made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import InvalidValue, RunNotFound
from ..jsonable import loads
from ..model import Document, derived_run_id, flatten, new_document
from ..store import Store
from ..views.columns import label
from . import kept

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("cv_results.json", "trials.json")
_OF_THE_SEARCH = ("user", "host", "env", "git", "notebook", "cell", "started", "ended")

Row = dict[str, Any]


def rows(store: Store, document: Document) -> list[Row]:
    """One a candidate, in the order of the search: ``params`` and what was found of them."""
    there = kept.by_name(kept.lines(store, document["id"]))
    name = next((name for name in NAMES if name in there), None)
    if name is None:
        raise InvalidValue(f"{label(document)} has no candidates: it is no search")
    found = loads(kept.file(store.blobs, there[name]).read_bytes())
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def frame(found: Sequence[Row]) -> pd.DataFrame:
    """``params.*`` and the values of each candidate."""
    import pandas as pd

    return pd.DataFrame([flatten(row) for row in found])


def promote(store: Store, search: Document, which: int | Sequence[int] | str) -> list[str]:
    """The ids of runs of kind ``trial`` below the search; one that is there already is that one."""
    found = rows(store, search)
    chosen = [which] if isinstance(which, int) else range(len(found)) if which == "all" else which
    wrong = [i for i in chosen if not isinstance(i, int) or not 0 <= i < len(found)]
    if wrong:
        last = len(found) - 1
        raise InvalidValue(f"{label(search)} has the candidates 0 to {last}, not {wrong[0]!r:.40}")
    return [_promoted(store, search, int(i), found[int(i)]) for i in chosen]


def _promoted(store: Store, search: Document, index: int, row: Row) -> str:
    run_id = derived_run_id(f"{search['id']} candidate {index}", search["started"])
    try:
        return str(store.document(run_id)["id"])
    except RunNotFound:
        pass
    document = new_document(
        name=f"{search['name']} {index}",
        experiment=search["experiment"],
        kind="trial",
        series=f"{search['series']}/{index}",
        parent=search["id"],
    )
    document.update({key: search[key] for key in _OF_THE_SEARCH}, id=run_id)
    document["params"] = row.get("params") or {}
    document["tags"] = {k: v for k, v in row.items() if isinstance(v, str)}
    writer = store.create(document)
    moment = search["ended"] or search["started"]
    for key, value in row.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            writer.log(key, 0, moment, float(value))
    told = f"candidate {index} of {label(search)}"
    document["capture"].append({"what": "autolog", "state": "promoted", "reason": told})
    document["status"] = "finished"
    writer.finish()
    return run_id
