"""What differs from the commit, and which of it goes into a patch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .program import GitFailed
from .shadow import Shadow

LARGEST = 1_000_000
LARGEST_IN_ALL = 10_000_000
_LARGEST_TRACKED = 10_000_000
_MOST_FILES = 2_000
_SUBMODULE = "160000"
_NEVER = {".trackbook", ".ipynb_checkpoints"}
# Git itself calls a file binary that has a null byte among so many.
_LOOKED_AT = 8000


@dataclass(frozen=True)
class LeftOut:
    """A changed file that is not in the patch."""

    path: str
    reason: str


@dataclass
class Changes:
    """The changed files, by what becomes of them."""

    tracked: list[str] = field(default_factory=list)
    """Differ from the commit."""
    untracked: list[str] = field(default_factory=list)
    """Are new, and go into the patch."""
    excluded: list[str] = field(default_factory=list)
    """Tracked ones that do not."""
    left_out: list[LeftOut] = field(default_factory=list)
    state: tuple[object, ...] = ()
    """Equal as long as the patch is the same."""

    def leave_out(self, path: str, reason: str) -> None:
        """Name a file that is not in the patch."""
        self.left_out.append(LeftOut(shown(path), reason))


@dataclass(frozen=True)
class _Tracked:
    path: str
    modes: tuple[str, str]
    old: str


def read(git: Shadow, top: Path, store: Path | None) -> Changes:
    """What changed since the commit, chosen by size and kind; ``store`` is never part of it."""
    found = Changes()
    raw = git.run(
        "diff", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv",
        "--ignore-submodules=dirty", git.base, "--",
    )  # fmt: skip
    others = git.run("ls-files", "--others", "--exclude-standard", "-z", "--")
    tracked = list(_tracked(raw))
    untracked = [path for path in _text(others).split("\0") if path]
    ours = _ours(top, store)
    found.tracked = [change.path for change in tracked if not ours(change.path)]
    found.state = (raw, tuple(_state(top, [*(t.path for t in tracked), *untracked])))
    if len(tracked) + len(untracked) > 10 * _MOST_FILES:
        raise GitFailed(f"{len(tracked) + len(untracked)} files are changed or new")
    filtered = _filtered(git, [*(t.path for t in tracked), *untracked])
    _choose_tracked(git, top, found, [t for t in tracked if not ours(t.path)], filtered)
    found.excluded += [change.path for change in tracked if ours(change.path)]
    _choose_untracked(top, found, [path for path in untracked if not ours(path)], filtered)
    return found


def shown(path: str) -> str:
    """A path as text that JSON can hold."""
    return _bytes(path).decode("utf-8", "replace")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _ours(top: Path, store: Path | None) -> Callable[[str], bool]:
    """Whether a path is the store's or a checkpoint, which are never part of a patch."""
    inside = store is not None and store != top and store.is_relative_to(top)
    prefix = f"{store.relative_to(top).as_posix()}/" if inside and store else None

    def ours(path: str) -> bool:
        return (prefix is not None and path.startswith(prefix)) or not _NEVER.isdisjoint(
            path.split("/")
        )

    return ours


def _tracked(raw: bytes) -> Iterator[_Tracked]:
    parts = iter(_text(raw).split("\0"))
    for header in parts:
        if header:
            old_mode, new_mode, old, _, _ = header.lstrip(":").split(" ")
            yield _Tracked(next(parts), (old_mode, new_mode), old)


def _state(top: Path, paths: Iterable[str]) -> Iterator[tuple[str, int, int]]:
    for path in paths:
        try:
            status = (top / path).lstat()
            yield path, status.st_mtime_ns, status.st_size
        except OSError:
            yield path, -1, -1


def _filtered(git: Shadow, paths: list[str]) -> dict[str, str]:
    """Files that git would send through a program, such as Git LFS, which we never run."""
    if not paths:
        return {}
    given = _bytes("\0".join([*paths, ""]))
    parts = _text(git.run("check-attr", "-z", "--stdin", "filter", given=given)).split("\0")
    named = zip(parts[::3], parts[2::3], strict=False)
    return {path: shown(value) for path, value in named if value not in ("unspecified", "unset")}


def _choose_tracked(
    git: Shadow, top: Path, found: Changes, tracked: list[_Tracked], filtered: dict[str, str]
) -> None:
    before = _old_sizes(git, [change.old for change in tracked if set(change.old) != {"0"}])
    for change in tracked:
        reason = ""
        size = _size(top, change.path)
        if _SUBMODULE in change.modes:
            reason = "a submodule at another commit"
        elif change.path in filtered:
            reason = f"goes through the filter {filtered[change.path]}"
        elif max(size, before.get(change.old, 0)) > _LARGEST_TRACKED:
            reason = f"larger than {_LARGEST_TRACKED // 10**6} MB"
        elif change.old in before and before[change.old] < 0:
            reason = "its committed version is not here"
        if reason:
            found.excluded.append(change.path)
            found.leave_out(change.path, reason)


def _old_sizes(git: Shadow, objects: list[str]) -> dict[str, int]:
    """Size of each committed version in bytes; -1 where it is not here (a partial clone)."""
    if not objects:
        return {}
    given = "\n".join([*objects, ""]).encode("ascii")
    told = git.run("cat-file", "--batch-check=%(objectname) %(objectsize)", given=given)
    sizes: dict[str, int] = {}
    for line in told.decode("ascii").splitlines():
        name, size = line.split(" ", 1)
        sizes[name] = int(size) if size.isdigit() else -1
    return sizes


def _choose_untracked(
    top: Path, found: Changes, paths: list[str], filtered: dict[str, str]
) -> None:
    total = 0
    for path in paths:
        size = _size(top, path)
        reason = _unfit(top, path, size, filtered.get(path))
        if not reason and (total + size > LARGEST_IN_ALL or len(found.untracked) >= _MOST_FILES):
            reason = f"more than {LARGEST_IN_ALL // 10**6} MB of new files"
        if reason:
            found.leave_out(path, reason)
        else:
            found.untracked.append(path)
            total += size


def _unfit(top: Path, path: str, size: int, filtered: str | None) -> str:
    """Why a new file cannot be in a patch; empty where it can."""
    if path.endswith("/"):
        return "a repository of its own"
    if filtered is not None:
        return f"goes through the filter {filtered}"
    if size < 0:
        return "cannot be read"
    if size > LARGEST:
        return f"larger than {LARGEST // 10**6} MB"
    return _binary(top / path)


def _size(top: Path, path: str) -> int:
    try:
        return (top / path).lstat().st_size
    except OSError:
        return -1


def _binary(path: Path) -> str:
    try:
        if path.is_symlink():
            return ""
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            return "binary" if b"\0" in file.read(_LOOKED_AT) else ""
    except OSError:
        return "cannot be read"
