"""Runs that Sacred's TinyDB observer wrote: one JSON file for all, their files by hash."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from ..errors import StoreError
from ..jsonable import dumps
from . import foreign, sacred_words
from .foreign import mapping, sequence, word
from .origin import Content, Kept, Listed, digest

FILE = "metadata.json"
HASHES = "hashfs"
_HASH = re.compile(r"[0-9a-f]{32}")
# How the observer writes what JSON has no word for.
_TEXT = re.compile(r"\{(Tiny[A-Za-z]+)\}:(.*)", re.DOTALL)


class SacredTinyDb:
    """See ``origin.Source``. The observer keeps no metrics; what a run returned is one."""

    tool = "sacred"
    title = sacred_words.TITLE

    def __init__(self, path: Path, artifacts: Sequence[Path] = ()) -> None:
        self.path = path
        self._files = path.parent / HASHES
        self._runs: dict[str, dict[str, Any]] = {}

    def look(self) -> tuple[list[Listed], list[str]]:
        """The runs that were started."""
        runs, problems = [], []
        tables = foreign.json_of(self.path)
        for key, raw in mapping(tables.get("runs")).items():
            entry = mapping(_decoded(raw))
            run_id = str(entry.get("_id", key))
            try:
                runs.append(Listed(run_id, sacred_words.started(entry, f"run {run_id:.40}")))
                self._runs[run_id] = entry
            except StoreError as problem:
                problems.append(str(problem))
        return runs, problems

    def state(self, run: Listed) -> str:
        """By the whole document."""
        return digest(self._runs[run.id])

    def read(self, run: Listed) -> Content:
        """The whole run."""
        entry = self._runs[run.id]
        content = sacred_words.translate(entry, entry.get("config"), run.started)
        content.points = sacred_words.results(entry, content.ended or run.started)
        content.logs = word(entry.get("captured_out"))[-foreign.LOG_LIMIT :]
        experiment = mapping(entry.get("experiment"))
        for row in map(sequence, sequence(entry.get("artifacts"))):
            self._take(content, word(row[0]) if row else "", row)
        for row in map(sequence, sequence(experiment.get("sources"))):
            self._take(content, f"sources/{word(row[0]) if row else ''}", row, source=True)
        for row in map(sequence, sequence(entry.get("resources"))):
            self._take(content, f"resources/{PurePath(word(row[0]) if row else '').name}", row)
        if mapping(entry.get("info")):
            info = dumps(entry["info"], pretty=True)
            content.files.append(Kept("info.json", data=info, captured=True))
        return content

    def _take(self, content: Content, name: str, row: list[Any], source: bool = False) -> None:
        """The last two fields of a row are the hash of the file and, coded, the file itself."""
        own = word(row[-2]) if len(row) > 1 else ""
        if _HASH.fullmatch(own):
            path = self._files / own[:2] / own[2:4] / own[4:6] / own[6:]
            if foreign.below(self._files.parent, path) and path.is_file():
                content.files.append(Kept(name, path, captured=source))
                return
        content.gaps[f"artifact {name}"] = f"its file is not in {HASHES}/"


def holds_runs(path: Path) -> bool:
    """Whether a file looks like this observer's."""
    try:
        runs = mapping(foreign.json_of(path).get("runs"))
    except StoreError:
        return False
    return any("experiment" in mapping(entry) for entry in runs.values())


def _decoded(value: Any, depth: int = 0) -> Any:
    """Times as text, arrays as lists; what is a file or unknown stays the text that it is."""
    if depth > 90:
        raise StoreError("a run is nested too deep")
    if isinstance(value, dict):
        return {key: _decoded(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_decoded(item, depth + 1) for item in value]
    match = _TEXT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    if match[1] == "TinyDate":
        return match[2]
    if match[1] in ("TinyArray", "TinySeries", "TinyDataFrame"):
        try:
            return foreign.parsed(match[2].encode("utf-8", "replace"), match[1])
        except StoreError:
            return value
    return value
