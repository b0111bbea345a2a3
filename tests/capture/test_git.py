"""Commit and patch: ``git apply`` of the patch on the commit gives the files as they were."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from trackbook.capture.git import Git, Reading
from trackbook.store import Store


def git(folder: Path, *arguments: str, given: bytes | None = None) -> bytes:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, input=given, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with one commit of several kinds of files."""
    folder = tmp_path / "repo"
    (folder / "pkg").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    (folder / "train.py").write_text("".join(f"line {i}\n" for i in range(30)))
    (folder / "pkg" / "model.py").write_text("depth = 8\n")
    (folder / "windows.txt").write_bytes(b"one\r\ntwo\r\nthree\r\n")
    (folder / "image.bin").write_bytes(bytes(range(256)) * 20)
    (folder / "no-end.txt").write_bytes(b"no newline")
    (folder / "run.sh").write_text("echo hi\n")
    (folder / ".gitignore").write_text("data/\n*.log\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    return folder


def read(store: Store, folder: Path, budget: float = 20.0) -> Reading:
    return Git(store.blobs, store.path).read(folder, budget)


def patch_of(store: Store, reading: Reading) -> bytes:
    assert reading.git is not None, reading.notes
    return store.blobs.get(reading.git["patch"]) if reading.git["patch"] else b""


def tree(folder: Path) -> dict[str, tuple[str, bytes]]:
    """Every file with its kind and content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name.split("/")[0] == ".git" or (path.is_dir() and not path.is_symlink()):
            continue
        if path.is_symlink():
            found[name] = ("link", os.fsencode(path.readlink()))
        else:
            kind = "program" if path.stat().st_mode & 0o100 else "file"
            found[name] = (kind, path.read_bytes())
    return found


def applied(store: Store, reading: Reading, repo: Path, at: Path) -> dict[str, tuple[str, bytes]]:
    """What ``git apply`` makes of the commit, in another folder."""
    assert reading.git is not None
    if reading.git["commit"] is None:
        at.mkdir()
        git(at, "init", "-q")
    else:
        git(repo.parent, "clone", "-q", "--no-checkout", str(repo), str(at))
        git(at, "checkout", "-q", reading.git["commit"])
    patch = patch_of(store, reading)
    if patch:
        git(at, "apply", "--whitespace=nowarn", "-", given=patch)
    return tree(at)


def edit(repo: Path) -> None:
    (repo / "train.py").write_text("".join(f"line {i * (i != 12)}\n" for i in range(30)))


def staged_and_edited(repo: Path) -> None:
    (repo / "train.py").write_text("staged\n")
    git(repo, "add", "train.py")
    (repo / "train.py").write_text("staged\nand more\n")


def new_files(repo: Path) -> None:
    (repo / "new.py").write_text("x = 1\n")
    (repo / "pkg" / "deep" / "er").mkdir(parents=True)
    (repo / "pkg" / "deep" / "er" / "two words ü 漢.py").write_text("y = 'ü'\n", encoding="utf-8")
    (repo / "empty.py").write_text("")
    (repo / "-dash.txt").write_text("dash\n")
    (repo / ":(top)magic*.txt").write_text("magic\n")
    (repo / 'quo"ted\ttab\nline.txt').write_text("odd\n")


def deleted(repo: Path) -> None:
    (repo / "train.py").unlink()
    (repo / "image.bin").unlink()
    (repo / "pkg" / "model.py").unlink()


def renamed_with_git(repo: Path) -> None:
    git(repo, "mv", "train.py", "new name.py")
    with (repo / "new name.py").open("a") as file:
        file.write("one more\n")


def renamed_by_hand(repo: Path) -> None:
    (repo / "train.py").rename(repo / "pkg" / "moved.py")


def modes(repo: Path) -> None:
    (repo / "run.sh").chmod(0o755)
    (repo / "new.sh").write_text("echo new\n")
    (repo / "new.sh").chmod(0o755)


def binary_edited(repo: Path) -> None:
    (repo / "image.bin").write_bytes(bytes(reversed(range(256))) * 21)


def line_ends(repo: Path) -> None:
    (repo / "windows.txt").write_bytes(b"one\r\nTWO\r\nthree\r\nfour\r\n")
    (repo / "new-windows.txt").write_bytes(b"a\r\nb\r\n")
    (repo / "no-end.txt").write_bytes(b"still no newline")
    (repo / "new-no-end.txt").write_bytes(b"new without")
    (repo / "train.py").write_bytes((repo / "train.py").read_bytes().replace(b"\n", b"\r\n"))


def attributes(repo: Path) -> None:
    (repo / ".gitattributes").write_text("*.crlf text eol=crlf\n*.auto text=auto\n*.dat -diff\n")
    (repo / "a.crlf").write_bytes(b"1\r\n2\r\n")
    (repo / "b.dat").write_bytes(b"text that git shall call binary\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "second")
    (repo / "a.crlf").write_bytes(b"1\r\n2\r\n3\r\n")
    (repo / "b.dat").write_bytes(b"changed\n")
    (repo / "c.crlf").write_bytes(b"new\r\n")


def not_utf8(repo: Path) -> None:
    (repo / "latin.txt").write_bytes(b"caf\xe9\n" * 3)
    (Path(os.fsdecode(os.fsencode(repo) + b"/caf\xe9.txt"))).write_bytes(b"name\n")


def links(repo: Path) -> None:
    (repo / "link").symlink_to("train.py")
    (repo / "run.sh").unlink()
    (repo / "run.sh").symlink_to("nowhere")


def removed_from_the_index(repo: Path) -> None:
    git(repo, "rm", "-q", "--cached", "train.py")
    (repo / "train.py").write_text("still here\n")


def same_size_at_once(repo: Path) -> None:
    (repo / "pkg" / "model.py").write_text("depth = 5\n")
    git(repo, "add", "-A")
    (repo / "pkg" / "model.py").write_text("depth = 9\n")


def nothing(repo: Path) -> None:
    """A clean working tree."""


@pytest.mark.parametrize(
    "change",
    [edit, staged_and_edited, new_files, deleted, renamed_with_git, renamed_by_hand, modes,
     binary_edited, line_ends, attributes, not_utf8, links, removed_from_the_index,
     same_size_at_once, nothing],
)  # fmt: skip
@pytest.mark.parametrize("head", ["branch", "detached", "unborn", "settings"])
def test_the_patch_leads_from_the_commit_to_the_files(
    store: Store, repo: Path, tmp_path: Path, change: Callable[[Path], None], head: str
) -> None:
    if head == "detached":
        git(repo, "checkout", "-q", "--detach")
    if head == "settings":  # of the user, which make other patches
        for setting in ("diff.noprefix=true", "diff.mnemonicPrefix=true", "color.ui=always",
                        "core.quotePath=false", "diff.context=0", "diff.renames=copies",
                        "diff.algorithm=patience", "diff.relative=true", "status.short=true",
                        "diff.orderFile=/dev/null", "diff.wsErrorHighlight=all"):  # fmt: skip
            git(repo, "config", *setting.split("=", 1))
    change(repo)
    if head == "unborn":
        git(repo, "update-ref", "-d", "HEAD")
    reading = read(store, repo / "pkg" if (repo / "pkg").exists() else repo)
    assert reading.git is not None
    commit = None if head == "unborn" else git(repo, "rev-parse", "HEAD").decode().strip()
    assert reading.git["commit"] == commit
    assert reading.git["branch"] == (None if head == "detached" else "main")
    assert reading.git.get("patch_exact", True)
    wanted = tree(repo)
    if head == "unborn" and change is attributes:
        # Git keeps such files with "\\n" and learns of the attribute only from this very patch.
        for name in ("a.crlf", "c.crlf"):
            wanted[name] = ("file", wanted[name][1].replace(b"\r\n", b"\n"))
    assert applied(store, reading, repo, tmp_path / "other") == wanted


def test_a_clean_tree_has_no_patch_and_new_files_alone_are_not_dirt(
    store: Store, repo: Path
) -> None:
    clean = read(store, repo).git
    assert clean is not None
    assert (clean["dirty"], clean["patch"]) == (False, None)
    (repo / "new.py").write_text("x = 1\n")
    new = read(store, repo).git
    assert new is not None
    assert new["dirty"] is False
    assert new["patch"] is not None
    edit(repo)
    dirty = read(store, repo).git
    assert dirty is not None
    assert dirty["dirty"] is True


def test_ignored_files_the_store_and_checkpoints_are_never_in_the_patch(
    store: Store, repo: Path
) -> None:
    for name in ("data/x.csv", "a.log", ".trackbook/runs/r.json", ".ipynb_checkpoints/a.ipynb",
                 "pkg/.ipynb_checkpoints/b.ipynb", "mystore/runs/r.json"):  # fmt: skip
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text("{}\n")
    git(repo, "add", "-f", ".trackbook")
    git(repo, "config", "core.excludesFile", str(repo.parent / "excludes"))
    (repo.parent / "excludes").write_text("*.secret\n")
    (repo / "mine.secret").write_text("x\n")
    (repo / ".git" / "info" / "exclude").write_text("*.private\n")
    (repo / "mine.private").write_text("x\n")
    reading = Git(store.blobs, repo / "mystore").read(repo, 20.0)
    assert reading.git is not None
    assert (reading.git["patch"], reading.git["dirty"]) == (None, False)
    assert reading.notes == []


def test_large_and_binary_new_files_are_named_and_left_out(store: Store, repo: Path) -> None:
    (repo / "big.csv").write_text("1,2,3\n" * 200_000)
    (repo / "model.bin").write_bytes(b"\0" * 100)
    (repo / "small.csv").write_text("1,2,3\n")
    inner = repo / "vendored"
    inner.mkdir()
    git(inner, "init", "-q")
    (inner / "a.txt").write_text("a\n")
    git(inner, "add", "-A")
    git(inner, "commit", "-qm", "inner")
    reading = read(store, repo)
    assert reading.git is not None
    assert {out["path"]: out["reason"] for out in reading.git["left_out"]} == {
        "big.csv": "larger than 1 MB",
        "model.bin": "binary",
        "vendored/": "a repository of its own",
    }
    assert reading.git["patch_exact"] is False
    assert patch_of(store, reading).count(b"diff --git") == 1
    (note,) = [reason for what, state, reason in reading.notes if state == "left out"]
    assert "big.csv (larger than 1 MB)" in note


def test_ten_megabytes_in_all_are_kept_and_the_rest_is_named(store: Store, repo: Path) -> None:
    for i in range(14):
        (repo / f"part-{i:02}.csv").write_text(f"{i},2,3\n" * 110_000)
    reading = read(store, repo)
    assert reading.git is not None
    assert len(patch_of(store, reading)) <= 12_000_000
    assert [out["path"] for out in reading.git["left_out"]][-1] == "part-13.csv"


def test_a_large_file_with_a_small_change_is_in_the_patch(
    store: Store, repo: Path, tmp_path: Path
) -> None:
    rows = [f"{i},2,3\n" for i in range(300_000)]
    (repo / "big.csv").write_text("".join(rows))
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "big")
    rows[1000] = "changed\n"
    (repo / "big.csv").write_text("".join(rows))
    reading = read(store, repo)
    assert len(patch_of(store, reading)) < 1000
    assert applied(store, reading, repo, tmp_path / "other") == tree(repo)


def test_secrets_are_hidden_and_the_patch_says_that_it_is_not_exact(
    store: Store, repo: Path, tmp_path: Path
) -> None:
    (repo / "login.py").write_text("api_key = 'hunter2'\nlogin(token=token)\n")
    (repo / "settings.env").write_text("API_KEY=hunter2\nLR=0.1\n")
    (repo / "key.pem").write_text(
        "a\n-----BEGIN " + "PRIVATE KEY-----\n" + "MIIEhunter2AAAA\n" * 9
        + "-----END PRIVATE KEY-----\nb\n"
    )  # fmt: skip
    reading = read(store, repo)
    assert reading.git is not None
    assert reading.git["patch_exact"] is False
    patch = patch_of(store, reading)
    assert b"hunter2" not in patch
    assert b"api_key = '<redacted:api_key>'" in patch
    assert ("patch", "redacted", "3 value(s) that look like secrets") in reading.notes
    # It applies all the same: no line is gone.
    files = applied(store, reading, repo, tmp_path / "other")
    assert files["settings.env"] == ("file", b"API_KEY=<redacted:api_key>\nLR=0.1\n")
    assert files["key.pem"][1].count(b"\n") == 13


@pytest.mark.parametrize(
    "url, shown",
    [
        ("https://ada:hunter2@example.org/r.git", "https://example.org/r.git"),
        ("https://hunter2@example.org/r.git", "https://example.org/r.git"),
        ("git@example.org:ada/r.git", "git@example.org:ada/r.git"),
        ("https://example.org/r.git?access_token=hunter2", None),
        ("/srv/git/r.git", "/srv/git/r.git"),
    ],
)
def test_a_remote_comes_without_credentials(
    store: Store, repo: Path, url: str, shown: str | None
) -> None:
    git(repo, "remote", "add", "backup", "/nowhere")
    git(repo, "remote", "add", "origin", url)
    reading = read(store, repo)
    assert reading.git is not None
    assert "hunter2" not in reading.git["remote"]
    assert shown is None or reading.git["remote"] == shown


def test_the_remote_of_the_branch_comes_first(store: Store, repo: Path) -> None:
    git(repo, "remote", "add", "origin", "/origin")
    git(repo, "remote", "add", "fork", "/fork")
    git(repo, "config", "branch.main.remote", "fork")
    reading = read(store, repo)
    assert reading.git is not None
    assert reading.git["remote"] == "/fork"
