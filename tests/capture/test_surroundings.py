"""What a run finds around it, and that it disturbs nothing: machine, packages, modules, RNGs."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import trackbook as tb
from trackbook.capture import environment, randomness
from trackbook.capture import session as sessions
from trackbook.capture.distributions import Distributions
from trackbook.capture.modules import Modules
from trackbook.store import Store, open_store

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh session in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
    monkeypatch.syspath_prepend(tmp_path)
    sessions.reset()
    yield tmp_path
    sessions.current.close_all()
    sessions.reset()
    for name in [n for n in sys.modules if n.startswith("ours_")]:
        del sys.modules[name]


def finished(**given: Any) -> tb.Run:
    """A run that has begun and ended, with all that is read beside it."""
    with tb.start_run("one", **given) as run:
        pass
    sessions.current.close_all()
    return tb.get_run(run.id)


def document(run: tb.Run) -> dict[str, Any]:
    path = next((Path(".trackbook") / "runs").glob(f"*/{run.id}/run.json"))
    found: dict[str, Any] = json.loads(path.read_text())
    return found


# -- environment -----------------------------------------------------------------------------------


def test_the_environment_tells_machine_packages_and_command_line(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["train.py", "--token", "hunter2", "--lr", "0.1"])
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    monkeypatch.setenv("MY_OWN_SETTING", "private")
    monkeypatch.setenv("HF_TOKEN", "hunter2")
    env = finished().env
    assert env.python == sys.version.split()[0]
    assert env.argv == ["train.py", "--token", "<redacted:token>", "--lr", "0.1"]
    assert env.packages["numpy"] == np.__version__
    assert env.variables["OMP_NUM_THREADS"] == "3"
    assert env.variables["PYTHONHASHSEED"] == "0"
    assert set(env.variables) <= set(environment.VARIABLES)
    assert env.cpu["count"] == os.cpu_count()
    assert env.cpu["model"]
    assert env.memory > 10**8
    assert isinstance(env.gpus, list)


def test_all_installed_distributions_are_listed_once_for_all_runs(project: Path) -> None:
    from importlib import metadata

    run = finished()
    listed = {entry["name"]: entry["version"] for entry in run.env["distributions"]}
    for name in ("numpy", "pytest", "click"):
        assert listed[name] == metadata.version(name)
    installed = {d.metadata["Name"].lower().replace("-", "_") for d in metadata.distributions()}
    ours = {name.lower().replace("-", "_") for name in listed}
    assert len(installed - ours) <= 0.02 * len(installed)
    assert document(run)["distributions"] == document(finished())["distributions"]


def test_what_a_run_imports_is_among_its_packages(project: Path) -> None:
    package = project / "ours_package"
    package.mkdir()
    (package / "__init__.py").write_text("__version__ = '4.2'\n")
    with tb.start_run("imports") as run:
        import ours_package  # type: ignore[import-not-found]

        assert ours_package.__version__ == "4.2"
    sessions.current.close_all()
    assert tb.get_run(run.id).env.packages["ours_package"] == "4.2"


def test_editable_installations_are_marked(store: Store, tmp_path: Path, monkeypatch: Any) -> None:
    place = tmp_path / "site"
    (place / "my_lib-1.2.dist-info").mkdir(parents=True)
    (place / "my_lib-1.2.dist-info" / "direct_url.json").write_text(
        '{"url": "file:///src/lib", "dir_info": {"editable": true}}'
    )
    (place / "Old.Name-0.1rc1-py3.11.egg-info").mkdir()
    monkeypatch.setattr(sys, "path", [str(place), str(tmp_path / "gone.zip")])
    distributions = Distributions(store.blobs)
    assert json.loads(store.blobs.get(distributions.keep())) == [
        {"name": "my_lib", "version": "1.2", "editable": "file:///src/lib"},
        {"name": "Old.Name", "version": "0.1rc1"},
    ]
    assert distributions.versions() == {"my-lib": "1.2", "old-name": "0.1rc1"}
    (place / "later-2.0.dist-info").mkdir()
    assert len(json.loads(store.blobs.get(distributions.keep()))) == 3


def test_gpus_are_named_as_the_driver_names_them(tmp_path: Path) -> None:
    place = tmp_path / "gpus" / "0000:3b:00.0"
    place.mkdir(parents=True)
    (place / "information").write_text(
        "Model: \t\t NVIDIA H200\nIRQ:   \t\t 162\nGPU UUID: \t GPU-1\nVideo BIOS: \t 96\n"
    )
    assert environment.gpus(tmp_path) == ["NVIDIA H200"]


def test_a_module_that_loads_itself_when_looked_at_stays_unloaded(project: Path) -> None:
    (project / "ours_lazy.py").write_text("loaded = True\n__version__ = '1'\n")
    code = """
        import importlib.util, sys
        import trackbook as tb
        spec = importlib.util.find_spec("ours_lazy")
        spec.loader = importlib.util.LazyLoader(spec.loader)
        module = importlib.util.module_from_spec(spec)
        sys.modules["ours_lazy"] = module
        spec.loader.exec_module(module)
        with tb.start_run("lazy"):
            pass
        from trackbook.capture import session
        session.current.close_all()
        print("loaded" in object.__getattribute__(module, "__dict__"))
    """
    script = project / "train.py"
    script.write_text(textwrap.dedent(code))
    done = subprocess.run(
        [sys.executable, str(script)], cwd=project, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


# -- modules ---------------------------------------------------------------------------------------


def test_modules_of_the_project_are_kept_as_they_are(project: Path) -> None:
    (project / "ours_model.py").write_text("depth = 8\n")
    (project / "ours_login.py").write_text("api_key = 'hunter2'\nx = 'é'\n", encoding="utf-8")
    with tb.start_run("modules") as run:
        import ours_login  # type: ignore[import-not-found]
        import ours_model  # type: ignore[import-not-found]

        assert (ours_model.depth, ours_login.x) == (8, "é")
    sessions.current.close_all()
    read = tb.get_run(run.id)
    found = {module.name: module for module in read.modules if module.name.startswith("ours_")}
    assert found["ours_model"] == {
        "name": "ours_model", "path": "ours_model.py", "source": "depth = 8\n", "exact": True,
    }  # fmt: skip
    assert found["ours_login"].source == "api_key = '<redacted:api_key>'\nx = 'é'\n"
    assert found["ours_login"].exact is False
    assert not any("site-packages" in module.path for module in read.modules)
    assert not any(
        module.name.startswith(("numpy", "json", "trackbook")) for module in read.modules
    )
    assert any((entry.what, entry.state) == ("modules", "captured") for entry in read.why)


def test_paths_are_relative_to_the_repository_and_modules_from_elsewhere_count(
    project: Path, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "editable" / "src"
    elsewhere.mkdir(parents=True)
    (elsewhere / "ours_lib.py").write_text("x = 1\n")
    (tmp_path / "repo" / "pkg").mkdir(parents=True)
    (tmp_path / "repo" / "pkg" / "ours_inner.py").write_text("y = 1\n")
    monkeypatch.syspath_prepend(elsewhere)
    monkeypatch.syspath_prepend(tmp_path / "repo" / "pkg")
    import ours_inner  # type: ignore[import-not-found]
    import ours_lib  # type: ignore[import-not-found]

    assert ours_lib.x == ours_inner.y
    kept = Modules(store.blobs).keep(tmp_path / "repo")
    assert kept.blob is not None
    paths = {m["name"]: m["path"] for m in json.loads(store.blobs.get(kept.blob))}
    assert paths["ours_inner"] == "pkg/ours_inner.py"
    assert paths["ours_lib"] == str(elsewhere / "ours_lib.py")


def test_only_a_changed_module_is_read_again(project: Path, store: Store) -> None:
    file = project / "ours_changing.py"
    file.write_text("x = 1\n")
    import ours_changing  # type: ignore[import-not-found]

    assert ours_changing.x == 1
    modules = Modules(store.blobs)
    first = modules.keep(project)
    file.chmod(0o644)
    assert modules.keep(project) == first
    file.write_text("x = 2\n")
    later = time.time_ns() + 10**9
    os.utime(file, ns=(later, later))
    second = modules.keep(project)
    assert second.blob != first.blob
    file.unlink()
    assert modules.keep(project).count == second.count - 1


def test_a_huge_module_is_left_out_and_named(project: Path) -> None:
    (project / "ours_huge.py").write_text("x = 1\n" * 200_000)
    import ours_huge  # type: ignore[import-not-found]

    assert ours_huge.x == 1
    run = finished()
    (note,) = [e for e in run.why if (e.what, e.state) == ("modules", "left out")]
    assert "ours_huge (1.2 MB)" in note.reason


def test_a_script_is_among_its_modules(project: Path) -> None:
    (project / "train.py").write_text("import trackbook as tb\ntb.log_metric('acc', 0.9)\n")
    subprocess.run([sys.executable, "train.py"], cwd=project, check=True)
    (run,) = tb.runs()
    (main,) = [m for m in run.modules if m.name == "__main__"]
    assert main.path == "train.py"
    assert "log_metric" in main.source


# -- random states ---------------------------------------------------------------------------------


def draw() -> tuple[float, float, float, float]:
    import torch

    return random.random(), random.gauss(), float(np.random.normal()), float(torch.rand(1))


def seed() -> None:
    import torch

    random.seed(1)
    np.random.seed(2)
    torch.manual_seed(3)
    random.gauss()
    np.random.normal()  # both hold a second number back


def test_sequences_are_the_same_with_and_without_runs(project: Path) -> None:
    seed()
    without = [draw() for _ in range(5)]
    seed()
    tracked = []
    for _ in range(5):
        with tb.start_run("drawing"):
            tb.log_metric("x", 1.0)
            tracked.append(draw())
        sessions.current.close_all()
    assert tracked == without


def restore(store: Store, kept: dict[str, str]) -> None:
    """As a replay would set them."""
    import torch

    told = {name: json.loads(store.blobs.get(blob))["state"] for name, blob in kept.items()}
    version, internal, gauss = told["python"]
    random.setstate((version, tuple(internal), gauss))
    state = told["numpy"]
    key = np.array(state["state"]["key"], dtype=np.uint32)
    np.random.set_state({**state, "state": {**state["state"], "key": key}})
    torch.set_rng_state(torch.tensor(list(bytes.fromhex(told["torch"])), dtype=torch.uint8))


def test_a_kept_state_gives_the_same_numbers_again(project: Path) -> None:
    seed()
    run = finished()
    wanted = [draw() for _ in range(3)]
    restore(open_store(project / ".trackbook"), document(run)["rng"])
    assert [draw() for _ in range(3)] == wanted


def test_equal_states_have_equal_names_and_others_others(project: Path) -> None:
    seed()
    first, again = document(finished())["rng"], document(finished())["rng"]
    assert first == again
    np.random.rand()
    moved = document(finished())["rng"]
    assert moved["numpy"] != first["numpy"]
    assert (moved["python"], moved["torch"]) == (first["python"], first["torch"])


def test_generators_that_are_not_imported_are_not_imported_for_it() -> None:
    code = (
        "import sys, trackbook; from trackbook.capture.randomness import states; "
        "print(list(states()), 'numpy' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['python'] False False\n"


def test_another_kind_of_numpy_generator_is_kept_too(store: Store) -> None:
    assert np.random.get_state(legacy=False)["bit_generator"] == "MT19937"
    assert randomness.states()["numpy"]["bit_generator"] == "MT19937"
    kept = randomness.Randomness(store.blobs).keep(
        {"numpy": np.random.RandomState(np.random.PCG64(5)).get_state(legacy=False)}
    )
    told = json.loads(store.blobs.get(kept["numpy"]))["state"]
    assert told["bit_generator"] == "PCG64"


# -- beside the run --------------------------------------------------------------------------------


def test_many_short_runs_are_read_together(project: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    (project / "a.py").write_text("x = 1\n")
    runs = []
    for i in range(30):
        with tb.start_run(f"r{i}") as run:
            tb.log_param("i", i)
        runs.append(run)
    sessions.current.close_all()
    patches = {document(tb.get_run(run.id))["git"]["patch"] for run in runs}
    assert len(patches) == 1
    assert b"+x = 1" in tb.get_run(runs[0].id).patch()


def test_secrets_in_names_do_not_reach_the_disk(project: Path) -> None:
    with tb.start_run(
        "run with " + "ghp_" + "a1" * 18, tags={"hf_token": "hunter2"}, note="pw"
    ) as run:
        tb.log_params({"password": "hunter2", "num_tokens": 5})
    sessions.current.close_all()
    read = tb.get_run(run.id)
    assert read.name == "run with <redacted:github-token>"
    assert {e.what for e in read.why if e.state == "redacted"} >= {"params", "tags"}
    for path in (project / ".trackbook").rglob("*"):
        if path.is_file():
            assert b"hunter2" not in path.read_bytes()
            assert b"a1a1a1a1" not in path.read_bytes()


def test_what_is_hidden_in_a_cell_is_told(ip: InteractiveShell) -> None:
    ip.run_cell("%%track secretive\nclient = dict(api_key='hunter2')\nacc = len(client) / 2")
    run = tb.get_run("secretive")
    assert run.cell is not None
    assert run.cell.source.splitlines()[1] == "client = dict(api_key='<redacted:api_key>')"
    assert ("source", "redacted") in {(entry.what, entry.state) for entry in run.why}
