"""Reading a repository runs nothing of it, writes nothing into it, and takes its time in hand."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from test_git import applied, edit, git, patch_of, read, repo, tree

from trackbook.capture.git import Git
from trackbook.store import Store

__all__ = ["repo"]  # the fixture


def everything(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file and folder with its times and content."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        status = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path)] = (status.st_mtime_ns, status.st_ctime_ns, content)
    return found


TRAPS = """
[core]
    fsmonitor = {evil}
    hooksPath = {hooks}
    sshCommand = {evil}
    pager = {evil}
    editor = {evil}
    askPass = {evil}
    gitProxy = {evil}
    alternateRefsCommand = {evil}
    untrackedCache = true
    attributesFile = {attributes}
[filter "evil"]
    clean = {evil}
    smudge = {evil}
    process = {evil}
    required = true
[diff]
    external = {evil}
[diff "evil"]
    command = {evil}
    textconv = {evil}
[merge "evil"]
    driver = {evil}
[pager]
    diff = {evil}
    config = {evil}
    ls-files = {evil}
[alias]
    diff = !{evil}
    rev-parse = !{evil}
    config = !{evil}
    ls-files = !{evil}
    add = !{evil}
[gpg]
    program = {evil}
[credential]
    helper = !{evil}
[interactive]
    diffFilter = {evil}
[gc]
    auto = 1
[remote "origin"]
    url = ext::{evil}
    promisor = true
    partialclonefilter = blob:none
    uploadpack = {evil}
[protocol]
    allow = always
[submodule "sub"]
    update = !{evil}
[include]
    path = more
[includeIf "gitdir:**"]
    path = more
"""


def set_traps(repo: Path, tmp_path: Path) -> Path:
    """Every program that a repository can have git run; returns the file that tells of one."""
    sprung = tmp_path / "sprung"
    evil = tmp_path / "evil"
    evil.write_text(f'#!/bin/sh\necho "$0 $@" >> {sprung}\ncat\n')
    evil.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    own = repo / ".git" / "hooks"
    own.mkdir(exist_ok=True)
    for name in ("post-index-change", "pre-commit", "post-checkout", "fsmonitor-watchman",
                 "reference-transaction", "pre-auto-gc"):  # fmt: skip
        shutil.copy(evil, hooks / name)
        shutil.copy(evil, own / name)
    (repo / ".gitattributes").write_text("* filter=evil diff=evil merge=evil\n")
    attributes = tmp_path / "attributes"
    attributes.write_text("* filter=evil diff=evil\n")
    with (repo / ".git" / "config").open("a") as file:
        file.write(TRAPS.format(evil=evil, hooks=hooks, attributes=attributes))
    (repo / ".git" / "more").write_text(f"[core]\n\tfsmonitor = {evil}\n")
    return sprung


def test_a_hostile_repository_runs_nothing(store: Store, repo: Path, tmp_path: Path) -> None:
    (repo / "new.py").write_text("x = 1\n")
    edit(repo)
    sprung = set_traps(repo, tmp_path)
    (repo / "sub").mkdir()
    shutil.copytree(repo / ".git", repo / "sub" / ".git")
    (repo / "sub" / "a.py").write_text("x = 1\n")
    reading = read(store, repo / "pkg")
    assert not sprung.exists(), sprung.read_text()
    assert reading.git is not None
    assert reading.git["dirty"] is True
    # The traps are live: what git does by itself springs them.
    shutil.rmtree(repo / "sub")
    os.system(f"cd {repo} && git status >/dev/null 2>&1 </dev/null")
    assert sprung.exists()


def test_the_environment_of_the_user_runs_nothing(
    store: Store, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(repo)
    sprung = set_traps(repo, tmp_path)
    (repo / ".gitattributes").unlink()
    (tmp_path / "attributes").unlink()
    evil = str(tmp_path / "evil")
    for name in ("GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_EDITOR"):
        monkeypatch.setenv(name, evil)
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", evil)
    reading = read(store, repo)
    assert not sprung.exists()
    assert not (tmp_path / "trace").exists()
    assert b"+line 0\n" in patch_of(store, reading)


def test_nothing_is_written_into_the_repository(store: Store, repo: Path) -> None:
    edit(repo)
    (repo / "new.py").write_text("x = 1\n")
    os.utime(repo / "pkg" / "model.py")  # git would like to refresh its index
    before = everything(repo)
    read(store, repo)
    assert everything(repo) == before


def test_nothing_stays_in_the_folder_for_temporary_files(
    store: Store, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    edit(repo)
    assert read(store, repo).git is not None
    assert list(place.iterdir()) == []


def test_files_that_go_through_a_filter_are_named_and_left_out(store: Store, repo: Path) -> None:
    (repo / ".gitattributes").write_text("*.big filter=lfs diff=lfs merge=lfs -text\n")
    (repo / "a.big").write_text("a pointer\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "lfs")
    (repo / "a.big").write_text("what it points to\n")
    (repo / "b.big").write_text("new\n")
    reading = read(store, repo)
    assert reading.git is not None
    assert [(out["path"], out["reason"]) for out in reading.git["left_out"]] == [
        ("a.big", "goes through the filter lfs"),
        ("b.big", "goes through the filter lfs"),
    ]
    assert reading.git["patch"] is None


def test_submodules_are_noted(store: Store, repo: Path, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    shutil.copytree(repo, inner)
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "sub")
    git(repo, "commit", "-qm", "with a submodule")
    sprung = set_traps(inner, tmp_path)
    shutil.copy(inner / ".git" / "config", repo / ".git" / "modules" / "sub" / "config")
    (repo / "sub" / "train.py").write_text("dirty\n")
    clean = read(store, repo)
    assert clean.git is not None
    assert clean.git["dirty"] is False
    assert ("patch", "left out", "changes inside submodules") in clean.notes
    more = git(repo / "sub", "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "more")
    git(repo / "sub", "-c", "core.hooksPath=/dev/null", "update-ref", "HEAD", more.decode().strip())
    sprung.unlink(missing_ok=True)
    moved = read(store, repo)
    assert moved.git is not None
    assert moved.git["left_out"] == [{"path": "sub", "reason": "a submodule at another commit"}]
    assert not sprung.exists()


def test_worktrees_and_git_files_are_repositories_too(
    store: Store, repo: Path, tmp_path: Path
) -> None:
    other = tmp_path / "linked"
    git(repo, "worktree", "add", "-q", "-b", "side", str(other))
    edit(other)
    (other / "new.py").write_text("x = 1\n")
    reading = read(store, other / "pkg")
    assert reading.git is not None
    assert reading.git["branch"] == "side"
    assert applied(store, reading, repo, tmp_path / "check") == tree(other)
    clean = read(store, repo).git
    assert clean is not None
    assert clean["patch"] is None


@pytest.mark.parametrize("cone", ["--cone", "--no-cone"])
@pytest.mark.parametrize("sparse_index", ["--sparse-index", "--no-sparse-index"])
def test_sparse_checkouts_miss_no_file(
    store: Store, repo: Path, tmp_path: Path, cone: str, sparse_index: str
) -> None:
    (repo / "far" / "away").mkdir(parents=True)
    (repo / "far" / "away" / "x.py").write_text("x\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "far")
    if cone == "--no-cone" and sparse_index == "--sparse-index":
        sparse_index = "--no-sparse-index"  # git has no such thing
    git(repo, "sparse-checkout", "set", cone, sparse_index, "pkg")
    assert not (repo / "far").exists()
    (repo / "pkg" / "model.py").write_text("depth = 9\n")
    reading = read(store, repo)
    assert reading.git is not None
    assert patch_of(store, reading).count(b"diff --git") == 1


def test_other_forms_of_the_index_and_of_objects(store: Store, repo: Path, tmp_path: Path) -> None:
    git(repo, "update-index", "--split-index")
    git(repo, "gc", "-q")
    git(repo, "pack-refs", "--all")
    edit(repo)
    (repo / "new.py").write_text("x = 1\n")
    reading = read(store, repo)
    assert applied(store, reading, repo, tmp_path / "a") == tree(repo)
    borrower = tmp_path / "borrower"
    git(tmp_path, "clone", "-q", "--shared", str(repo), str(borrower))
    edit(borrower)
    reading = read(store, borrower)
    assert applied(store, reading, borrower, tmp_path / "b") == tree(borrower)


def test_repositories_of_sha256(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "modern"
    folder.mkdir()
    git(folder, "init", "-q", "--object-format=sha256")
    (folder / "a.py").write_text("a = 1\n")
    unborn = read(store, folder)
    assert b"+a = 1" in patch_of(store, unborn)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    (folder / "a.py").write_text("a = 2\n")
    reading = read(store, folder)
    assert reading.git is not None
    assert len(reading.git["commit"]) == 64
    assert b"+a = 2" in patch_of(store, reading)


def test_a_merge_with_conflicts_is_read(store: Store, repo: Path, tmp_path: Path) -> None:
    for branch, text in (("other", "theirs\n"), ("main", "ours\n")):
        git(repo, "checkout", "-q", "-B", branch, "main")
        (repo / "train.py").write_text(text)
        git(repo, "commit", "-qam", branch)
        git(repo, "checkout", "-q", "main")
    os.system(f"cd {repo} && git merge -q other >/dev/null 2>&1")
    assert "<<<<<<<" in (repo / "train.py").read_text()
    reading = read(store, repo)
    assert applied(store, reading, repo, tmp_path / "other") == tree(repo)


# -- where there is nothing to tell ----------------------------------------------------------------


def test_outside_a_repository_the_reason_is_told(store: Store, tmp_path: Path) -> None:
    reading = read(store, tmp_path)
    assert reading.git is None
    assert reading.notes == [("git", "not captured", "not in a git repository")]


def test_without_a_git_program_the_reason_is_told(
    store: Store, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(repo))
    assert read(store, repo).notes == [("git", "not captured", "git is not installed")]


def test_broken_repositories_and_deleted_folders_have_a_reason(
    store: Store, repo: Path, tmp_path: Path
) -> None:
    (gone,) = read(store, tmp_path / "gone").notes
    assert "No such file" in gone[2]
    (repo / ".git" / "index").write_bytes(b"no index at all")
    broken = read(store, repo)
    assert broken.git is not None
    assert broken.git["commit"] is not None
    assert broken.git["dirty"] is None
    assert broken.notes[0][:2] == ("patch", "not captured")
    (repo / ".git" / "config").write_text("[core\n")
    (unreadable,) = read(store, repo).notes
    assert "config" in unreadable[2]
    bare = tmp_path / "bare"
    git(tmp_path, "init", "-q", "--bare", str(bare))
    (nowhere,) = read(store, bare).notes
    assert "no working tree" in nowhere[2]


def test_a_working_tree_elsewhere_is_not_read(store: Store, repo: Path, tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "diary.txt").write_text("dear diary\n")
    git(repo, "config", "core.worktree", str(tmp_path))
    (note,) = read(store, repo).notes
    assert note == ("git", "not captured", "the repository's working tree lies elsewhere")


def test_two_seconds_are_enough_or_the_reason_is_told(
    store: Store, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.which("git")
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\ncase "$*" in *--raw*) sleep 60;; esac\nexec {real} "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
    started = time.monotonic()
    reading = Git(store.blobs, store.path).read(repo)
    assert time.monotonic() - started < 30
    assert reading.git is not None
    assert reading.git["commit"] is not None
    assert reading.notes == [("patch", "not captured", "git took longer than 2 s")]


def test_the_same_changes_are_one_patch_and_others_another(store: Store, repo: Path) -> None:
    edit(repo)
    reader = Git(store.blobs, store.path)
    first = reader.read(repo, 20.0).git
    again = reader.read(repo, 20.0).git
    assert first == again
    (repo / "new.py").write_text("x = 1\n")
    other = reader.read(repo, 20.0).git
    assert first is not None and other is not None
    assert first["patch"] != other["patch"]
    (repo / "new.py").write_text("x = 2\n")
    third = reader.read(repo, 20.0).git
    assert third is not None
    assert third["patch"] != other["patch"]
