"""The module-level functions of ``import trackbook as tb`` that write: they mean the active run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from . import settings
from .capture import session as sessions
from .capture.live import ActiveRun


def start_run(
    name: str | None = None,
    *,
    experiment: str | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    note: str | None = None,
    nested: bool | None = None,
    run_id: str | None = None,
    run_name: str | None = None,
) -> ActiveRun:
    """Start a run: bare, or ``with tb.start_run(): ...`` which ends it.

    Inside a ``with`` or a ``%%track`` cell it is a child; ``nested`` decides otherwise. A bare run
    replaces the bare run that is open. ``run_id`` resumes a run (an id or a unique prefix of one).
    ``run_name`` is another word for ``name``.

    Raises ``StoreError`` where the store cannot be written, ``RunNotFound`` for an unknown
    ``run_id``, ``InvalidValue`` for a param or tag that cannot be kept. Never "already active".
    """
    return sessions.current.start_run(
        name if name is not None else run_name,
        experiment=experiment,
        params=params,
        tags=tags,
        note=note,
        nested=nested,
        run_id=run_id,
    )


def end_run(status: str = "finished") -> None:
    """End the active run as ``finished``, ``failed`` or ``interrupted`` (in any case)."""
    sessions.current.end_run(status)


def active_run() -> ActiveRun | None:
    """The run that ``tb.log_*`` logs into now; None where none is open."""
    return sessions.current.active()


def set_experiment(name: str) -> None:
    """Put the runs that start from now on into this experiment; ``/`` makes folders."""
    sessions.current.set_experiment(name)


def set_store(path: str | PathLike[str] | None) -> None:
    """Use this folder as the store, None: find it again. ``StoreError`` where it is a file."""
    settings.choose_store(path)


def log_param(key: str, value: Any) -> None:
    """Keep one param, typed (see ``ActiveRun.log_param``)."""
    sessions.current.logging_run().log_param(key, value)


def log_params(params: Mapping[str, Any]) -> None:
    """Keep several params, typed; nested mappings are kept whole."""
    sessions.current.logging_run().log_params(params)


def log_metric(key: str, value: Any, step: int | None = None) -> None:
    """Keep one point of a metric; ``step`` counts up by itself (see ``ActiveRun.log_metric``)."""
    sessions.current.logging_run().log_metric(key, value, step)


def log_metrics(metrics: Mapping[str, Any], step: int | None = None) -> None:
    """Keep one point of each metric."""
    sessions.current.logging_run().log_metrics(metrics, step)


def log_artifact(
    path: str | PathLike[str], name: str | None = None, *, limit: int | str | None = None
) -> None:
    """Keep a copy of a file of at most ``limit`` bytes (see ``ActiveRun.log_artifact``)."""
    sessions.current.logging_run().log_artifact(path, name, limit=limit)


def log_artifacts(
    folder: str | PathLike[str], name: str | None = None, *, limit: int | str | None = None
) -> None:
    """Keep a copy of every file of a folder; links are not followed."""
    sessions.current.logging_run().log_artifacts(folder, name, limit=limit)


def log_text(text: str, name: str) -> None:
    """Keep a text as an artifact."""
    sessions.current.logging_run().log_text(text, name)


def log_dict(obj: Mapping[str, Any] | Sequence[Any], name: str) -> None:
    """Keep plain data as a JSON artifact."""
    sessions.current.logging_run().log_dict(obj, name)


def log_table(frame: Any, name: str) -> None:
    """Keep a DataFrame, or what makes one, as CSV, or as Parquet where ``name`` ends so."""
    sessions.current.logging_run().log_table(frame, name)


def log_figure(figure: Any, name: str) -> None:
    """Keep a matplotlib, Altair or plotly figure."""
    sessions.current.logging_run().log_figure(figure, name)


def log_image(image: Any, name: str, step: int | None = None) -> None:
    """Keep a PIL image or an array (H, W), (H, W, 3) or (H, W, 4) as PNG."""
    sessions.current.logging_run().log_image(image, name, step)


def log_model(model: Any, name: str = "model", *, format: str | None = None) -> None:
    """Keep a model in a format that loads without running code (see ``ActiveRun.log_model``)."""
    sessions.current.logging_run().log_model(model, name, format=format)


def log_input(data: Any, name: str | None = None) -> None:
    """Note what data went in: hash, shape and types of a frame, an array, a file or a folder."""
    sessions.current.logging_run().log_input(data, name)


def set_tag(key: str, value: Any = "") -> None:
    """Set a tag of the active run."""
    sessions.current.logging_run().set_tag(key, value)


def set_tags(tags: Mapping[str, Any]) -> None:
    """Set several tags of the active run."""
    sessions.current.logging_run().set_tags(tags)


def set_note(markdown: str) -> None:
    """Replace the note of the active run (Markdown)."""
    sessions.current.logging_run().set_note(markdown)
