"""The patch: what ``git apply`` makes of the commit to get the working tree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from ... import redact
from .changes import LARGEST, LARGEST_IN_ALL, Changes, LeftOut
from .program import GitFailed
from .shadow import Shadow

_FILE = re.compile(rb"^diff --git ", re.MULTILINE)
_HUNK = re.compile(rb"^@@ ", re.MULTILINE)
_OPTIONS = (
    "--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv", "--find-renames",
    "--ignore-submodules=all", "--src-prefix=a/", "--dst-prefix=b/",
)  # fmt: skip
_MOST_EXCLUDED = 1_000
# Where a bare word after "=" is a variable, not a value.
_CODE = (
    ".py .pyi .ipynb .pyx .r .jl .js .jsx .ts .tsx .java .c .h .cc .cpp .hpp .cu .go .rs .scala "
    ".kt .swift .cs .lua .pl .rb .php .sql .m .sh .bash .zsh"
)
_CODE_SUFFIXES = frozenset(_CODE.split())


@dataclass(frozen=True)
class Patch:
    """The bytes for ``git apply``, how many secrets are hidden in them, and what is not there."""

    data: bytes
    redacted: int
    left_out: list[LeftOut]


def make(git: Shadow, changes: Changes) -> Patch:
    """The patch of these changes, without secrets; raises ``GitFailed``."""
    if len(changes.excluded) > _MOST_EXCLUDED:
        raise GitFailed(f"{len(changes.excluded)} changed files cannot be part of a patch")
    if changes.untracked:
        names = "\0".join([*changes.untracked, ""]).encode("utf-8", "surrogateescape")
        git.run(
            "add", "--intent-to-add", "--pathspec-from-file=-", "--pathspec-file-nul",
            given=names, literal=True,
        )  # fmt: skip
    without = [f":(top,exclude,literal){path}" for path in changes.excluded]
    data = git.run("diff", *_OPTIONS, git.base, "--", ":/", *without)
    left_out = list(changes.left_out)
    kept, total, redacted = [], 0, 0
    for section in _sections(data):
        total += len(section) if len(section) <= LARGEST else 0
        if len(section) > LARGEST or total > LARGEST_IN_ALL:
            left_out.append(LeftOut(_path(section), f"its difference has {_megabytes(section)}"))
            continue
        clean, found = _without_secrets(section)
        kept.append(clean)
        redacted += found
    return Patch(b"".join(kept), redacted, left_out)


def _sections(data: bytes) -> list[bytes]:
    starts = [match.start() for match in _FILE.finditer(data)]
    return [data[a:b] for a, b in zip(starts, [*starts[1:], len(data)], strict=False)]


def _path(section: bytes) -> str:
    """The path of a section: ``diff --git a/PATH b/PATH``; of a renamed file both."""
    line = section.partition(b"\n")[0].removeprefix(b"diff --git ")
    half = (len(line) - 5) // 2
    same = line[2 : 2 + half] == line[5 + half :]
    return (line[2 : 2 + half] if same else line).decode("utf-8", "replace")


def _megabytes(section: bytes) -> str:
    return f"{len(section) / 10**6:.1f} MB"


def _without_secrets(section: bytes) -> tuple[bytes, int]:
    hunks = _HUNK.search(section)
    if hunks is None:
        return section, 0  # a binary file, a mode, a name
    text = section[hunks.start() :].decode("utf-8", "surrogateescape")
    suffix = PurePosixPath(_path(section).rstrip('"')).suffix.lower()
    clean, found = redact.code(text) if suffix in _CODE_SUFFIXES else redact.text(text)
    if not found:
        return section, 0
    return section[: hunks.start()] + clean.encode("utf-8", "surrogateescape"), found
