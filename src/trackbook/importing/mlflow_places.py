"""Where MLflow's artifacts lie now, wherever they lay when they were written."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from . import foreign
from .origin import Content, Kept

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+):(//[^/]*)?")
# What MLflow and its server put the folders of the experiments into.
_PARENTS = ("", "mlruns", "mlartifacts")


def collect(content: Content, roots: Sequence[Path], uri: str, own: str, prefix: str = "") -> None:
    """Add the files that a run or model of id ``own`` keeps at ``uri``, or say why they stay."""
    folder = find(roots, uri, own)
    if folder is not None:
        add(content, folder, prefix)
        return
    scheme, path = _split(uri)
    what = f"artifacts {prefix.rstrip('/')}".strip()
    if scheme not in ("", "file"):
        content.gaps[what] = f"they are not on this machine but at {uri:.200}"
    elif os.path.lexists(path):
        content.gaps[what] = f"{path:.200} is not below the imported folder: say --artifacts FOLDER"


def find(roots: Sequence[Path], uri: str, own: str) -> Path | None:
    """The folder that the address means, below one of the roots, also where these were moved."""
    _, path = _split(uri)
    parts = [part for part in PurePosixPath(path).parts if part != "/"]
    if ".." in parts or own not in parts:
        return None
    whole = Path("/", *parts)
    for root in roots:
        if foreign.below(root, whole) and whole.is_dir():
            return whole
    # The end of the address, as long as it still names the run itself.
    for start in range(len(parts) - parts[::-1].index(own)):
        for root in roots:
            for parent in _PARENTS:
                folder = Path(root, parent, *parts[start:])
                if foreign.below(root, folder) and folder.is_dir():
                    return folder
    return None


def add(content: Content, folder: Path, prefix: str = "") -> None:
    """Add every regular file of a folder; links are named and left out."""
    for name, entry in foreign.files(folder):
        if not foreign.is_plain(entry):
            content.gaps[f"artifact {prefix}{name}"] = "a link or no file, which is not followed"
        elif entry.stat(follow_symlinks=False).st_size > foreign.FILE_LIMIT:
            content.gaps[f"artifact {prefix}{name}"] = "larger than 64 GiB"
        else:
            content.files.append(Kept(prefix + name, Path(entry.path)))


def _split(uri: str) -> tuple[str, str]:
    """Scheme and path of an address; a plain path has no scheme."""
    match = _SCHEME.match(uri)
    if match is None:
        return "", uri.replace("\0", "")
    return match[1].lower(), unquote(uri[match.end() :]).replace("\0", "")
