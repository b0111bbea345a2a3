"""Figures that a tracked cell shows are kept as they are shown, and nothing shown is changed."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kernels import kernel
from PIL import Image
from tracked import runs, told

import trackbook as tb

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

DRAW = """
import matplotlib.pyplot as plt
fig, ax = plt.subplots(figsize=(2, 2))
ax.plot([1, 3, 2])
"""


def figures(run: Any) -> list[str]:
    return [name for name in run.artifacts if name.startswith("figure-")]


def pictures(messages: list[dict[str, Any]]) -> list[bytes]:
    """The pictures among what a front end gets."""
    data = [one["data"]["image/png"] for one in messages if "image/png" in one.get("data", {})]
    return [base64.b64decode(one) for one in data]


def test_a_kernel_keeps_the_very_pictures_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MPLBACKEND")
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
    with kernel(tmp_path) as nb:
        nb.run("%load_ext trackbook\nimport trackbook as tb; tb.autolog()")
        shown = nb.run(f"%%track plots{DRAW}plt.show()\nax.set_title('again')\nfig")
        assert len(pictures(shown)) == 2
        flushed = nb.run(f"%%track flushed{DRAW}plt.figure(); plt.plot([1])")
        nb.run(DRAW)  # belongs to no run
        nb.run("%config InlineBackend.figure_formats = ['svg', 'png']")
        nb.run(f"%%track vectors{DRAW}display(fig); ax.set_title('b'); display(fig); plt.close()")
        nb.run("%config InlineBackend.figure_formats = ['png']\ntb.autolog(False)")
        without = nb.run(f"%%track without{DRAW}plt.show()")
    first, second, both, third = runs()
    assert len(figures(both)) == 2  # one format of each
    kept = [first.artifact(name).read_bytes() for name in figures(first)]
    assert figures(first) == ["figure-1.png", "figure-2.png"]
    assert kept == pictures(shown)
    assert [second.artifact(name).read_bytes() for name in figures(second)] == pictures(flushed)
    assert len(pictures(flushed)) == 2
    assert figures(third) == []
    assert pictures(without) == pictures(shown)[:1]


def test_without_a_screen_show_keeps_the_figure(ip: InteractiveShell) -> None:
    # The tests before may have left figures open.
    ip.run_cell("import matplotlib.pyplot as plt; plt.close('all')").raise_error()
    ip.run_cell("import trackbook as tb; tb.autolog()").raise_error()
    for _ in range(2):
        ip.run_cell(f"%%track plot{DRAW}plt.show(); plt.close('all')").raise_error()
    for run in runs():
        assert figures(run) == ["figure-1.png"]
        with Image.open(run.artifact("figure-1.png")) as picture:
            assert picture.size[0] > 100
    ip.run_cell("%%track saved\nfig.savefig('mine.png')").raise_error()
    assert figures(runs()[-1]) == []


def test_a_script_keeps_what_it_would_show_and_loads_no_pyplot(tmp_path: Path) -> None:
    script = f"""
import sys, trackbook as tb
tb.set_store({str(tmp_path / "store")!r})
tb.autolog()
assert "matplotlib" not in sys.modules
import matplotlib.figure
assert "matplotlib.pyplot" not in sys.modules
import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.show()
with tb.start_run("drawn"):
    plt.show()
    state = plt.gcf().get_size_inches(), plt.gcf().dpi
print(list(tb.get_run("drawn").artifacts), len(tb.runs()), state[1])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "['figure-1.png'] 1 100.0", done.stderr


def test_many_and_huge_figures_are_left_out_and_noted() -> None:
    import matplotlib.pyplot as plt

    with tb.start_run("many"):
        for _ in range(22):
            plt.figure(figsize=(1, 1))
            plt.show()
            plt.close("all")
    with tb.start_run("huge"):
        plt.figure(figsize=(90, 90))
        plt.show()
        plt.close("all")
    many, huge = runs()
    assert len(figures(many)) == 20
    assert "skipped figures of those shown, the first 20 are kept" in told(many)
    assert figures(huge) == []
    assert "more than 50 million pixels" in told(huge)


def test_a_figure_that_cannot_be_drawn_raises_as_without_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MPLBACKEND")
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
    bad = f"%%track bad{DRAW}ax.set_title('$\\\\bad{{$')\nplt.show()"
    with kernel(tmp_path) as nb:
        nb.run("%load_ext trackbook\nimport trackbook as tb; tb.autolog()")
        with_us = nb.run(bad)
        nb.run("tb.autolog(False)")
        without = nb.run(bad)
    assert [one["type"] for one in with_us].count("error") == 1
    assert [one.get("ename") for one in with_us] == [one.get("ename") for one in without]
    assert figures(runs()[0]) == []


def test_off_restores_the_very_methods() -> None:
    from matplotlib.backend_bases import FigureCanvasBase, FigureManagerBase

    tb.autolog(False)
    before = vars(FigureCanvasBase)["print_figure"], vars(FigureManagerBase)["show"]
    tb.autolog()
    assert vars(FigureCanvasBase)["print_figure"] is not before[0]
    tb.autolog(False)
    assert (vars(FigureCanvasBase)["print_figure"], vars(FigureManagerBase)["show"]) == before
