"""What a tracked cell shows, as a notebook would keep it: capped, without secrets, in blobs.

The messages of a kernel are looked at on their way and go on unchanged. A terminal's IPython has
no such messages: what a cell shows there is text, which stands in the run's log.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from .. import formats, redact, settings
from ..errors import StoreError
from ..jsonable import dumps
from ..store import Blobs
from .console import Console
from .consolelog import Screen, redacted
from .live import ActiveRun, describe
from .patch import UNSEEN, Guard

LARGEST = 1_000_000
LARGEST_CELL = 5_000_000
MOST = 100
_BINARY = ("image/", "audio/", "video/", "application/pdf")

Output = dict[str, Any]


class CellOutputs:
    """Collects from ``begin`` to ``end``; a fault of ours is one warning and switches it off."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._guard = Guard("the outputs of cells")
        self._lock = threading.Lock()  # text comes from the thread that drains the console
        self._console: Console | None = None
        self._undo: Callable[[], None] = _nothing
        self._outputs: list[Output] = []
        self._screen: Screen | None = None
        self._clear = False

    def begin(self, console: Console) -> None:
        """A tracked cell is about to run."""
        self._guard.run(self._begin, console)

    def end(self, run: ActiveRun, blobs: Blobs, error: BaseException | None) -> None:
        """The cell is over: keep what it showed in the run."""
        if self._console is not None:
            self._guard.run(self._keep, run, blobs, error)
        self.leave()

    def leave(self) -> None:
        """Look at no messages any more."""
        if self._console is not None:
            self._console.audience = None
            self._console = None
        self._undo()
        self._undo = _nothing

    def _begin(self, console: Console) -> None:
        self.leave()
        publisher = self._shell.display_pub
        if not (settings.wanted("outputs") and hasattr(publisher, "register_hook")):
            return
        console.drain()
        publisher.register_hook(self._published)
        restore = _after(self._shell.displayhook, "finish_displayhook", self._shown)

        def undo() -> None:
            publisher.unregister_hook(self._published)
            restore()

        self._undo = undo
        self._outputs, self._screen, self._clear = [], None, False
        self._console = console
        console.audience = self._heard

    # -- what comes ---------------------------------------------------------------------------

    def _published(self, message: Any) -> Any:
        """The hook of the display publisher."""
        if self._console is not None:
            self._guard.run(self._take, message["header"]["msg_type"], message["content"])
        return message

    def _shown(self, message: Any) -> None:
        """The display hook has shown a cell's value."""
        if self._console is not None and message and message["content"].get("data"):
            self._guard.run(self._take, "execute_result", message["content"])

    def _heard(self, stream: str, text: str) -> None:
        """The console has given away what was printed."""
        self._guard.run(self._printed, stream, text)

    def _take(self, kind: str, content: dict[str, Any]) -> None:
        if self._console is not None:
            self._console.drain()  # what was printed before stands before
        with self._lock:
            self._put(kind, content)

    def _put(self, kind: str, content: dict[str, Any]) -> None:
        if kind == "clear_output":
            self._clear = True
            if not content.get("wait"):
                self._cleared()
            return
        told = {"data": dict(content["data"]), "metadata": dict(content.get("metadata") or {})}
        place = (content.get("transient") or {}).get("display_id")
        if kind == "update_display_data":
            for output in self._outputs:
                if place is not None and output.get("place") == place:
                    output.update(told)
            return
        output = {"output_type": kind, **told, "place": place}
        if kind == "execute_result":
            output["execution_count"] = content.get("execution_count")
        self._add(output)

    def _printed(self, stream: str, text: str) -> None:
        with self._lock:
            self._cleared()
            last = self._outputs[-1] if self._outputs else {}
            if last.get("name") != stream:
                self._add({"output_type": "stream", "name": stream, "text": "", "place": None})
                last = self._outputs[-1]
            if self._screen is not None and len(last["text"]) <= LARGEST:
                last["text"] += self._screen.feed(text)

    def _add(self, output: Output) -> None:
        self._cleared()
        self._flush()
        self._screen = Screen() if output["output_type"] == "stream" else None
        self._outputs.append(output)

    def _cleared(self) -> None:
        if self._clear:
            self._clear, self._screen = False, None
            self._outputs.clear()

    def _flush(self) -> None:
        if self._screen is not None and self._outputs:
            self._outputs[-1]["text"] += self._screen.rest()

    # -- what is kept -------------------------------------------------------------------------

    def _keep(self, run: ActiveRun, blobs: Blobs, error: BaseException | None) -> None:
        try:
            self._end(run, blobs, error)
        except StoreError as problem:  # what is said of a full disk is said elsewhere
            run.note_capture("outputs", "skipped", str(problem))

    def _end(self, run: ActiveRun, blobs: Blobs, error: BaseException | None) -> None:
        if self._console is not None:
            self._console.drain()
        self.leave()
        with self._lock:
            self._flush()
            shown, self._outputs = self._outputs, []
        if error is not None:
            lines = getattr(self._shell, "_last_traceback", None) or []
            told = describe(error)
            named = {"ename": told["type"], "evalue": told["message"], "traceback": list(lines)}
            shown.append({"output_type": "error", **named})
        records, size, hidden = [], 0, 0
        for output in shown[:MOST]:
            clean, found = _fit(output)
            data = dumps(clean)
            if size + len(data) <= LARGEST_CELL:
                record = {"type": clean["output_type"], "blob": blobs.put(data), "size": len(data)}
                records.append(record)
                size, hidden = size + len(data), hidden + found
        if records:
            run.amend(outputs=records)
            run.note_capture("outputs", "captured", bytes=size)
        if hidden:
            run.note_capture("outputs", "redacted", f"{hidden} value(s) that look like secrets")
        if left_out := len(shown) - len(records):
            run.note_capture("outputs", "skipped", f"{left_out}, for there is a limit to a cell")


def _fit(output: Output) -> tuple[Output, int]:
    """The output without secrets and within its limit, and how many secrets there were."""
    hidden = 0
    output.pop("place", None)

    def clean(text: str) -> str:
        nonlocal hidden
        shown, found = redacted(_cut(text))
        hidden += found
        return shown

    kind = output["output_type"]
    if kind == "stream":
        return {**output, "text": clean(output["text"])}, hidden
    if kind == "error":
        trace = [clean(line) for line in output["traceback"]]
        return {**output, "evalue": clean(output["evalue"]), "traceback": trace}, hidden
    data: dict[str, Any] = {}
    for mime, value in output["data"].items():
        large = LARGEST_CELL if mime.startswith(_BINARY) else LARGEST
        size = len(value if isinstance(value, str) else dumps(value))
        if mime == "text/plain":
            data[mime] = clean(value) + data.get(mime, "")
        elif size > large:
            note = f"\n[Trackbook: {mime} of {formats.size(size)} is not kept]"
            data["text/plain"] = data.get("text/plain", "") + note
        elif isinstance(value, str):
            kept = mime.startswith(_BINARY) and "svg" not in mime
            data[mime] = value if kept else clean(value)
        else:
            data[mime], found = redact.tree(value)
            hidden += found
    return {**output, "data": data}, hidden


def _cut(text: str) -> str:
    return text if len(text) <= LARGEST else f"{text[:LARGEST]}\n[Trackbook: cut here]\n"


def _after(owner: Any, name: str, look: Callable[[Any], None]) -> Callable[[], None]:
    """Have ``look`` called with ``owner.msg`` after each call of a method; returns the undo."""
    original, earlier = getattr(owner, name), vars(owner).get(name)

    def wrapper() -> None:
        message = getattr(owner, "msg", None)
        with UNSEEN:
            original()
        look(message)

    setattr(owner, name, wrapper)

    def undo() -> None:
        if vars(owner).get(name) is not wrapper:
            return
        if earlier is None:
            delattr(owner, name)
        else:
            setattr(owner, name, earlier)

    return undo


def _nothing() -> None:
    """There is nothing to undo."""
