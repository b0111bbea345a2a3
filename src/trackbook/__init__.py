"""Trackbook: the experiment tracker that lives in Jupyter.

>>> import trackbook as tb
>>> with tb.start_run("forest", params={"max_depth": 8}):
...     tb.log_metric("accuracy", 0.95)
>>> tb.runs("metrics.accuracy > 0.9").to_pandas()
"""

from __future__ import annotations

from importlib.metadata import version as _version
from typing import Any

from .errors import (
    InvalidValue,
    QueryError,
    RunNotFound,
    StoreError,
    TrackbookError,
    UntrustedRun,
)
from .fluent import (
    active_run,
    end_run,
    log_artifact,
    log_artifacts,
    log_dict,
    log_figure,
    log_image,
    log_input,
    log_metric,
    log_metrics,
    log_model,
    log_param,
    log_params,
    log_table,
    log_text,
    set_experiment,
    set_note,
    set_store,
    set_tag,
    set_tags,
    start_run,
)
from .integrations import autolog
from .reading import compare, get_run, open_store, runs, search_runs

__version__ = _version("trackbook")

__all__ = [
    "InvalidValue",
    "QueryError",
    "RunNotFound",
    "StoreError",
    "TrackbookError",
    "UntrustedRun",
    "active_run",
    "autolog",
    "compare",
    "end_run",
    "get_run",
    "log_artifact",
    "log_artifacts",
    "log_dict",
    "log_figure",
    "log_image",
    "log_input",
    "log_metric",
    "log_metrics",
    "log_model",
    "log_param",
    "log_params",
    "log_table",
    "log_text",
    "open_store",
    "runs",
    "search_runs",
    "set_experiment",
    "set_note",
    "set_store",
    "set_tag",
    "set_tags",
    "start_run",
]


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext trackbook``."""
    from .magics import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext trackbook``."""
    from .magics import unload

    unload(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "trackbook"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from .server import TrackbookApp

    return [{"module": "trackbook.server", "app": TrackbookApp}]
