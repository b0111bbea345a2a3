"""Console text on its way to disk: bars folded, secrets hidden, capped."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_redact import BARE, LITERALS, ORDINARY, SECRET_NAMES, SHAPES

from trackbook import redact
from trackbook.capture.consolelog import FULL, ConsoleLog, Screen, pieces, redacted


def folded(*texts: str) -> str:
    screen = Screen()
    done = "".join(screen.feed(text) for text in texts)
    return done + screen.rest()


def kept(*texts: str, largest: int = 10_000_000) -> tuple[str, ConsoleLog]:
    parts: list[str] = []
    log = ConsoleLog(parts.append, largest)
    for text in texts:
        log.feed("stdout", text)
    log.close()
    return "".join(parts), log


@pytest.mark.parametrize(
    ("texts", "seen"),
    [
        (["a\nb", "c\n"], "a\nbc\n"),
        (["\r10%", "\r20%", "\r100%\n", "done\n"], "100%\ndone\n"),
        (["10%\r", "20%\r", "\n"], "20%\n"),
        (["a\r\nb\r\n"], "a\nb\n"),
        (["|\b/\b-\b", "x\n"], "x\n"),
        (["long line\rshort\n"], "short\n"),
        (
            ["outer 1\n\rinner 1\x1b[A", "\n\rinner 2\x1b[A", "\router 2\n", "\n"],
            "outer 2\ninner 2\n",
        ),
        (["no end"], "no end"),
        (["\x1b[31mred\x1b[0m\n"], "\x1b[31mred\x1b[0m\n"),
        (["  spaces  \n", ""], "  spaces  \n"),
    ],
)
def test_what_was_overwritten_is_not_seen(texts: list[str], seen: str) -> None:
    assert folded(*texts) == seen


@given(st.text(st.characters(exclude_characters="\r\x08\x1b")), st.data())
def test_plain_text_stays_however_it_is_cut(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    whole, _, rest = text.rpartition("\n")
    screen = Screen()
    done = "".join(screen.feed(part) for part in parts)
    assert done == (whole + "\n" if "\n" in text else "")
    assert screen.rest() == rest.rstrip()


def test_a_progress_bar_of_an_hour_is_one_line() -> None:
    text, log = kept(*(f"\r{i:5d}/100000 [{'#' * (i // 2000)}]" for i in range(100_000)), "\n")
    assert text == f"99999/100000 [{'#' * 49}]\n"
    assert log.size == len(text)


def test_streams_do_not_mix_within_a_line() -> None:
    parts: list[str] = []
    log = ConsoleLog(parts.append)
    log.feed("stdout", "half ")
    log.feed("stderr", "warning\n")
    log.feed("stdout", "line\n")
    assert "".join(parts) == "warning\nhalf line\n"


def test_a_full_log_says_so_once() -> None:
    line = "é" * 50 + "\n"
    text, log = kept(*[line] * 100, largest=1000)
    assert log.full
    assert text.endswith(f"\n{FULL}\n")
    assert text.count(FULL) == 1
    assert len(text.removesuffix(f"\n{FULL}\n").encode()) <= 1000


def test_a_line_without_end_is_kept_in_pieces() -> None:
    text, _ = kept(*["x" * 1000] * 300)
    assert text == "x" * 300_000 + "\n"


def test_a_key_that_is_printed_line_by_line_is_hidden() -> None:
    begin, end = "-----BEGIN RSA " + "PRIVATE KEY-----", "-----END RSA " + "PRIVATE KEY-----"
    lines = [f"{'MIIEpAIBAAKCAQEA' * 4}\n" for _ in range(10)]
    text, log = kept("before\n", f"{begin}\n", *lines, f"{end}\n", "after\n")
    assert "MIIE" not in text
    assert log.hidden == 1
    assert text.startswith("before\n")
    assert text.endswith("after\n")


SECRETS = [*SHAPES.values(), *LITERALS, *BARE, *(f'{n} = "hunter2hunter2"' for n in SECRET_NAMES)]


@pytest.mark.parametrize("secret", SECRETS)
def test_every_secret_that_redact_knows_is_hidden_here_too(secret: str) -> None:
    noise = "epoch 1 loss 0.5 value=3 at 12:30\n"
    for text in (secret, noise * 20 + secret + "\n" + noise * 20, f"{noise}x {secret}, {noise}"):
        assert redacted(text) == redact.text(text)
    assert redacted(secret)[1] >= 1


@given(
    st.lists(
        st.one_of(st.sampled_from([*SECRETS, *ORDINARY, "\n", " ", "=", "loss 0.5\n"]), st.text()),
        max_size=12,
    ).map("".join)
)
@settings(max_examples=300, deadline=None)
def test_the_short_cut_hides_what_redact_hides(text: str) -> None:
    assert redacted(text) == redact.text(text)


def test_colours_hide_no_secret() -> None:
    coloured = "ok \x1b[32mgreen\x1b[0m\n"
    assert redacted(coloured) == (coloured, 0)
    line = "password \x1b[39m=\x1b[39m \x1b[33m'hunter2'\x1b[39m\n"
    assert redacted(line) == ("password = '<redacted:password>'\n", 1)


@given(st.text(st.sampled_from("ab\n")), st.integers(1, 10))
def test_pieces_are_whole_lines(text: str, times: int) -> None:
    long = text * times * 3000
    cut = pieces(long)
    assert "".join(cut) == long
    assert all(part.endswith("\n") for part in cut[:-1])
