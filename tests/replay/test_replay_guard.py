"""The guard of a replay, what it refuses and lets pass; git without a touch to the repository."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from replay.conftest import Session

REFUSED = {
    "open for writing": "open(outside / 'new', 'w')",
    "open for appending": "open(outside / 'old', 'a')",
    "os.open": "os.open(outside / 'new', os.O_CREAT | os.O_WRONLY)",
    "write through a link": "(inside / 'link').write_text('x')",
    "remove": "os.remove(outside / 'old')",
    "unlink by pathlib": "(outside / 'old').unlink()",
    "rename away": "os.rename(outside / 'old', inside / 'taken')",
    "rename into": "os.rename(inside / 'mine', outside / 'new')",
    "replace": "os.replace(inside / 'mine', outside / 'old')",
    "make a folder": "os.mkdir(outside / 'folder')",
    "remove a tree": "shutil.rmtree(outside)",
    "copy": "shutil.copy(inside / 'mine', outside / 'new')",
    "move": "shutil.move(inside / 'mine', outside / 'new')",
    "chmod": "os.chmod(outside / 'old', 0)",
    "truncate": "os.truncate(outside / 'old', 0)",
    "a link there": "os.symlink('x', outside / 'link')",
    "a database": "sqlite3.connect(outside / 'new.db')",
    "a program": "subprocess.run(['true'])",
    "a shell": "os.system('true')",
    "a signal to the parent": "os.kill(os.getppid(), 0)",
    "in a thread": "run_in_thread(lambda: open(outside / 'new', 'w'))",
    "by a path with ..": "open(inside / '..' / 'outside' / 'new', 'w')",
}
LET = {
    "write inside": "open(inside / 'new', 'w').close()",
    "read outside": "open(outside / 'old').close()",
    "remove a link inside": "os.remove(inside / 'link')",
    "remove a tree inside": "shutil.rmtree(inside / 'tree')",
    "nowhere": "open(os.devnull, 'w').close()",
    "a database in memory": "sqlite3.connect(':memory:')",
    "a fork": "os.waitpid(os.fork() or os._exit(0), 0)",
    "what the machine is": "subprocess.run(['uname'], capture_output=True)",
}
PROGRAM = """
import os, shutil, sqlite3, subprocess, sys, threading
from pathlib import Path
from trackbook.replay import guard
inside, outside = Path(sys.argv[1]), Path(sys.argv[2])

def run_in_thread(work):
    failed = []
    def run():
        try:
            work()
        except OSError as problem:
            failed.append(problem)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]

guard.stand(inside)
try:
    eval(sys.argv[3])
except guard.Refused:
    sys.exit(7)
"""


def attempted(tmp_path: Path, what: str) -> int:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    (inside / "tree").mkdir(parents=True)
    outside.mkdir()
    (inside / "mine").write_text("mine")
    (outside / "old").write_text("old")
    (inside / "link").symlink_to(outside / "old")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(inside), str(outside), what],
        check=False,
        start_new_session=True,
    )
    if done.returncode == 7:
        assert sorted(p.name for p in outside.iterdir()) == ["old"]
        assert (outside / "old").read_text() == "old"
    return done.returncode


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_outside_stays(tmp_path: Path, what: str) -> None:
    assert attempted(tmp_path, REFUSED[what]) == 7


@pytest.mark.parametrize("what", LET)
def test_the_work_itself_goes_on(tmp_path: Path, what: str) -> None:
    assert attempted(tmp_path, LET[what]) == 0


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def test_a_file_that_the_log_misses_comes_from_the_commit(session: Session, tmp_path: Path) -> None:
    (tmp_path / "settings").mkdir()
    # Read by C code that no audit event tells of, and not named in the source.
    (tmp_path / "settings" / "wide.txt").write_text("width = 3\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    (tmp_path / "settings" / "wide.txt").write_text("width = 4\n")
    store = session(
        "import ctypes, os, glob\nlibc = ctypes.CDLL(None)\nlibc.open.restype = ctypes.c_int",
        "def raw(path):\n"
        "    fd = libc.open(path.encode(), 0)\n"
        "    if fd < 0:\n        raise FileNotFoundError(path)\n"
        "    buffer = ctypes.create_string_buffer(100)\n"
        "    n = libc.read(fd, buffer, 100)\n    libc.close(fd)\n"
        "    return buffer.raw[:n].decode()",
        "%%track made\nname = 'wi' + 'de.txt'\n"
        "acc = float(raw('set' + 'tings/' + name).split('=')[1])",
    )
    before = git(tmp_path, "status", "--porcelain"), git(tmp_path, "stash", "list")
    index = (tmp_path / ".git" / "index").read_bytes()
    refs = git(tmp_path, "for-each-ref"), git(tmp_path, "count-objects", "-v")
    run = store.get_run("made")
    assert run.metrics["acc"] == 4
    (tmp_path / "settings" / "wide.txt").write_text("width = 9\n")
    verdict = run.replay()
    assert verdict.status == "reproduced", verdict
    assert (tmp_path / ".git" / "index").read_bytes() == index
    assert (git(tmp_path, "for-each-ref"), git(tmp_path, "count-objects", "-v")) == refs
    assert git(tmp_path, "stash", "list") == before[1]
