"""A repository, and a private git folder in its place that has its files but not its settings."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .program import GitFailed, Program

# Settings that change what counts as a difference and can run nothing.
_HARMLESS = (
    "core.autocrlf",
    "core.eol",
    "core.filemode",
    "core.symlinks",
    "core.ignorecase",
    "core.precomposeunicode",
    "core.excludesfile",
    "core.attributesfile",
    "core.trustctime",
    "core.checkstat",
    "core.sparsecheckout",
    "core.sparsecheckoutcone",
)
_PLACES = (
    "--show-toplevel", "--absolute-git-dir",
    "--git-path", "objects", "--git-path", "index", "--git-path", "info",
)  # fmt: skip


@dataclass(frozen=True)
class Repository:
    """Where a repository lies and what its HEAD is."""

    top: Path
    folder: Path
    objects: Path
    index: Path
    info: Path
    commit: str | None
    branch: str | None
    settings: Mapping[str, str]

    def remote(self) -> str | None:
        """The address of the branch's remote, else of origin, else of the first one."""
        urls = {
            key.removeprefix("remote.").removesuffix(".url"): value
            for key, value in self.settings.items()
            if key.startswith("remote.") and key.endswith(".url")
        }
        ours = self.settings.get(f"branch.{self.branch}.remote", "origin")
        return urls.get(ours) or urls.get("origin") or next(iter(urls.values()), None)


def find(program: Program, folder: Path) -> Repository:
    """The repository around a folder; raises ``GitFailed``."""
    told = program.run(
        "rev-parse", "--path-format=absolute", *_PLACES, "HEAD", "--symbolic-full-name", "HEAD",
        folder=folder, ok=(0, 128),
    )  # fmt: skip
    lines = told.decode("utf-8", "surrogateescape").splitlines()
    if len(lines) < 5:
        # Where it failed early, this one says why.
        program.run("rev-parse", "--show-toplevel", folder=folder)
        raise GitFailed("git does not tell where the repository lies")
    top, place, objects, index, info = (Path(line) for line in lines[:5])
    if not (top / ".git").exists() or not folder.resolve().is_relative_to(top.resolve()):
        raise GitFailed("the repository's working tree lies elsewhere")
    unborn = len(lines) < 7
    reference = _unborn_branch(program, folder) if unborn else lines[6]
    return Repository(
        top=top,
        folder=place,
        objects=objects,
        index=index,
        info=info,
        commit=None if unborn else lines[5],
        branch=reference.removeprefix("refs/heads/") if reference != "HEAD" else None,
        settings=_settings(program, folder),
    )


def _unborn_branch(program: Program, folder: Path) -> str:
    told = program.run("symbolic-ref", "-q", "HEAD", folder=folder, ok=(0, 1, 128))
    return told.decode("utf-8", "surrogateescape").strip() or "HEAD"


def _settings(program: Program, folder: Path) -> dict[str, str]:
    listed = program.run("config", "--null", "--list", folder=folder)
    settings: dict[str, str] = {}
    for entry in listed.decode("utf-8", "surrogateescape").split("\0"):
        key, equals, value = entry.partition("\n")
        settings[key] = value if equals else "true"
    return settings


class Shadow:
    """Git in the working tree of a repository, without its configuration, and read-only for it.

    A fresh git folder holds copies of the index and the ignore rules, the repository's objects
    are borrowed, so filters, hooks, monitors and drivers that a repository defines do not exist,
    and whatever git writes goes away with the folder.
    """

    def __init__(self, program: Program, repository: Repository, folder: Path) -> None:
        self._program = program
        self._top = repository.top
        self._options: list[str] = []
        for key in _HARMLESS:
            if key in repository.settings:
                self._options += ["-c", f"{key}={repository.settings[key]}"]
        self._environment = {
            "GIT_DIR": str(folder),
            "GIT_WORK_TREE": str(repository.top),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }
        self.base = repository.commit or self._empty_tree()

    def run(self, *arguments: str, given: bytes = b"", literal: bool = False) -> bytes:
        """What git prints at the top of the working tree; ``literal``: paths are no patterns."""
        environment = {**self._environment, "GIT_LITERAL_PATHSPECS": "1" if literal else "0"}
        return self._program.run(
            *self._options, *arguments, folder=self._top, environment=environment, given=given
        )

    def _empty_tree(self) -> str:
        return self.run("hash-object", "-t", "tree", "--stdin").decode("ascii").strip()


@contextlib.contextmanager
def shadow(program: Program, repository: Repository) -> Iterator[Shadow]:
    """A ``Shadow`` of a repository, for as long as the context lasts."""
    try:
        place = tempfile.TemporaryDirectory(prefix="trackbook-git-", ignore_cleanup_errors=True)
    except OSError as problem:
        raise GitFailed(f"there is no folder for temporary files: {problem}") from problem
    with place as name:
        folder = Path(name)
        try:
            _fill(folder, repository)
        except OSError as problem:
            raise GitFailed(f"the index cannot be copied: {problem}") from problem
        yield Shadow(program, repository, folder)


def _fill(folder: Path, repository: Repository) -> None:
    sha256 = repository.settings.get("extensions.objectformat", "sha1") != "sha1"
    config = f"[core]\n\trepositoryformatversion = {int(sha256)}\n\tbare = false\n"
    config += "[extensions]\n\tobjectformat = sha256\n" if sha256 else ""
    (folder / "config").write_text(config, encoding="utf-8")
    head = repository.commit or "ref: refs/heads/unborn"
    (folder / "HEAD").write_text(head + "\n", encoding="utf-8")
    (folder / "refs").mkdir()
    (folder / "info").mkdir()
    (folder / "objects" / "info").mkdir(parents=True)
    borrowed = str(repository.objects) + "\n"
    alternates = folder / "objects" / "info" / "alternates"
    alternates.write_bytes(borrowed.encode("utf-8", "surrogateescape"))
    # With its times: git tells by them which files it has to look into.
    copies = [(repository.index, folder / "index")]
    copies += [(found, folder / found.name) for found in repository.folder.glob("sharedindex.*")]
    for name in ("exclude", "attributes", "sparse-checkout"):
        copies.append((repository.info / name, folder / "info" / name))
    for source, target in copies:
        if source.is_file():
            shutil.copy2(source, target)
