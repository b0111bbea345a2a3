"""Console text on its way to disk: progress bars folded, secrets hidden, capped."""

from __future__ import annotations

import re
from collections.abc import Callable

from .. import redact

LARGEST = 10_000_000
FULL = "[Trackbook: this log is full, what follows is not kept]"
# A line that never ends is kept piece by piece.
_LONGEST_LINE = 1 << 16
_LONGEST_KEY = 1 << 14
# Regular expressions hold the interpreter: the user's threads get their turn between pieces.
_PIECE = 1 << 16
# Whatever redact.text hides has one of these in its line or in the 200 characters before.
_KEY = "-----begin"
_NAMES = (
    *("pass", "pwd", "credential", "key", "secret", "token", "conn", "auth", "bearer", "basic"),
    *("jwt", "cookie", "://"),
)
# These stand in words of 15 characters and more.
_SHAPES = (
    *("akia", "asia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "_pat_", "glpat-", "gldt-", "glrt-"),
    *("glcbt-", "_live_", "_test_", "whsec_", "sk-", "xai-", "nvapi-", "gsk_", "hf_", "api_org_"),
    *("xox", "xapp-", "slack.com", "aiza", "ya29.", "gocspx-", "npm_", "pypi-", "sg.", "dapi"),
    *("r8_", ":aa", "eyj"),
)
_LONG_WORD = b"a" * 15
_WORDS = bytes(97 if b > 127 or chr(b).isalnum() or chr(b) in "_-./+=:" else 32 for b in range(256))
_NEAR = 200
_COLOURS = re.compile(r"\x1b\[[0-9;:]*m")
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_FOLDS = re.compile(r"[\r\x08]|\x1b\[\d*A")
_MARKS = ("\r", "\x08", "\x1b[")
_MOVES = re.compile(r"(\r|\n|\x08|\x1b\[\d*A)")
_OPEN_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?!.*-----END)", re.DOTALL)


class Screen:
    """The last lines of a terminal: what a progress bar overwrites is never seen again."""

    def __init__(self) -> None:
        self._rows = [""]
        self._row = 0
        self._at_start = False
        """Whether the next text replaces its row."""

    def feed(self, text: str) -> str:
        """The lines that are complete with this text."""
        if len(self._rows) > 1 or self._at_start or any(mark in text for mark in _MARKS):
            return self._replayed(text)
        done, newline, rest = (self._rows[0] + text).rpartition("\n")
        if len(rest) > _LONGEST_LINE:
            done, newline, rest = done + newline + rest, "", ""
        self._rows[0] = rest
        return done + newline

    def rest(self) -> str:
        """What was never ended by a newline."""
        left, self._rows, self._row = "\n".join(self._rows).rstrip(), [""], 0
        return left

    def _replayed(self, text: str) -> str:
        for piece in _MOVES.split(text):
            if piece == "\n":
                self._down()
            elif piece == "\r":
                self._at_start = True
            elif piece == "\x08":
                self._rows[self._row] = self._rows[self._row][:-1]
            elif piece.startswith("\x1b[") and _FOLDS.fullmatch(piece):
                self._row = max(0, self._row - int(piece[2:-1] or 1))
            elif piece:
                self._put(piece)
        done, self._rows = self._rows[: self._row], self._rows[self._row :]
        self._row = 0
        # A bar pads its line with spaces to cover the one before.
        return "".join(f"{row.rstrip()}\n" for row in done)

    def _down(self) -> None:
        self._row += 1
        self._at_start = self._row < len(self._rows)
        if not self._at_start:
            self._rows.append("")

    def _put(self, piece: str) -> None:
        before = "" if self._at_start else self._rows[self._row]
        self._rows[self._row] = (before + piece)[-_LONGEST_LINE:]
        self._at_start = False


class ConsoleLog:
    """The ``logs.txt`` of one run. ``write`` takes text that is fit for the disk."""

    def __init__(self, write: Callable[[str], None], largest: int = LARGEST) -> None:
        self.size = 0
        """Bytes kept."""
        self.hidden = 0
        """Secrets hidden."""
        self.full = False
        self._write = write
        self._largest = largest
        self._screens: dict[str, Screen] = {}
        self._held = ""

    def feed(self, stream: str, text: str) -> None:
        """Take text of a stream (``stdout`` or ``stderr``); its complete lines are kept now."""
        if not self.full:
            self._keep(self._screens.setdefault(stream, Screen()).feed(text))

    def close(self) -> None:
        """Keep what was never ended by a newline."""
        for screen in self._screens.values():
            if rest := screen.rest():
                self._keep(f"{rest}\n")
        self._keep("", last=True)

    def _keep(self, lines: str, *, last: bool = False) -> None:
        lines, self._held = self._held + lines, ""
        # A private key is known by its lines together.
        begun = None if last else _OPEN_KEY.search(lines)
        if begun and len(lines) - begun.start() <= _LONGEST_KEY:
            lines, self._held = lines[: begun.start()], lines[begun.start() :]
        for piece in pieces(lines):
            if self.full:
                return
            clean, hidden = redacted(piece)
            self.hidden += hidden
            self._put(clean)

    def _put(self, clean: str) -> None:
        data = clean.encode("utf-8", "replace")
        room = self._largest - self.size
        if len(data) > room:
            self.full = True
            data = data[:room]
            clean = f"{data.decode('utf-8', 'ignore')}\n{FULL}\n"
        self.size += len(data)
        self._write(clean)


def redacted(lines: str) -> tuple[str, int]:
    """What ``redact.text`` gives, at a tenth of its price where no line looks like a secret.

    Colours between a name and its value hide nothing; where there is a secret, they go.
    """
    if "\x1b[" in lines:
        clean, hidden = _redacted(_COLOURS.sub("", lines))
        if hidden:
            return clean, hidden
    return _redacted(lines)


def _redacted(lines: str) -> tuple[str, int]:
    lowered = lines.lower()
    found = [trace for trace in _NAMES if trace in lowered]
    if _LONG_WORD in lines.encode("utf-8", "replace").translate(_WORDS):
        found += [trace for trace in _SHAPES if trace in lowered]
    if _KEY in lowered:
        return redact.text(lines)
    if not found:
        return lines, 0
    near = hidden = 0
    clean: list[str] = []
    suspects: list[str] = []
    for line in _LINES.findall(lines):
        low = line.lower()
        near = _NEAR if any(trace in low for trace in found) else near - len(line)
        if near > 0:
            suspects.append(line)
            continue
        if suspects:
            text, count = redact.text("".join(suspects))
            clean.append(text)
            hidden += count
            suspects.clear()
        clean.append(line)
    text, count = redact.text("".join(suspects))
    return "".join([*clean, text]), hidden + count


def pieces(lines: str) -> list[str]:
    """The text in pieces of whole lines, of some 64 kB where its lines are not longer."""
    found = []
    start = 0
    while len(lines) - start > _PIECE:
        end = lines.rfind("\n", start, start + _PIECE) + 1 or lines.find("\n", start) + 1
        if not end:
            break
        found.append(lines[start:end])
        start = end
    return [*found, lines[start:]] if start < len(lines) else found
