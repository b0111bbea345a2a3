"""Where things are and what is on: environment, project file, folders.

The store is found in this order: an explicit argument, ``set_store``, ``TRACKBOOK_STORE``,
``[tool.trackbook] store`` of the project, the nearest ``.trackbook`` upward, the git root, the
notebook's folder. Nothing is created here. How large a logged file may be: ``artifact_limit``.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

from .errors import InvalidValue, StoreError

STORE_NAME = ".trackbook"
_ONE_NAME = re.compile(r"[0-9A-Za-z_-]+")
_NO = ("0", "false", "no", "off")

_chosen: Path | None = None
_anchor: Path | None = None


def disabled() -> bool:
    """Whether ``TRACKBOOK_DISABLED`` switches everything off."""
    return os.environ.get("TRACKBOOK_DISABLED", "").lower() not in ("", "0", "false", "no")


def wanted(what: str, default: bool = True) -> bool:
    """Whether ``what`` (``console``, ``outputs``, ``system``, ``gradient_norm``) is captured.

    ``TRACKBOOK_<WHAT>=0`` says no, else ``<what> = false`` in ``[tool.trackbook]`` of the nearest
    project file upward that has the key. What is not captured by default, ``1`` and ``true`` ask
    for.
    """
    if word := os.environ.get(f"TRACKBOOK_{what.upper()}", "").lower():
        return word not in _NO
    for folder in _upward(_existing(here())):
        table = _project(folder)
        if what in table:
            return table[what] is not False
    return default


def choose_store(path: str | os.PathLike[str] | None) -> None:
    """Make ``path`` the store of this process; None goes back to finding it."""
    global _chosen
    _chosen = None if path is None else as_store_path(path)


def chosen_store() -> Path | None:
    """What ``choose_store`` was last given."""
    return _chosen


def set_anchor(folder: Path | None) -> None:
    """Say in which folder the notebook lies, which may not be the current folder."""
    global _anchor
    _anchor = folder


def here() -> Path:
    """The folder that work happens in: the notebook's, else the current one."""
    return _anchor or _cwd()


def as_store_path(path: str | os.PathLike[str]) -> Path:
    """The store folder that a user's path means; raises ``StoreError`` where it is a file.

    A folder that is or holds a store is that store; any other folder becomes one itself.
    """
    folder = Path(path).expanduser().absolute()
    if folder.is_file():
        raise StoreError(f"{folder} is a file; name a folder for the store")
    if folder.name != STORE_NAME and (folder / STORE_NAME / "store.json").is_file():
        return folder / STORE_NAME
    return folder


def find_store(start: Path | None = None) -> Path:
    """The folder of the store for work that happens in ``start`` (default: ``here()``)."""
    if _chosen is not None:
        return _chosen
    if configured := os.environ.get("TRACKBOOK_STORE"):
        return as_store_path(configured)
    start = _existing(start or here())
    git_root: Path | None = None
    for folder in _upward(start):
        if (project := _project_store(folder)) is not None:
            return project
        if (folder / STORE_NAME).is_dir():
            return folder / STORE_NAME
        if git_root is None and (folder / ".git").exists():
            git_root = folder
    return (git_root or start) / STORE_NAME


def fallback_store() -> Path:
    """Where runs go when the project cannot be written: the user's data folder."""
    return user_data_dir() / "store"


def user_data_dir() -> Path:
    """The user's own folder for keys and fallback stores (``XDG_DATA_HOME`` is respected)."""
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "trackbook"


def default_experiment(source: Path | None, store: Path | None) -> str:
    """``notebooks/quickstart`` for a notebook or script, relative to the folder of its store."""
    if source is None:
        return "default"
    bare = source.with_suffix("")
    if store is not None:
        with contextlib.suppress(ValueError):
            return bare.relative_to(store.parent).as_posix()
    return bare.name


# -- how much is kept ------------------------------------------------------------------------

_LIMIT = 2_000_000_000
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", re.IGNORECASE)


def artifact_limit(given: int | str | None = None) -> int | None:
    """How many bytes one logged file may have; None: any number.

    The argument, else ``TRACKBOOK_ARTIFACT_LIMIT``, else ``[tool.trackbook] artifact-limit`` of
    the project, else 2 GB. Raises ``InvalidValue`` for what is no size.
    """
    if given is not None:
        return _bytes(given, "limit")
    if told := os.environ.get("TRACKBOOK_ARTIFACT_LIMIT"):
        return _bytes(told, "TRACKBOOK_ARTIFACT_LIMIT")
    for folder in _upward(_existing(here())):
        if (option := _project(folder).get("artifact-limit")) is not None:
            return _bytes(option, "artifact-limit in pyproject.toml")
    return _LIMIT


def _bytes(size: int | str, what: str) -> int | None:
    if isinstance(size, int) and not isinstance(size, bool) and size >= 0:
        return size
    if str(size).strip().lower() == "none":
        return None
    match = _SIZE.fullmatch(str(size).strip())
    if match is None:
        raise InvalidValue(f"{what} is {size!r:.40}; write a size such as '500 MB', or 'none'")
    return int(float(match[1]) * 1000 ** " kmgt".index(match[2].lower() or " "))


# -- stores that a Jupyter server of this user may serve -------------------------------------


def _registry() -> Path:
    from jupyter_core.paths import jupyter_runtime_dir

    return Path(jupyter_runtime_dir()) / "trackbook"


def register(store_id: str, path: Path) -> None:
    """Let this user's Jupyter servers show the store. Does nothing without Jupyter."""
    try:
        folder = _registry()
    except ImportError:
        return
    entry = folder / f"{store_id}.json"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = entry.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps({"id": store_id, "path": str(path)}), encoding="utf-8")
        os.replace(temporary, entry)


def registered() -> dict[str, Path]:
    """Store id to folder, for the registered stores that still exist; the latest used first."""
    try:
        files = list(_registry().glob("*.json"))
    except ImportError:
        return {}
    entries = []
    for entry in files:
        with contextlib.suppress(OSError):  # gone meanwhile
            entries.append((entry.stat().st_mtime_ns, entry))
    stores: dict[Path, str] = {}  # a store that was deleted and made anew has another id
    for _, entry in sorted(entries, reverse=True):
        if found := _registration(entry):
            stores.setdefault(found[1], found[0])
    return {store_id: path for path, store_id in stores.items()}


def registered_at(store_id: str) -> Path | None:
    """The folder of one registered store, if it still exists."""
    try:
        entry = _registry() / f"{store_id}.json"
    except ImportError:
        return None
    found = _registration(entry) if _ONE_NAME.fullmatch(store_id) else None
    return found[1] if found is not None and found[0] == store_id else None


def registry_stamp() -> int:
    """Another number whenever a store was registered since."""
    try:
        return _registry().stat().st_mtime_ns
    except (ImportError, OSError):
        return 0


def _registration(entry: Path) -> tuple[str, Path] | None:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        data = json.loads(entry.read_text(encoding="utf-8"))
        path = Path(data["path"])
        if (path / "store.json").is_file():
            return str(data["id"]), path
    return None


# -- the way up ------------------------------------------------------------------------------


def _cwd() -> Path:
    try:
        return Path.cwd()
    except OSError:  # the current folder was deleted
        return Path.home()


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder


def _upward(start: Path) -> list[Path]:
    """``start`` and its parents, not past $HOME, a file-system border or another user's folder."""
    home = Path.home()
    first = start.stat()
    folders = [start]
    for folder in start.parents:
        if folders[-1] == home:
            break
        status = folder.stat()
        if status.st_dev != first.st_dev or status.st_uid != first.st_uid:
            break
        folders.append(folder)
    return folders


def _project_store(folder: Path) -> Path | None:
    named = _project(folder).get("store")
    if named is None:
        return None
    path = (folder / str(named)).resolve()
    # A project file may be foreign: it places the store inside its own project only.
    return path if path.is_relative_to(folder.resolve()) else None


def _project(folder: Path) -> dict[str, Any]:
    """``[tool.trackbook]`` of a folder's project file; empty where there is none."""
    file = folder / "pyproject.toml"
    try:
        return _table(file, file.stat().st_mtime_ns)
    except OSError:
        return {}


@functools.lru_cache(64)
def _table(file: Path, changed: int) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            table = tomllib.load(opened)["tool"]["trackbook"]
    except (OSError, KeyError, TypeError, ValueError):  # TOMLDecodeError is a ValueError
        return {}
    return table if isinstance(table, dict) else {}
