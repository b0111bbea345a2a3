"""What a replay says of runs that a real kernel made."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from replay.conftest import Session

from trackbook.errors import StoreError
from trackbook.reading import Run

Runs = Callable[[str], Run]


def test_an_unseeded_run_is_reproduced_exactly(one_session: Runs) -> None:
    run = one_session("plain")
    verdict = run.replay()
    assert verdict.status == "reproduced", verdict
    assert verdict.text.startswith("reproduced: acc")
    assert verdict.start is not None and verdict.start < 20


def test_the_verdict_is_kept_with_the_run_and_found(one_session: Runs) -> None:
    one_session("plain").replay()
    run = one_session("plain")
    assert run.verdict is not None and run.verdict.status == "reproduced"
    assert run.edits == []  # nobody's edit
    found = run._store.find("replay == 'reproduced'")
    assert run.id in found.ids()


def test_a_curve_is_compared_point_by_point(one_session: Runs) -> None:
    verdict = one_session("curve").replay()
    assert verdict.status == "reproduced", verdict
    assert "20 points" in verdict.compared[0]


def test_modules_and_inputs_are_those_that_were_recorded(one_session: Runs) -> None:
    run = one_session("module")
    assert run._store.path is not None
    folder = run._store.path.parent
    code = (folder / "lib.py").read_text()
    try:
        (folder / "lib.py").write_text(code.replace("2 * x", "3 * x"))
        verdict = run.replay()
    finally:
        (folder / "lib.py").write_text(code)
    assert verdict.status == "reproduced", verdict
    assert "code changed since: lib.py; the recorded one is used" in verdict.causes


def test_a_run_that_failed_is_reproduced_by_failing_alike(one_session: Runs) -> None:
    verdict = one_session("fails").replay()
    assert verdict.status == "reproduced", verdict
    assert "the error" in verdict.compared


def test_what_no_replay_can_repeat_is_not_determined(one_session: Runs) -> None:
    verdict = one_session("entropy").replay()
    assert verdict.text == "not determined: two replays differ"


def test_text_that_is_new_each_time_does_not_count(one_session: Runs) -> None:
    verdict = one_session("uuid").replay()
    assert verdict.text == "reproduced: acc 3: exact; 1 param"
    assert "another in each replay" in verdict.causes[0]


def test_writes_outside_the_folder_are_refused(one_session: Runs) -> None:
    run = one_session("writes")
    target = Path.home() / "outside.txt"
    target.unlink()
    verdict = run.replay()
    assert verdict.status == "fails"
    assert "Refused" in verdict.text and "allow_writes=True" in verdict.causes[0]
    assert not target.exists()


def test_writes_are_allowed_where_they_are_asked_for(one_session: Runs) -> None:
    assert one_session("writes").replay(allow_writes=True).status == "reproduced"
    assert (Path.home() / "outside.txt").exists()


def test_other_programs_are_refused(one_session: Runs) -> None:
    assert "starts no other programs" in one_session("shell").replay().text


def test_time_is_limited(one_session: Runs) -> None:
    verdict = one_session("slow").replay(timeout=6)
    assert verdict.status == "not determined"
    assert "did not end within 6 s" in verdict.text


def test_memory_is_limited(one_session: Runs) -> None:
    verdict = one_session("eats").replay(memory=0.4)
    assert "took more than 0.4 GB of memory" in verdict.text


def test_a_cell_that_asks_gets_no_answer(one_session: Runs) -> None:
    verdict = one_session("asks").replay()
    assert verdict.status == "not determined"
    assert "asks for input" in verdict.text


def test_a_kernel_that_dies_is_said_to_have_died(one_session: Runs) -> None:
    verdict = one_session("dies").replay()
    assert verdict.text.startswith("not determined: the kernel died (in cell")


def test_a_redacted_literal_is_asked_for(one_session: Runs) -> None:
    run = one_session("secret")
    verdict = run.replay()
    assert verdict.status == "needs secret"
    assert verdict.text == "needs secret: api_key"
    secrets = {"api_key": "sk-abcdefghijklmnopqrstuvwxyz123456"}
    assert run.replay(secrets=secrets).status == "reproduced"
    assert run.replay(secrets={"api_key": "short"}).status == "differs"


def test_a_run_with_nothing_to_compare_is_not_called_reproduced(one_session: Runs) -> None:
    assert "nothing to compare" in one_session("quiet").replay().text


def test_addresses_and_timings_do_not_count(one_session: Runs) -> None:
    verdict = one_session("prints").replay()
    assert verdict.status == "reproduced", verdict


def test_nothing_of_the_users_changes(one_session: Runs) -> None:
    run = one_session("plain")
    assert run._store.path is not None
    folder = run._store.path.parent
    before = {
        path: path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and ".trackbook" not in path.parts
    }
    document = next(folder.glob(f".trackbook/runs/*/{run.id}/run.json")).read_bytes()
    run.replay()
    after = {
        path: path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and ".trackbook" not in path.parts
    }
    assert after == before
    assert next(folder.glob(f".trackbook/runs/*/{run.id}/run.json")).read_bytes() == document


def test_no_folder_stays_behind(one_session: Runs, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(tmp_path))
        assert one_session("plain").replay().status == "reproduced"
    assert list(tmp_path.iterdir()) == []


def test_a_script_has_no_log_to_replay(session: Session) -> None:
    store = session("1")
    from runs import write

    run = store.get_run(write(store._store, metrics={"acc": [0.5]}))
    verdict = run.replay(trust=True)
    assert verdict.text.startswith("not determined: the run has no log of cells")


def test_a_missing_package_is_named(session: Session, tmp_path: Path) -> None:
    gone = tmp_path / "site-packages"
    gone.mkdir()
    (gone / "rarepackage.py").write_text("__version__ = '1.2'\nvalue = 3\n")
    store = session(
        f"import sys; sys.path.append({str(gone)!r})",
        "%%track rare\nimport rarepackage\nacc = 1.5 * rarepackage.value",
    )
    shutil.rmtree(gone)
    verdict = store.get_run("rare").replay()
    assert verdict.status == "fails"
    assert "No module named 'rarepackage'" in verdict.text
    assert "rarepackage 1.2 is not installed here" in verdict.causes


def test_a_notebook_and_its_folder_may_be_gone(session: Session, tmp_path: Path) -> None:
    session("import random", "%%track gone\nacc = 2.0 * sum([random.random()])")
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    shutil.move(str(tmp_path / ".trackbook"), moved / ".trackbook")
    from trackbook.reading import open_store

    verdict = open_store(moved / ".trackbook").get_run("gone").replay()
    assert verdict.status == "reproduced", verdict


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_read_only_store_is_replayed_and_says_that_it_keeps_nothing(
    session: Session, tmp_path: Path
) -> None:
    store = session("import random", "%%track fixed\nacc = 2.0 * sum([random.random()])")
    run = store.get_run("fixed")
    folders = [p for p in (tmp_path / ".trackbook").rglob("*") if p.is_dir()]
    for folder in folders:
        folder.chmod(0o500)
    try:
        verdict = run.replay()
    finally:
        for folder in folders:
            folder.chmod(0o700)
    assert verdict.status == "reproduced"
    assert any("not kept" in cause for cause in verdict.causes)


def test_a_replay_does_not_replay(one_session: Runs) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACKBOOK_REPLAY", "job.json")
        with pytest.raises(StoreError, match="a replay does not replay"):
            one_session("plain").replay()
