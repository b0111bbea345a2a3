"""Runs in an MLflow ``mlruns/`` folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..store.whole import Point
from . import foreign, mlflow_places, mlflow_words, yamlmeta
from .origin import Content, Listed, digest, moment, moment_or_none

_META = "meta.yaml"
_TRASH = ".trash"
_MODELS = "models"
# Folders of an experiment that hold no runs.
_NOT_RUNS = (_MODELS, "datasets", "traces", "tags")
_STEP_MAX = 2**63 - 1


class MlflowFolder:
    """See ``origin.Source``. ``artifacts`` are more folders in which artifacts may lie."""

    tool = "mlflow"
    title = mlflow_words.TITLE

    def __init__(self, path: Path, artifacts: Sequence[Path] = ()) -> None:
        self.path = path
        self._roots = [path, *artifacts]
        self._places: dict[str, Path] = {}
        self._experiments: dict[Path, dict[str, str | None]] = {}
        self._models: dict[Path, dict[str, list[dict[str, str | None]]]] = {}

    def look(self) -> tuple[list[Listed], list[str]]:
        """The runs of all experiments, those in the trash too."""
        runs, problems = [], []
        for experiment in _experiments(self.path):
            for folder in foreign.folders(experiment):
                if folder.name in _NOT_RUNS or not _is_run(folder):
                    continue
                try:
                    meta = yamlmeta.read(folder / _META)
                    run_id = meta.get("run_id") or meta.get("run_uuid")
                    if run_id != folder.name:
                        raise StoreError(f"{folder / _META} does not say the id of its folder")
                    started = moment(_seconds(meta.get("start_time")), f"{folder}: start_time")
                except StoreError as problem:
                    problems.append(str(problem))
                    continue
                self._places[run_id] = folder
                runs.append(Listed(run_id, started))
        return runs, problems

    def state(self, run: Listed) -> str:
        """By the sizes and times of the run's files, and what its experiment is called."""
        folder = self._places[run.id]
        models = [foreign.state(path) for _, path in self._models_of(folder)]
        return digest([foreign.state(folder), models, self._experiment(folder.parent)])

    def read(self, run: Listed) -> Content:
        """The whole run."""
        folder = self._places[run.id]
        meta = yamlmeta.read(folder / _META)
        experiment = self._experiment(folder.parent)
        params, tags = _texts(folder / "params"), _texts(folder / "tags")
        word = meta.get("status") or ""
        deleted = "deleted" in (meta.get("lifecycle_stage"), experiment.get("lifecycle_stage"))
        content = Content(
            name=meta.get("run_name") or "",
            experiment=experiment.get("name") or folder.parent.name,
            status=mlflow_words.STATES[mlflow_words.NUMBERS.get(word, "RUNNING")],
            started=run.started,
            ended=moment_or_none(_seconds(meta.get("end_time"))),
            user=meta.get("user_id") or "",
            deleted=deleted or folder.parent.parent.name == _TRASH,
        )
        mlflow_words.translate(content, params, tags)
        content.inputs = list(_inputs(folder))
        content.points = _points(folder / "metrics", content.gaps)
        self._take_files(content, folder, meta.get("artifact_uri") or "")
        return content

    def _take_files(self, content: Content, folder: Path, uri: str) -> None:
        own = folder / "artifacts"
        if any(foreign.files(own)) or not uri:
            mlflow_places.add(content, own)
        else:
            mlflow_places.collect(content, self._roots, uri, folder.name)
        for name, path in self._models_of(folder):
            mlflow_places.add(content, path, f"{_MODELS}/{name}/")

    def _experiment(self, folder: Path) -> dict[str, str | None]:
        """What an experiment's own file says; nothing where it cannot be read."""
        if folder not in self._experiments:
            try:
                self._experiments[folder] = yamlmeta.read(folder / _META)
            except StoreError:
                self._experiments[folder] = {}
        return self._experiments[folder]

    def _models_of(self, run: Path) -> list[tuple[str, Path]]:
        """Name and folder of the models that the run logged (MLflow 3 keeps them beside runs)."""
        experiment = run.parent
        if experiment not in self._models:
            known: dict[str, list[dict[str, str | None]]] = {}
            for folder in foreign.folders(experiment / _MODELS):
                try:
                    meta = yamlmeta.read(folder / _META)
                except StoreError:
                    continue
                if meta.get("source_run_id"):
                    entry = {"name": meta.get("name"), "id": folder.name}
                    known.setdefault(meta["source_run_id"] or "", []).append(entry)
            self._models[experiment] = known
        return [
            (
                model["name"] or str(model["id"]),
                experiment / _MODELS / str(model["id"]) / "artifacts",
            )
            for model in self._models[experiment].get(run.name, [])
        ]


def holds_runs(path: Path) -> bool:
    """Whether a folder looks like ``mlruns/``: folders with MLflow's files about experiments."""
    for folder in _experiments(path):
        try:
            meta = yamlmeta.read(folder / _META)
        except StoreError:
            meta = {}
        if "experiment_id" in meta and "run_id" not in meta:
            return True
        if any((run / _META).is_file() and (run / "metrics").is_dir() for run in _runs(folder)):
            return True
    return False


def _experiments(path: Path) -> Iterator[Path]:
    for parent in (path, path / _TRASH):
        if not parent.is_symlink():
            yield from (f for f in foreign.folders(parent) if f.name not in (_TRASH, _MODELS))


def _runs(experiment: Path) -> list[Path]:
    return [folder for folder in foreign.folders(experiment) if folder.name not in _NOT_RUNS]


def _is_run(folder: Path) -> bool:
    """Not so for a folder of artifacts alone: MLflow's database puts its own here too."""
    return any((folder / name).exists() for name in (_META, "metrics", "params", "tags"))


def _seconds(milliseconds: str | None) -> Any:
    try:
        return int(milliseconds or "") / 1000
    except (ValueError, OverflowError):
        return milliseconds


def _texts(folder: Path) -> dict[str, str]:
    """A file each: its path is the key, its content the value."""
    return {
        name: foreign.text(Path(entry.path))
        for name, entry in sorted(foreign.files(folder), key=lambda item: item[0])
        if foreign.is_plain(entry)
    }


def _inputs(folder: Path) -> Iterator[dict[str, Any]]:
    """The data sets that the run names, by MLflow's own digest of them."""
    if (folder / "inputs").is_symlink():
        return
    for entry in foreign.folders(folder / "inputs"):
        try:
            data_id = yamlmeta.read(entry / _META).get("source_id") or ""
            source = folder.parent / "datasets" / data_id
            if foreign.below(folder.parent, source):
                meta = yamlmeta.read(source / _META)
                name, value = meta.get("name") or "", meta.get("digest") or ""
                yield {"name": name, "hash": value, "sampled": False}
        except StoreError:
            continue


def _points(folder: Path, gaps: dict[str, str]) -> Iterator[Point]:
    """Every point, metric by metric, in the order in which MLflow wrote them."""
    for key, entry in sorted(foreign.files(folder), key=lambda item: item[0]):
        if not foreign.is_plain(entry):
            continue
        damaged = 0
        for line in foreign.lines(Path(entry.path)):
            point = _point(key, line)
            if point is not None:
                yield point
            elif line.strip():
                damaged += 1
        if damaged:
            gaps[f"metric {key}"] = f"{damaged} lines of its file are damaged"


def _point(key: str, line: bytes) -> Point | None:
    # Time in ms, value, step (not in the oldest), name and digest of a data set (in the newest).
    fields = line.split()
    try:
        step = int(fields[2]) if len(fields) > 2 else 0
        if abs(step) > _STEP_MAX:
            return None
        return key, step, int(fields[0]) / 1000, float(fields[1])
    except (ValueError, IndexError, OverflowError):
        return None
