"""What a run prints goes to its log, and the user's streams stay what they are."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from kernels import kernel

import trackbook as tb
from trackbook.capture import session as sessions
from trackbook.errors import TrackbookWarning


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
    monkeypatch.chdir(tmp_path)
    yield
    sessions.current.close_all()
    sessions.reset()


def heard(stream: Any) -> bool:
    """Whether a stream is listened to."""
    return "trackbook" in str(getattr(vars(stream).get("write"), "__module__", ""))


def logs(name: str) -> str:
    return tb.get_run(name).logs()


# -- who gets it -----------------------------------------------------------------------------------


def test_both_streams_in_their_order(capsys: pytest.CaptureFixture[str]) -> None:
    with tb.start_run("a"):
        print("one")
        print("two", file=sys.stderr)
        sys.stdout.write("three\n")
        sys.stdout.writelines(["four\n", "five"])
    print("after")
    assert logs("a") == "one\ntwo\nthree\nfour\nfive\n"
    assert capsys.readouterr() == ("one\nthree\nfour\nfiveafter\n", "two\n")


def test_the_innermost_run_gets_it_and_the_parent_does_not() -> None:
    with tb.start_run("outer"):
        print("before")
        with tb.start_run("inner"):
            print("within")
        print("after")
    assert logs("outer") == "before\nafter\n"
    assert logs("inner") == "within\n"


def test_a_bare_run_gets_it_until_it_ends() -> None:
    tb.start_run("first")
    print("1")
    tb.start_run("second")
    print("2")
    tb.end_run()
    print("nobody's")
    assert logs("first") == "1\n"
    # The notice stands on stderr, where it belongs to the new run.
    assert logs("second").splitlines()[0] == "2"
    assert "nobody" not in logs("first") + logs("second")


def test_printing_does_not_decide_what_is_open() -> None:
    """A new bare run replaces the open one, unless it is entered: printing is no such touch."""
    outer = tb.start_run("outer")
    inner = tb.start_run("inner")
    print("between")
    assert outer.status == "running"
    with inner:
        print("within")
    assert outer.status == "running"
    tb.end_run()
    assert logs("inner") == "between\nwithin\n"


def test_threads_without_a_run_print_into_the_open_one() -> None:
    with tb.start_run("a"):
        thread = threading.Thread(target=print, args=("from a thread",))
        thread.start()
        thread.join()
    assert logs("a") == "from a thread\n"


def test_threads_with_runs_of_their_own_keep_their_text_apart() -> None:
    turn = threading.Barrier(2)

    def work(name: str) -> None:
        with tb.start_run(name):
            for i in range(50):
                turn.wait()
                print(f"{name} {i}")

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in ("a", "b"):
        assert logs(name) == "".join(f"{name} {i}\n" for i in range(50))


def test_a_cell_of_its_own_run_prints_into_it(ip: InteractiveShell) -> None:
    ip.run_cell("%%track first\nprint('in the cell')")
    ip.run_cell("print('outside')")
    ip.run_cell("import trackbook as tb; bare = tb.start_run('bare')")
    ip.run_cell("print('later cell')")
    ip.run_cell("%%track second\nprint('again')")
    ip.run_cell("tb.end_run()")
    assert logs("first") == "in the cell\n"
    assert logs("second") == "again\n"
    assert "later cell\n" in logs("bare")
    assert "again" not in logs("bare")


def test_what_is_redirected_is_not_printed() -> None:
    from contextlib import redirect_stdout

    with tb.start_run("a"):
        with redirect_stdout(io.StringIO()) as caught:
            print("caught")
        print("printed")
    assert caught.getvalue() == "caught\n"
    assert logs("a") == "printed\n"


# -- what is kept ----------------------------------------------------------------------------------


def test_secrets_do_not_reach_the_disk_and_why_says_so(tmp_path: Path) -> None:
    secret = "sk-" + "abc123" * 6
    with tb.start_run("a") as run:
        print("key", secret[:5], end="")
        print(secret[5:])
        print(f"password = 'hunter2'  {secret}")
    files = tmp_path.rglob("*")
    assert not [f for f in files if f.is_file() and secret.encode() in f.read_bytes()]
    assert "password = '<redacted:password>'" in logs("a")
    told = {(e["what"], e["state"]): e for e in tb.get_run(run.id).why}
    assert ("console", "redacted") in told
    assert told["console", "captured"]["bytes"] == len(logs("a"))


def test_text_is_on_disk_while_the_run_goes_on(tmp_path: Path) -> None:
    import time

    with tb.start_run("a"):
        print("early")
        for _ in range(50):
            if list(tmp_path.rglob("logs.txt")):
                break
            time.sleep(0.1)
        (file,) = tmp_path.rglob("logs.txt")
        assert file.read_text() == "early\n"


def test_a_run_that_prints_nothing_has_no_log(tmp_path: Path) -> None:
    with tb.start_run("a"):
        pass
    assert logs("a") == ""
    assert list(tmp_path.rglob("logs.txt")) == []


@pytest.mark.parametrize("how", ["environment", "project"])
def test_one_switch_turns_it_off(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if how == "environment":
        monkeypatch.setenv("TRACKBOOK_CONSOLE", "0")
    else:
        (tmp_path / "pyproject.toml").write_text("[tool.trackbook]\nconsole = false\n")
    with tb.start_run("a"):
        assert not heard(sys.stdout)
        print("not kept")
    assert logs("a") == ""


# -- the streams are the user's --------------------------------------------------------------------

SAME = """
import contextlib, sys, os
import trackbook as tb
out, err = sys.stdout, sys.stderr
def facts():
    return [sys.stdout is out, sys.stderr is err, out.isatty(), out.encoding, out.fileno(),
            out.errors, out.line_buffering, type(out).__name__, out.write("x\\n"), out.name]
def show():
    print(facts())
    print("é", "a", sep="|", end="$", flush=True)
    try:
        out.write(5)
    except TypeError as problem:
        print(type(problem).__name__, problem, file=err)
    os.write(1, b"beneath\\n")
context = tb.start_run("a") if TRACK else contextlib.nullcontext()
with context:
    show()
print(sorted(vars(out)), out.write.__name__, type(out.write).__name__)
"""


def test_a_script_prints_the_same_with_and_without_us() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-c", f"TRACK = {track}\n{SAME}"], capture_output=True, check=True
        )
        for track in (True, False)
    ]
    assert said[0].stdout == said[1].stdout
    assert said[0].stderr == said[1].stderr


class Stream:
    """A stream that takes no attributes."""

    __slots__ = ("got",)

    def __init__(self) -> None:
        self.got = ""

    def write(self, text: str) -> int:
        self.got += text
        return len(text)

    def flush(self) -> None:
        pass


@pytest.mark.parametrize("stream", [Stream(), None])
def test_odd_streams_are_left_alone(stream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", stream)
    with tb.start_run("a"):
        print("to nobody")
        print("heard", file=sys.stderr)
    assert logs("a") == "heard\n"
    assert stream is None or stream.got == "to nobody\n"


def test_another_library_that_wraps_the_stream_keeps_its_wrapper(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream: Any = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    seen = []
    run = tb.start_run("a")
    ours = stream.write

    def theirs(text: str) -> int:
        seen.append(text)
        return int(ours(text))

    stream.write = theirs
    print("both")
    run.end()
    assert stream.write is theirs
    print("theirs")
    assert seen == ["both", "\n", "theirs", "\n"]
    assert stream.getvalue() == "both\ntheirs\n"
    assert logs("a") == "both\n"


def test_a_forked_child_does_not_add_to_its_parents_log() -> None:
    with tb.start_run("a"):
        print("parent")
        child = os.fork()
        if child == 0:
            print("child")
            os._exit(heard(sys.stdout))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        print("parent again")
    assert logs("a") == "parent\nparent again\n"


def test_a_fault_of_ours_is_one_warning_and_the_text_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("trackbook.capture.consolelog.ConsoleLog.feed", broken)
    run = tb.start_run("a")
    print("one")
    with pytest.warns(TrackbookWarning, match="stopped tracking the console") as told:
        run.end()
    assert len(told) == 1
    assert not heard(sys.stdout)
    with tb.start_run("b"):
        print("two")
    assert capsys.readouterr().out == "one\ntwo\n"
    assert tb.get_run("a").status == "finished"


# -- in a kernel -----------------------------------------------------------------------------------


def test_a_kernels_streams_are_heard_by_their_echo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # with it a kernel does not hear its subprocesses
    with kernel(tmp_path) as user:
        user.run("%load_ext trackbook\nimport sys, threading, trackbook as tb, subprocess, time")
        before = "print(sys.stdout.echo, sys.stdout is out)"
        user.run("out = sys.stdout")
        got = user.run(
            "%%track a\nprint('one'); print('two', file=sys.stderr)\n"
            "t = threading.Thread(target=print, args=('three',)); t.start(); t.join()\n"
            "subprocess.run(['echo', 'four']); time.sleep(1)\n"
            "print(sys.stdout is out)"
        )
        printed = [one["text"] for one in got if one["type"] == "stream"]
        assert "".join(printed).count("one\n") == 1
        assert "True\n" in "".join(printed)
        assert user.printed(before) == "None True\n"
        text = user.printed("print(tb.get_run('a').logs(), end='')")
    lines = text.splitlines()
    assert lines[:3] == ["one", "two", "three"]
    assert "four" in lines
