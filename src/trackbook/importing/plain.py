"""The document of a foreign run: complete, plain, bounded, and without secrets."""

from __future__ import annotations

from typing import Any

from .. import redact
from ..jsonable import to_plain
from ..model import Document, new_document
from ..store import Blobs
from .origin import Content

_LONGEST_NAME = 500
_MOST_GAPS = 100


def document(run_id: str, content: Content, blobs: Blobs) -> Document:
    """The document without number, parent and summary; a patch goes to a blob."""
    told = {
        "name": content.name.strip()[:_LONGEST_NAME] or run_id[-10:],
        "experiment": content.experiment.strip("/ ")[:_LONGEST_NAME] or "Default",
        "user": content.user,
        "host": content.host,
        "params": content.params,
        "tags": content.tags,
        "note": content.note,
        "notebook": {"path": content.notebook} if content.notebook else None,
        "git": content.git,
        "env": content.env,
        "error": content.error,
        "inputs": content.inputs,
    }
    clean, hidden = redact.tree(to_plain(told, "the run"))
    if content.patch:
        patch, secrets = redact.text(content.patch)
        hidden += secrets
        clean["git"]["patch"] = blobs.put(patch.encode("utf-8", "replace"))
    made = new_document(name=clean["name"], experiment=clean["experiment"])
    made.update(clean, id=run_id, status=content.status)
    made.update(started=content.started, ended=content.ended)
    made["capture"] = _capture(content.gaps, hidden)
    return made


def _capture(gaps: dict[str, str], hidden: int) -> list[dict[str, Any]]:
    """What did not come over, for ``%track why``."""
    entries = [
        {"what": redact.text(what)[0], "state": "skipped", "reason": redact.text(why)[0]}
        for what, why in list(gaps.items())[:_MOST_GAPS]
    ]
    if len(gaps) > _MOST_GAPS:
        entries.append({"what": f"{len(gaps) - _MOST_GAPS} more", "state": "skipped"})
    if hidden:
        reason = f"{hidden} value(s) that look like secrets"
        entries.append({"what": "params, tags and texts", "state": "redacted", "reason": reason})
    return entries
