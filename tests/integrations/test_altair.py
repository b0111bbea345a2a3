"""Altair charts carry themselves, not only HTML that loads a program from a network."""

from __future__ import annotations

from collections.abc import Iterator

import altair as alt
import nbformat
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell


@pytest.fixture(autouse=True)
def renderer() -> Iterator[None]:
    yield
    alt.renderers.enable("default")


def shown() -> dict[str, object]:
    chart = alt.Chart(pd.DataFrame({"x": [1, 2]})).mark_point().encode(x="x")
    return dict(chart._repr_mimebundle_())


def test_a_chart_shows_with_and_without_our_panel(ip: InteractiveShell) -> None:
    bundle = shown()
    assert set(bundle) == {"text/html", "application/vnd.vegalite.v6+json"}
    output = nbformat.v4.new_output("display_data", data=bundle)
    cell = nbformat.v4.new_code_cell(outputs=[output])
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))


def test_a_renderer_of_the_users_own_stays(ip: InteractiveShell) -> None:
    ip.run_line_magic("unload_ext", "trackbook")
    alt.renderers.enable("json")
    ip.run_line_magic("load_ext", "trackbook")
    assert alt.renderers.active == "json"


def test_unloading_gives_the_default_back(ip: InteractiveShell) -> None:
    assert alt.renderers.active == "trackbook"
    ip.run_line_magic("unload_ext", "trackbook")
    assert alt.renderers.active == "default"
