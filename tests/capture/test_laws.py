"""The user's code wins: the same cells in two real kernels, with us and without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from kernels import Kernel, kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from trackbook import reading

# A column of numbers that differ from one time to the next.
_TIMES = re.compile(
    r"\d+(\.\d+)?(e\+\d+)? ?(ns|[\u00b5\u03bc]s|ms|s)\b|ipykernel_\d+/\d+|\b\d+\.py|0x[0-9a-f]+"
)
_COLOURS = re.compile("\x1b" + r"\[[0-9;]*m")
_PARTS = re.compile(r"(user|sys|CPU times|total):? <t>,? ?")
_SETUP = """
import os, random, subprocess, sys, warnings
import numpy as np, torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from IPython.display import display, HTML
warnings.simplefilter("default")

class Stubborn(ClassifierMixin, BaseEstimator):
    def fit(self, X, y=None):
        warnings.warn("it is stubborn", UserWarning, stacklevel=2)
        raise LookupError("it will not learn")

class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no words")

def deep(n):
    return 1 / n if n == 0 else deep(n - 1)

class Odd:
    def __repr__(self):
        raise ValueError("no repr")
    def __eq__(self, other):
        raise ValueError("no eq")
    __hash__ = None
    def __bool__(self):
        raise ValueError("no bool")
    def __len__(self):
        raise ValueError("no len")
    @property
    def __class__(self):
        raise ValueError("no class")
    def __getattr__(self, name):
        raise ValueError("no " + name)
"""

CELLS = {
    "stdout": "print('a', end=''); print('b\\u00e9\\u4e2d'); sys.stdout.write('x' * 9000)",
    "stderr": "print('err', file=sys.stderr); sys.stderr.flush(); print('out')",
    "progress": "for i in range(5): print(f'\\r{i}', end='')",
    "descriptor": "os.write(1, b'raw\\n'); sys.stdout.flush()",
    "child": "subprocess.run(['echo', 'from a child'])",
    "seed": "random.seed(7); np.random.seed(7); rng = np.random.default_rng(7); "
    "torch.manual_seed(7)",
    "python random": "[random.random() for _ in range(3)], random.getstate()[1][-1]",
    "numpy legacy": "np.random.rand(3), np.random.get_state()[2]",
    "numpy generator": "rng.random(3), rng.bit_generator.state['state']['state']",
    "torch": "torch.rand(3), torch.initial_seed(), torch.get_rng_state().sum()",
    "a result": "6 * 7",
    "nothing after ;": "6 * 7;",
    "underscores": "_, __, ___, Out[max(Out)], len(Out)",
    "underscore, assigned": "kept = _",
    "history": "len(In), In[-2], In[-1], _i[-8:], _ih[-1] == In[-1]",
    "display": "display(1, 'two', HTML('<b>3</b>')); h = display('x', display_id='d'); 4",
    "update": "h.update('y'); from IPython.display import clear_output; print(1); clear_output()",
    "none": "None",
    "every value": "get_ipython().ast_node_interactivity = 'all'",
    "every value shown": "1\n2\n'three'",
    "last value": "get_ipython().ast_node_interactivity = 'last_expr'",
    "division": "a = 1\nb = a / 0\nc = 2",
    "deep": "x = 1\n\ndeep(5)",
    "after a failure": "b",
    "chained": "try:\n    deep(2)\nexcept ZeroDivisionError as e:\n    raise KeyError('k') from e",
    "a group": "raise ExceptionGroup('g', [ValueError(1), TypeError('t')])",
    "mute": "raise Mute()",
    "syntax": "def f(:\n    pass",
    "indentation": "if True:\nprint(1)",
    "interrupt": "raise KeyboardInterrupt",
    "exit": "raise SystemExit('bye')",
    "sys.exit": "sys.exit(3)",
    "generator": "g = (i / (2 - i) for i in range(5)); list(g)",
    "generator left": "next(g, 'exhausted')",
    "escape": "'\\d'",
    "is": "1 is 1",
    "warning": "warnings.warn('careful'); np.array([1.0]) / 0",
    "warned again": "for _ in range(3): warnings.warn('careful')",
    "warnings as errors": "warnings.simplefilter('error'); warnings.warn('now an error')",
    "errors are warnings": "warnings.simplefilter('default')",
    "await": "import asyncio\nawait asyncio.sleep(0.01)\nawait asyncio.sleep(0, 'slept')",
    "await fails": "async def fails():\n    raise OSError('async')\nawait fails()",
    "async for": "async def gen():\n    yield 1\n    yield 2\n[i async for i in gen()]",
    "tasks": "t = asyncio.create_task(asyncio.sleep(0, 5)); print(await t)",
    "magic": "%pwd",
    "assignment magic": "here = %pwd\nhere",
    "shell": "!echo from the shell; exit 3",
    "shell lines": "lines = !echo one; echo two\nlines",
    "exit code": "_exit_code",
    "time": "%%time\nprint('timed')\n40 + 2",
    "time fails": "%%time\n1 / 0",
    "bash": "%%bash\necho from bash; echo wrong >&2",
    "capture": "%%capture got\nprint('captured'); 5",
    "captured": "got.stdout, [o.data for o in got.outputs]",
    "no magic": "%%nosuch\n1",
    "help": "len?",
    "unprintable": "odd = Odd()\nodd",
    "still there": "type(odd).__name__, odd is odd",
    "a failing fit": "LogisticRegression().fit([[1], [2]], [0])",
    "a failing fit of yours": "Stubborn().fit([[1]], [0])",
    "a failing pipeline": "make_pipeline(StandardScaler(), Stubborn()).fit([[1], [2]], [0, 1])",
    "a failing score": "Ridge().score([[1]], [0])",
    "a fit": "LogisticRegression().fit([[1], [2]], [0, 1]).coef_",
    "only a comment": "# nothing\n",
    "empty": "\n",
    "names": "sorted(n for n in globals() if n[:1] != '_' and n not in ('tb', 'trackbook'))",
    "hooks": "sys.displayhook is get_ipython().displayhook, sys.excepthook.__name__, "
    "type(sys.stdout).__name__, [t.name for t in __import__('threading').enumerate() "
    "if 'trackbook' not in t.name][:1]",
    "the filters of warnings": "len([f for f in warnings.filters if 'trackbook' not in str(f)])",
}


def said(kernel: Kernel, source: str, cell_id: str) -> list[tuple[Any, ...]]:
    """What a front end shows for a cell, streams joined and times blanked."""
    shown: list[tuple[Any, ...]] = []
    for one in kernel.run(source, cell_id):
        match one["type"]:
            case "stream" if shown and shown[-1][:2] == ("stream", one["name"]):
                shown[-1] = (*shown[-1][:2], shown[-1][2] + one["text"])
            case "stream":
                shown.append(("stream", one["name"], one["text"]))
            case "error":
                trace = _COLOURS.sub("", "\n".join(one["traceback"]))
                shown.append(("error", one["ename"], one["evalue"], trace))
            case "comm_msg" | "comm_close":
                pass
            case _:
                told = {k: v for k, v in one.items() if k not in ("transient", "type")}
                shown.append((one["type"], told))
    # Streams are sent by a thread: between each other their order is not sure.
    streams = sorted(x for x in shown if x[0] == "stream")
    return [_blanked(x) for x in [*streams, *(x for x in shown if x[0] != "stream")]]


def _blanked(value: Any) -> Any:
    if isinstance(value, str):
        return _PARTS.sub("", _TIMES.sub("<t>", value))
    if isinstance(value, dict):
        return {k: _blanked(v) for k, v in value.items()}
    return tuple(map(_blanked, value)) if isinstance(value, tuple) else value


def plain(source: str) -> str:
    """The cell with a comment in the place of our line, where it may have one."""
    return source if source.startswith("%%") else f"#%%track --quiet\n{source}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("laws")


@pytest.fixture(scope="module")
def with_us(folder: Path) -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACKBOOK_STORE", str(folder / ".trackbook"))
        with kernel(folder) as user:
            user.run("%load_ext trackbook\nimport trackbook as tb; tb.autolog()", "load")
            user.run(_SETUP, "setup")
            shown = {
                name: said(user, f"%%track --quiet\n{source}", f"c{i}")
                for i, (name, source) in enumerate(CELLS.items())
            }
        yield shown


@pytest.fixture(scope="module")
def untracked(folder: Path) -> Iterator[dict[str, Any]]:
    """The extension is loaded, the cells are ordinary ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACKBOOK_STORE", str(folder / "other"))
        with kernel(folder) as user:
            user.run("%load_ext trackbook", "load")
            user.run(_SETUP, "setup")
            yield {n: said(user, plain(s), f"c{i}") for i, (n, s) in enumerate(CELLS.items())}


@pytest.fixture(scope="module")
def without(folder: Path) -> Iterator[dict[str, Any]]:
    with kernel(folder) as user:
        user.run("pass", "load")
        user.run(_SETUP, "setup")
        yield {n: said(user, plain(s), f"c{i}") for i, (n, s) in enumerate(CELLS.items())}


@pytest.mark.parametrize("name", CELLS)
def test_a_tracked_cell_is_as_without_us(
    name: str, with_us: dict[str, Any], without: dict[str, Any]
) -> None:
    assert with_us[name] == without[name]


@pytest.mark.parametrize("name", CELLS)
def test_an_untracked_cell_is_as_without_us(
    name: str, untracked: dict[str, Any], without: dict[str, Any]
) -> None:
    assert untracked[name] == without[name]


def test_all_of_them_were_tracked(with_us: dict[str, Any], folder: Path) -> None:
    runs = reading.open_store(folder / ".trackbook").runs("parent is None")
    assert len(runs) == len(CELLS)


# -- running all of a notebook ---------------------------------------------------------------------


def executed(folder: Path, *sources: str) -> tuple[nbformat.NotebookNode, str]:
    """A notebook after "Run All", and what stopped it."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    client = NotebookClient(
        book, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    try:
        client.execute()
    except CellExecutionError as stopped:
        return book, stopped.ename
    return book, ""


@pytest.mark.parametrize(
    ("cell", "stopped", "count"),
    [
        ("%%track\n1 / 0", "ZeroDivisionError", 1),
        ("%%track\nsyntax error", "SyntaxError", 1),
        ("%%track\nasync def f():\n    raise OSError\nawait f()", "OSError", 1),
        ("%%track\n%%time\n1 / 0", "ZeroDivisionError", 1),
        ("%%time\n%%track\n1 / 0", "ZeroDivisionError", 1),
        ("%%bash\n%%track\nexit 3", "CalledProcessError", 0),
        ("%%track --nonsense\n1", "UsageError", 0),
        ("with tb.start_run():\n    1 / 0", "ZeroDivisionError", 1),
        ("with tb.start_run():\n    tb.log_metric('a', 'no number')", "InvalidValue", 1),
        ("%track show nobody", "UsageError", 0),
    ],
)
def test_run_all_stops_at_a_failure_and_the_runs_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: str, stopped: str, count: int
) -> None:
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
    load = "%load_ext trackbook\nimport trackbook as tb"
    book, why = executed(tmp_path, load, cell, "%%track after\n2")
    assert why == stopped
    assert book.cells[2].execution_count is None
    if stopped != "UsageError":  # which IPython prints in one line
        (error,) = [o for o in book.cells[1].outputs if o.output_type == "error"]
        assert error.ename == stopped
    runs = reading.open_store(tmp_path / ".trackbook").runs()
    assert [run.status for run in runs] == ["failed"] * count


# -- nothing leaves the machine --------------------------------------------------------------------

_LISTENER = """
import sys, threading
heard = []
NETWORK = {"socket.connect", "socket.bind", "socket.listen", "socket.getaddrinfo", "socket.sendto",
           "socket.gethostbyname", "socket.gethostbyaddr", "socket.sendmsg", "urllib.Request",
           "http.client.connect", "ftplib.connect", "smtplib.connect"}
def hear(event, args):
    if event in NETWORK:
        heard.append((event, str(args)))
    elif event == "subprocess.Popen":
        heard.append((event, str(args[0])))
sys.addaudithook(hear)
"""


@pytest.mark.timeout(120)
def test_no_socket_is_opened_and_no_program_but_git_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
    (tmp_path / ".git").mkdir()
    with kernel(tmp_path) as user:
        user.run(_LISTENER)
        user.run("%load_ext trackbook\nimport trackbook as tb; tb.autolog()")
        user.run(
            "%%track fit\nfrom sklearn.linear_model import LogisticRegression\nC = 0.5\n"
            "model = LogisticRegression(C=C).fit([[1], [2]], [0, 1])\n"
            "acc = model.score([[1], [2]], [0, 1])\ntb.log_text('x', 'a.txt')\n"
            "tb.log_model(model, 'm')\ntb.log_input([[1]], 'data')"
        )
        user.run("%%track fails\nprint('x')\n1 / 0")
        user.run("tb.runs(); tb.runs().to_pandas(); tb.compare(*tb.runs()).chart()")
        user.run("%track\n%track why\n%track disk")
        user.run("import time; time.sleep(6)\nwith tb.start_run(): time.sleep(6)")
        user.run("%track off\n%unload_ext trackbook")
        heard = eval(user.printed("print(heard)"))
    assert len([what for event, what in heard if event == "subprocess.Popen"]) > 0
    assert [(e, w) for e, w in heard if not (e == "subprocess.Popen" and "git" in w)] == []
