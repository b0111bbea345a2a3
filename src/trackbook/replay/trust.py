"""Whether the code of a run was recorded, and signed, by whoever wants to replay it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import signing
from ..errors import UntrustedRun
from ..jsonable import dumps
from ..store import Store
from .recipe import Recipe


def is_ours(store: Store, document: Mapping[str, Any]) -> bool:
    """Whether log, modules and patch are as this user's kernel wrote them here (law 8)."""
    signed = document.get("signed")
    if not isinstance(signed, Mapping):
        return False
    run_id = str(document["id"])
    log = signing.LogDigest(run_id)
    for line in store.records(run_id, "cells"):
        log.add(dumps(line))
    if not signing.is_ours(log.content(), signed.get("log")):
        return False
    parts = {
        "modules": document.get("modules"),
        "patch": (document.get("git") or {}).get("patch"),
    }
    return all(
        blob is None or signing.is_ours(signing.blob_content(name, str(blob)), signed.get(name))
        for name, blob in parts.items()
    )


def check(store: Store, document: Mapping[str, Any], recipe: Recipe) -> None:
    """Raise ``UntrustedRun``, which shows the code, where the run is not this user's own."""
    if is_ours(store, document):
        return
    modules = ", ".join(str(entry.get("path")) for entry in recipe.modules)
    cells = "\n\n".join(
        f"# cell {number}\n{cell.source}" for number, cell in enumerate(recipe.cells, start=1)
    )
    shown = cells + (f"\n\n# and the project's modules: {modules}" if modules else "")
    name = f"{document['name']} #{document['number']}"
    raise UntrustedRun(
        f"{name} was not recorded and signed here: a replay runs its code; "
        "look at it, then replay with trust=True",
        shown,
    )
