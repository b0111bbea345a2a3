"""``%%track`` and the cell hooks in a real IPython."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

import trackbook as tb
from trackbook.store import open_store
from trackbook.views import attempt


def run(ip: InteractiveShell, source: str, cell_id: str | None = None) -> Any:
    return ip.run_cell(source, store_history=True, cell_id=cell_id)


def document(found: Any) -> dict[str, Any]:
    return open_store().document(found.id)


def test_a_tracked_cell_is_a_run_with_params_and_metrics(ip: InteractiveShell) -> None:
    done = run(ip, "%%track forest\ndepth, lr = 8, 0.1\nacc = depth * lr\nacc")
    assert done.success
    assert done.result == pytest.approx(0.8)
    (found,) = tb.runs()
    assert (found.name, found.number, found.status) == ("forest", 1, "finished")
    assert found.params == {"depth": 8, "lr": 0.1}
    assert found.metrics == {"acc": pytest.approx(0.8)}


def test_running_the_cell_again_is_the_next_attempt(ip: InteractiveShell) -> None:
    for depth in (5, 7, 7):
        run(ip, f"%%track forest\ndepth = {depth}\nacc = depth / 10", cell_id="c1")
    runs = tb.runs(sort="number")
    assert [r.number for r in runs] == [1, 2, 3]
    changed = document(runs[1])["changed"]
    assert changed["params"] == {"depth": [5, 7]}
    assert changed["code"] == 1
    assert changed["headline"]["delta"] == pytest.approx(0.2)
    assert document(runs[2])["changed"]["params"] == {}


def test_the_line_tells_the_change_to_the_attempt_before_and_to_the_best(
    ip: InteractiveShell,
) -> None:
    for acc in (0.5, 0.9, 0.7, 0.8, 0.95):
        run(ip, f"%%track forest\nacc = float({acc})", cell_id="c1")
    lines = [attempt.line_text(document(r)) for r in tb.runs(sort="number")]
    assert [line.split(" · ")[2] for line in lines] == [
        "acc 0.5",
        "acc 0.9 (+0.4)",
        "acc 0.7 (\N{MINUS SIGN}0.2)",
        "acc 0.8 (+0.1, \N{MINUS SIGN}0.1 to the best #2)",
        "acc 0.95 (+0.15, the best so far)",
    ]


def test_attempts_that_fail_hand_the_best_on_and_are_none(ip: InteractiveShell) -> None:
    for source in ("0.93)", "0.99); loss = acc.none", "nothing)", "0.91)", "0.92)"):
        run(ip, f"%%track forest\nacc = float({source}", cell_id="c1")
    lines = [attempt.line_text(document(r)) for r in tb.runs(sort="number")]
    assert "acc 0.92 (+0.01, \N{MINUS SIGN}0.01 to the best #1)" in lines[4]


def test_an_unnamed_cell_is_a_series_by_its_stored_id(ip: InteractiveShell) -> None:
    run(ip, "%%track\nx = 1", cell_id="aaa")
    run(ip, "%%track\nx = 2\ny = 3", cell_id="aaa")
    run(ip, "%%track\nx = 1", cell_id="bbb")
    assert sorted(r.number for r in tb.runs()) == [1, 1, 2]


def test_an_unnamed_cell_without_id_is_a_series_by_its_code(ip: InteractiveShell) -> None:
    run(ip, "%%track\ndepth = 1")
    run(ip, "%%track\ndepth = 2")
    run(ip, "%%track\nother = 2")
    assert sorted(r.number for r in tb.runs()) == [1, 1, 2]


def test_options_of_the_line(ip: InteractiveShell) -> None:
    run(
        ip,
        '%%track forest -e trees/big -p depth=9 -p kind=rf -t baseline -t by=ada -n "first try"\n'
        "print('x')",
    )
    (found,) = tb.runs()
    assert found.experiment == "trees/big"
    assert found.params == {"depth": 9, "kind": "rf"}
    assert found.tags == {"baseline": "", "by": "ada"}
    assert found.note == "first try"


def test_params_and_metrics_may_be_named(ip: InteractiveShell) -> None:
    run(ip, "%%track --params a --metrics m,k\na = 1\nb = 2\nm = a * 0.5\nk = a * 2.0\nz = b * 3.0")
    (found,) = tb.runs()
    assert found.params == {"a": 1}
    assert set(found.metrics) == {"m", "k"}
    assert document(found)["headline"] == "m"


def test_a_bad_option_is_one_line_and_runs_nothing(
    ip: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    done = run(ip, "%%track --nonsense\ntouched = True")
    assert isinstance(done.error_in_exec, UsageError)
    assert "usage: %%track" in str(done.error_in_exec)
    assert "touched" not in ip.user_ns
    assert len(tb.runs()) == 0


def test_a_failing_cell_is_failed_and_the_traceback_is_the_users(ip: InteractiveShell) -> None:
    done = run(ip, "%%track bad\na = 1\nb = a * 2.5\n1 / 0\nc = 3")
    assert isinstance(done.error_in_exec, ZeroDivisionError)
    frames = []
    trace = done.error_in_exec.__traceback__
    while trace:
        frames.append(trace.tb_frame.f_code.co_filename)
        trace = trace.tb_next
    assert not any("trackbook" in frame for frame in frames)
    (found,) = tb.runs()
    assert found.status == "failed"
    assert found.error["type"] == "ZeroDivisionError"
    assert found.params == {"a": 1}
    assert found.metrics == {"b": 2.5}


def test_a_cell_that_does_not_compile_is_a_failed_run(ip: InteractiveShell) -> None:
    run(ip, "%%track\nthis is not python")
    assert tb.get_run("latest").status == "failed"


def test_out_and_underscore_are_as_without_us(ip: InteractiveShell) -> None:
    run(ip, "%%track\n40 + 2")
    run(ip, "kept = _")
    assert ip.user_ns["kept"] == 42
    assert 42 in ip.user_ns["Out"].values()


def test_an_awaiting_cell(ip: InteractiveShell) -> None:
    done = run(ip, "%%track\nimport asyncio\nawait asyncio.sleep(0)\nz = sum([1.5, 1.5])")
    assert done.success
    assert tb.get_run("latest").metrics == {"z": 3.0}


def test_nothing_goes_to_stdout(ip: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    run(ip, "%%track forest\ndepth = 3\nprint('mine')")
    captured = capsys.readouterr()
    assert captured.out == "mine\n"
    assert "forest #1" in captured.err


def test_quiet_says_nothing(ip: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    run(ip, "%%track --quiet\ndepth = 3")
    assert capsys.readouterr().err == ""
    assert len(tb.runs()) == 1


def test_logging_without_a_run_starts_an_implicit_one_of_the_cell(ip: InteractiveShell) -> None:
    run(ip, "import trackbook as tb\ntb.log_metric('a', 1)", cell_id="c1")
    run(ip, "tb.log_metric('b', 2)", cell_id="c2")
    (only,) = tb.runs()
    assert only.metrics == {"a": 1.0, "b": 2.0}
    run(ip, "import trackbook as tb\ntb.log_metric('a', 3)", cell_id="c1")
    assert [r.number for r in tb.runs(sort="number")] == [1, 2]
    assert tb.runs("number == 1")[0].status == "finished"


def test_a_failing_cell_leaves_an_implicit_run_open_with_the_error(ip: InteractiveShell) -> None:
    run(ip, "import trackbook as tb\ntb.log_metric('a', 1)\nraise ValueError('x')", cell_id="c1")
    live = tb.active_run()
    assert live is not None
    assert live.open
    assert live.document["error"]["type"] == "ValueError"


def test_start_run_in_a_tracked_cell_is_a_child_that_ends_with_it(ip: InteractiveShell) -> None:
    run(ip, "%%track outer\nimport trackbook as tb\ntb.start_run('fold')\ntb.log_metric('m', 1)")
    outer = tb.get_run("outer")
    (child,) = outer.children
    assert (child.name, child.status, child.metrics) == ("fold", "finished", {"m": 1.0})


def test_a_loop_of_runs(ip: InteractiveShell) -> None:
    run(
        ip,
        "import trackbook as tb\nfor k in (1, 2, 3):\n"
        "    with tb.start_run(params={'k': k}):\n        tb.log_metric('m', k)",
        cell_id="c",
    )
    assert [r.params["k"] for r in tb.runs(sort="number")] == [1, 2, 3]


def test_the_snapshot_holds_what_ran(ip: InteractiveShell) -> None:
    run(ip, "x = 1", cell_id="first")
    run(ip, "%%track\ny = x * 2.0", cell_id="second")
    book = tb.get_run("latest").snapshot()
    assert [c["id"] for c in book.cells] == ["first", "second"]
    assert book.cells[1]["source"].startswith("%%track")


def test_secrets_in_a_cell_are_redacted_on_disk(ip: InteractiveShell) -> None:
    run(ip, "%%track\napi_key = 'sk-abcdefghijklmnopqrstuvwxyz'\nx = 1")
    store = tb.open_store()
    book = tb.get_run("latest").snapshot()
    assert "sk-abc" not in str(book)
    for path in store.path.rglob("*"):
        if path.is_file():
            assert b"sk-abcdefgh" not in path.read_bytes()


def test_off_and_on(ip: InteractiveShell) -> None:
    run(ip, "%track off")
    run(ip, "%%track\nx = 1")
    assert len(tb.runs()) == 0
    assert ip.user_ns["x"] == 1
    run(ip, "%track on")
    run(ip, "%%track\nx = 1")
    assert len(tb.runs()) == 1


def test_unload_takes_the_magic_off(ip: InteractiveShell) -> None:
    run(ip, "%unload_ext trackbook")
    run(ip, "x = 1")
    done = run(ip, "%%track\ny = 1")
    assert not done.success or "y" not in ip.user_ns
    assert len(tb.runs()) == 0


def test_subcommands(ip: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    run(ip, "%track start forest -p depth=3")
    run(ip, "loss = [0.5, 0.25]")
    run(ip, "%track log loss=loss[-1] acc=1-loss[0]")
    run(ip, "%track params lr=0.1 opt='adam'")
    run(ip, "%track tag baseline")
    run(ip, "%track note a *good* one")
    run(ip, "%track stop")
    found = tb.get_run("forest")
    assert found.params == {"depth": 3, "lr": 0.1, "opt": "adam"}
    assert found.metrics["loss"] == 0.25
    assert found.tags == {"baseline": ""}
    assert found.note == "a *good* one"
    assert found.status == "finished"


@pytest.mark.parametrize("line", ["nonsense", "runs metrics.acc >", "show nobody", "diff a"])
def test_bad_use_is_one_usage_error(ip: InteractiveShell, line: str) -> None:
    done = run(ip, f"%track {line}")
    assert isinstance(done.error_in_exec, UsageError)
    assert "\n" not in str(done.error_in_exec)


def test_a_value_whose_repr_and_eq_raise_does_no_harm(ip: InteractiveShell) -> None:
    run(
        ip,
        "class Odd:\n    def __repr__(self): raise RuntimeError\n"
        "    def __eq__(self, other): raise RuntimeError\n"
        "    def __float__(self): raise RuntimeError\nodd = Odd()",
    )
    done = run(ip, "%%track\nthing = odd\nprint(odd is thing)\nx = 1")
    assert done.success
    assert tb.get_run("latest").params == {"x": 1}


def test_params_that_only_autolog_told_come_last(ip: InteractiveShell) -> None:
    tb.autolog()
    try:
        run(ip, "from sklearn.tree import DecisionTreeClassifier")
        for depth in (2, 3):
            run(
                ip,
                f"%%track tree\nmax_depth = {depth}\n"
                "DecisionTreeClassifier(max_depth=max_depth).fit([[0], [1]], [0, 1])",
            )
    finally:
        tb.autolog(False)
    told = document(tb.get_run("tree"))
    assert told["params"]["criterion"] == "gini"
    assert "criterion" in told["autologged"]
    assert "max_depth" not in told["autologged"]
    section = tb.compare(*tb.runs()).params()
    assert next(iter(section.index)) == "max_depth"


def test_a_store_that_cannot_be_used_is_one_line_a_cell_and_can_be_mended(
    ip: InteractiveShell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / "file"))
    for _ in range(2):  # each such cell, as none of them is tracked
        done = run(ip, "%%track\nx = 1")
        assert done.success
        assert ip.user_ns["x"] == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("Trackbook: this cell is not tracked: ")
        assert "is a file; name a folder" in line
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
    run(ip, "%%track\nx = 2")
    assert [r.params for r in tb.runs()] == [{"x": 2}]


def test_params_are_on_disk_before_the_cell_has_run(ip: InteractiveShell) -> None:
    run(ip, "size = 4")
    run(
        ip,
        "%%track early\nimport json, pathlib\nlr, sizes = 0.1, [1, 2]\nbig = 2**10\n"
        "(file,) = pathlib.Path('.trackbook/runs').rglob('run.json')\n"
        "seen = json.loads(file.read_text())['params']\nforest = complex(size)",
    )
    assert ip.user_ns["seen"] == {"lr": 0.1, "sizes": [1, 2], "size": 4}
    done = document(tb.get_run("early"))
    assert done["params"] == {"lr": 0.1, "sizes": [1, 2], "big": 1024, "size": 4}
    assert "param_history" not in done


def test_params_that_a_failing_cell_never_reached_are_not_kept(ip: InteractiveShell) -> None:
    run(ip, "%%track\na = 1\n1 / 0\nb = 2")
    assert tb.get_run("latest").params == {"a": 1}
