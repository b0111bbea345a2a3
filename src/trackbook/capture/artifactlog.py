"""What a run keeps besides numbers: files, texts, tables, pictures, models, and what went in."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import formats, redact
from ..errors import InvalidValue, StoreError
from . import artifacts, identity, modelkeeping
from .artifacts import Kept
from .record import RunRecord
from .values import name_of, whole

# What is hashed of data by the way.
_BUDGET = 2 << 20


class ArtifactLog(RunRecord):
    """The part of a run that keeps artifacts and inputs.

    None of it raises because of the disk: that is one warning. What cannot be kept at all raises
    ``InvalidValue`` and changes nothing; Ctrl-C leaves nothing half kept.
    """

    def log_artifact(
        self, path: Any, name: str | None = None, *, limit: int | str | None = None
    ) -> None:
        """Keep a copy of a file under ``name`` (default: the file's own).

        ``limit`` is how large it may be, in bytes or as '5 GB' or 'none' (default: the setting
        ``artifact-limit``, 2 GB). Raises ``InvalidValue`` for a larger file and for what is none.
        """
        self._keep(lambda: artifacts.from_file(self._blobs, path, name, limit))

    def log_artifacts(
        self, folder: Any, name: str | None = None, *, limit: int | str | None = None
    ) -> None:
        """Keep a copy of every file of a folder, one entry a file, under ``name/``.

        Links are not followed. Files that did not change since the folder was last kept are not
        read again. ``limit`` is that of one file, see ``log_artifact``.
        """
        self._keep(lambda: artifacts.from_folder(self._blobs, folder, name, limit))

    def log_text(self, text: str, name: str) -> None:
        """Keep a text."""
        self._keep(lambda: artifacts.from_text(self._blobs, text, name))

    def log_dict(self, obj: Any, name: str) -> None:
        """Keep plain data as JSON."""
        self._keep(lambda: artifacts.from_dict(self._blobs, obj, name))

    def log_table(self, frame: Any, name: str) -> None:
        """Keep a DataFrame, or what makes one, as CSV; as Parquet where ``name`` ends so."""
        self._keep(lambda: artifacts.from_table(self._blobs, frame, name))

    def log_figure(self, figure: Any, name: str) -> None:
        """Keep a matplotlib (PNG, or SVG by name), Altair or plotly figure (their JSON)."""
        self._keep(lambda: artifacts.from_figure(self._blobs, figure, name))

    def log_image(self, image: Any, name: str, step: int | None = None) -> None:
        """Keep a PIL image or array (H, W), (H, W, 3|4), floats in 0..1 or bytes, as PNG.

        Images of one name and several steps are all kept, see ``Run.artifact``.
        """
        step = None if step is None else whole(step, name)
        self._keep(lambda: artifacts.from_image(self._blobs, image, name, step))

    def log_model(self, model: Any, name: str = "model", *, format: str | None = None) -> None:
        """Keep a model in a format that loads without running code; see ``Run.load_model``.

        Scikit-learn's estimators as skops, the state of torch modules as safetensors or torch's
        own, XGBoost's and LightGBM's models in theirs. ``format="pickle"`` keeps anything.
        Raises ``InvalidValue`` where there is no format for the model.
        """
        self._keep(lambda: modelkeeping.from_model(self._blobs, model, name, format))

    def log_input(self, data: Any, name: str | None = None) -> None:
        """Note what data went in, by its content: a hash, shape and types; the data stays yours.

        Takes a DataFrame, array, tensor, sparse matrix, or the path of a file or folder. Beyond
        some 50 MB a sample is hashed. Equal data under one name is noted once.
        """
        self._note_input(data, name)

    def note_data(self, data: Any, name: str) -> None:
        """``log_input`` for what we found ourselves: in some 2 ms, and silent for other kinds."""
        if identity.is_known(data):
            self._note_input(data, name, _BUDGET)

    def _note_input(self, data: Any, name: str | None, budget: int | None = None) -> None:
        if name is None:
            name = Path(data).name if isinstance(data, str | Path) else "data"
        name_of(name, "input")
        began = time.perf_counter()
        found = identity.of_data(data) if budget is None else identity.of_data(data, budget)
        entry = {"name": name, **found}
        if "path" in entry:
            entry["path"] = redact.text(entry["path"])[0]
        with self._lock:
            same = [e for e in self.document["inputs"] if e.get("name") == name]
            if any(e.get("hash") == entry["hash"] for e in same):
                return
            self.document["inputs"].append(entry)
            self._mark_late(name)
        seconds = round(time.perf_counter() - began, 4)
        size = entry.get("bytes")
        told = f"its hash is that of a sample of {formats.size(size)}" if size else "sampled"
        self.note_capture(
            f"input {name}", "captured", told if entry["sampled"] else "", seconds=seconds
        )
        self._changed()

    def _keep(self, make: Callable[[], Kept]) -> None:
        try:
            kept = make()
        except (OSError, StoreError) as problem:
            if isinstance(problem, FileNotFoundError):
                raise InvalidValue(f"there is no file {problem.filename}") from None
            self.note_capture("artifact", "skipped", str(problem))
            self._owner.warn(f"an artifact was not kept: {problem}")
            return
        for path in kept.unsteady:
            told = f"{path} was written to while it was copied, twice: the copy may be a mixture"
            self.note_capture("artifact", "captured", told)
            self._owner.warn(told)
        for note in kept.notes:
            self.note_capture("artifacts", "skipped", note)
        for line in kept.lines:
            self._writer.append("artifacts", {**line, "cell": self._owner.cell_id()})
        self._changed()
