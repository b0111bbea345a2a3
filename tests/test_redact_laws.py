"""What holds for whatever is redacted: idempotent, linear, and Python stays Python."""

from __future__ import annotations

import ast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_redact import BARE, LITERALS, ORDINARY, PYTHON, SHAPES

from trackbook import redact

PIECES = st.sampled_from(
    [*LITERALS, *BARE, *PYTHON, *SHAPES.values(), *ORDINARY, *"\"'\\\n {}#=:,()@", "\\n", "://"]
)
MIXED = st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=6).map("".join)


@given(MIXED)
@settings(max_examples=300, deadline=None)
@example('\ufeffpassword = "hunter2"')
@example("\r\npassword = 'a\x0c\u2028b'\rx = 1")
@example('token="\ud800abc123"')
def test_twice_is_the_same_as_once(plain: str) -> None:
    for hide in (redact.text, redact.code, redact.source):
        clean, _ = hide(plain)
        assert hide(clean) == (clean, 0)


NAMES = st.sampled_from(["password", "api_key", "x", "lr", "token", "name", "ключ"])
STRINGS = st.one_of(
    st.sampled_from([*SHAPES.values(), "hunter2hunter2", "Bearer x", "user:pw@", "p=" + "q" * 50]),
    st.text(max_size=20),
)
VALUES = st.recursive(
    st.one_of(
        STRINGS.map(repr),
        STRINGS.map(lambda s: repr(s.encode("utf-8", "replace"))),
        STRINGS.map(lambda s: f"f{(s.replace('{', '').replace('}', '') + '{x}')!r}"),
        st.integers().map(str),
        st.just("None"),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
        st.tuples(NAMES, inner).map(lambda p: f"call({p[0]}={p[1]})"),
        st.tuples(NAMES, inner).map(lambda p: f"{{{p[0]!r}: {p[1]}}}"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]}\n + {p[1]})"),
    ),
    max_leaves=5,
)
STATEMENTS = st.one_of(
    st.tuples(NAMES, VALUES).map(lambda p: f"{p[0]} = {p[1]}"),
    st.tuples(NAMES, VALUES).map(lambda p: f"def f({p[0]}={p[1]}):\n    return {p[1]}"),
    st.tuples(NAMES, STRINGS).map(lambda p: f"{p[0]} = 1  # {p[1].splitlines()[:1]}"),
    st.tuples(NAMES, VALUES).map(lambda p: f"if {p[0]} == {p[1]}:\n    pass"),
)


@given(st.lists(STATEMENTS, max_size=5).map("\n".join))
@settings(max_examples=300, deadline=None)
def test_valid_python_stays_valid(cell: str) -> None:
    try:
        ast.parse(cell)
    except (SyntaxError, ValueError):
        return
    clean, _ = redact.source(cell)
    ast.parse(clean)
    assert redact.source(clean) == (clean, 0)


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), MIXED),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.one_of(NAMES, MIXED), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
@settings(max_examples=150, deadline=None)
def test_trees_twice_are_the_same_as_once(tree: object) -> None:
    clean, _ = redact.tree(tree)
    assert redact.tree(clean)[1] == 0


MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    "unit",
    ["a", "a=", "sk-", "eyJ", "eyJ-", "://", "://a:", "password", "password=", 'password="',
     "key: ", "-----BEGIN PRIVATE KEY-----\n", "AKIA", SHAPES["aws"], "--token ", "\\", '\\"',
     "a.-", "bearer ", "token=' ", " ", "\n", "{", "xoxb-", "gh_", "ya29.-", "1",
     "authorization: ", "x = 'a'\n"],
)  # fmt: skip
@pytest.mark.timeout(60)
def test_a_megabyte_of_anything_is_read_through(unit: str) -> None:
    # What is read again from every place would take hours here.
    plain = unit * (MEGABYTE // len(unit))
    assert redact.text(plain)[0]
