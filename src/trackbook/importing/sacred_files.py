"""Runs that Sacred's FileStorageObserver wrote: a folder of JSON files each."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from ..errors import StoreError
from . import foreign, sacred_words
from .foreign import mapping, sequence, word
from .origin import Content, Kept, Listed, digest

_RUN = "run.json"


class SacredFolder:
    """See ``origin.Source``."""

    tool = "sacred"
    title = sacred_words.TITLE

    def __init__(self, path: Path, artifacts: Sequence[Path] = ()) -> None:
        self.path = path
        self._roots = [path, *artifacts]

    def look(self) -> tuple[list[Listed], list[str]]:
        """The runs that were started."""
        runs, problems = [], []
        for folder in foreign.folders(self.path):
            if not (folder / _RUN).exists():
                continue
            try:
                begun = sacred_words.started(foreign.json_of(folder / _RUN), str(folder))
                runs.append(Listed(folder.name, begun))
            except StoreError as problem:
                problems.append(str(problem))
        return runs, problems

    def state(self, run: Listed) -> str:
        """By the sizes and times of the run's files."""
        return digest(foreign.state(self.path / run.id))

    def read(self, run: Listed) -> Content:
        """The whole run."""
        folder = self.path / run.id
        entry = foreign.json_of(folder / _RUN)
        config = _optional(folder / "config.json")
        content = sacred_words.translate(entry, config, run.started)
        content.points = itertools.chain(
            sacred_words.metrics(_optional(folder / "metrics.json"), content.gaps),
            sacred_words.results(entry, content.ended or run.started),
        )
        if (folder / "cout.txt").is_file():
            content.logs = foreign.tail(folder / "cout.txt")
        for name in map(word, sequence(entry.get("artifacts"))):
            self._take(content, name, [(folder, name)])
        if (folder / "info.json").is_file():
            self._take(content, "info.json", [(folder, "info.json")], captured=True)
        self._take_shared(content, entry)
        return content

    def _take_shared(self, content: Content, entry: dict[str, Any]) -> None:
        """Captured sources and resources, which lie beside the runs."""
        sources = sequence(mapping(entry.get("experiment")).get("sources"))
        for kind, pairs in (("sources", sources), ("resources", sequence(entry.get("resources")))):
            for pair in map(sequence, pairs):
                if len(pair) < 2:
                    continue
                told, stored = word(pair[0]), word(pair[1])
                base = PurePath(stored).name
                # As it is told, from the folder of the runs; else where Sacred puts such files.
                places = [(root, stored) for root in self._roots]
                places += [(root, f"_{kind}/{base}") for root in self._roots]
                shown = PurePath(told).name if PurePath(told).is_absolute() else told
                self._take(content, f"{kind}/{shown}", places, captured=kind == "sources")

    def _take(
        self, content: Content, name: str, places: list[tuple[Path, str]], captured: bool = False
    ) -> None:
        for root, part in places:
            path = root / part
            if part and foreign.below(root, path) and path.is_file():
                content.files.append(Kept(name, path, captured=captured))
                return
        content.gaps[f"artifact {name}"] = "its file is not in the folder"


def holds_runs(path: Path) -> bool:
    """Whether a folder looks like this observer's: folders with a ``run.json`` of Sacred's."""
    for folder in foreign.folders(path):
        try:
            entry = foreign.json_of(folder / _RUN)
        except StoreError:
            continue
        if "experiment" in entry and "status" in entry:
            return True
    return False


def _optional(path: Path) -> dict[str, Any]:
    return foreign.json_of(path) if path.exists() else {}
