"""``%track`` and ``%%track``: the face of Trackbook in IPython."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.display import display

from . import formats, reading, settings
from .capture import options
from .capture import session as sessions
from .capture.cells import CellHooks
from .capture.live import ActiveRun
from .errors import TrackbookError, UntrustedRun
from .integrations import altair
from .replay import within
from .store import LocalStore, open_store
from .store.upkeep import sweep
from .views import attempt, disk, group

_ASSIGNMENT = re.compile(r"(?:^|\s)([A-Za-z_][\w./-]*)=(?!=)")
_RECENT = 10
_RECORD = {"start", "stop", "log", "params", "tag", "note", "autolog", "on", "off"}
# So long a front end may take to speak.
_PATIENCE_S = 3.0
_NO_PANEL = (
    "No panel has spoken to this kernel: `pip install trackbook` in the environment of JupyterLab "
    "brings it, after a restart of JupyterLab; everything is tracked without it too"
)
# A line that keeps up with a loop changes no faster than this.
_PAUSE_S = 0.5


@magics_class
class TrackMagics(Magics):  # type: ignore[misc]
    """The magics; each subcommand is the method of its name with an underscore before it."""

    @line_cell_magic
    def track(self, line: str, cell: str | None = None) -> None:
        """Track a cell (``%%track``) or ask about runs (``%track``); see ``docs/magics.md``."""
        if cell is not None:
            self._bad_cell(line)
            return
        word, _, rest = line.strip().partition(" ")
        command = SUBCOMMANDS.get(word)
        if command is None:
            raise UsageError(
                f"%track: there is no {word!r}; it knows {', '.join(w for w in SUBCOMMANDS if w)}"
            )
        if within.JOB in os.environ and word not in _RECORD:
            return  # in a replay there are no other runs to ask about
        try:
            command(self, rest.strip())
        except TrackbookError as problem:
            raise UsageError(f"%track {word}: {problem}") from None

    def _bad_cell(self, line: str) -> None:
        # A good %%track line never comes here: the input transformer has taken it off. It does
        # come when the magic stands below another cell magic.
        try:
            options.parse(line)
        except TrackbookError as problem:
            raise UsageError(str(problem)) from None
        raise UsageError("%%track goes on the first line of a cell")

    def _status(self, rest: str) -> None:
        session = sessions.current
        if not session.is_on():
            _say("Trackbook is off (%track on switches it on)")
            return
        run = session.active()
        state = f"run {run.name} #{run.number} is open" if run else "no run is open"
        _say(f"Trackbook: {state}, store {session.store().path}")
        if _panel_is_missing(self.shell):
            _say(_NO_PANEL)
        recent = reading.runs(limit=_RECENT)
        if len(recent):
            display(recent)

    def _start(self, rest: str) -> None:
        asked = options.parse(rest)
        run = sessions.current.start_run(
            asked.name,
            experiment=asked.experiment,
            params=asked.given,
            tags=asked.tags,
            note=asked.note,
        )
        _say(f"{run.name} #{run.number} has begun")

    def _stop(self, rest: str) -> None:
        run = sessions.current.active()
        if run is None:
            raise UsageError("%track stop: no run is open")
        run.end(rest or "finished")

    def _log(self, rest: str) -> None:
        sessions.current.logging_run().log_metrics(self._values(rest, "log"))

    def _params(self, rest: str) -> None:
        sessions.current.logging_run().log_params(self._values(rest, "params"))

    def _tag(self, rest: str) -> None:
        if not rest:
            raise UsageError("%track tag: takes TAG or TAG=VALUE")
        tags = options.parse(" ".join(f"-t {word}" for word in rest.split())).tags
        self._wanted("tag").set_tags(tags)

    def _note(self, rest: str) -> None:
        self._wanted("note").set_note(rest)

    def _runs(self, rest: str) -> None:
        display(reading.runs(rest or None))

    def _show(self, rest: str) -> None:
        display(reading.get_run(rest or "latest"))

    def _compare(self, rest: str) -> None:
        display(reading.compare(*rest.split()))

    def _diff(self, rest: str) -> None:
        refs = rest.split()
        if len(refs) != 2:
            raise UsageError("%track diff: takes two runs, %track diff A B")
        _say(reading.compare(*refs).code() or "the cells are the same")

    def _why(self, rest: str) -> None:
        run = reading.get_run(rest or "latest")
        lines = [f"{run.name} #{run.number}"]
        for entry in run.why:
            told = [entry["state"], entry["what"], entry.get("reason", ""), *_costs(entry)]
            lines.append("  ".join(part for part in told if part))
        _say("\n  ".join(lines))

    def _recipe(self, rest: str) -> None:
        words = rest.split()
        dropped = "--dropped" in words
        ref = next((word for word in words if not word.startswith("--")), "latest")
        _say(reading.get_run(ref).recipe().explain(dropped=dropped))

    def _replay(self, rest: str) -> None:
        words = rest.split()
        options = {word for word in words if word.startswith("--")}
        if unknown := options - {"--trust", "--allow-writes", "--full"}:
            raise UsageError(
                f"%track replay: takes REF --trust --allow-writes --full, not {min(unknown)}"
            )
        run = reading.get_run(next((w for w in words if w not in options), "latest"))
        wishes: dict[str, Any] = {word[2:].replace("-", "_"): True for word in options}
        try:
            _say(str(run.replay(**wishes)))
        except UntrustedRun as problem:
            _say(problem.code)
            raise UsageError(f"{problem} (%track replay {run.id} --trust)") from None

    def _autolog(self, rest: str) -> None:
        from . import integrations

        if rest not in ("", "on", "off"):
            raise UsageError("%track autolog: takes on or off")
        integrations.autolog(rest != "off")

    def _store(self, rest: str) -> None:
        if rest:
            settings.choose_store(rest)
        _say(str(sessions.current.store().path))

    def _disk(self, rest: str) -> None:
        if rest:
            raise UsageError("%track disk: takes nothing; `trackbook gc` removes")
        store = open_store()
        if not isinstance(store, LocalStore):
            raise UsageError("%track disk: only a store in a folder takes space on disk")
        found = sweep.survey(store)
        largest = sweep.largest(store, found)
        notes = [disk.outcome(found, None), *found.problems]
        _publish(
            disk.disk_text(found.kinds, largest) + "\n\n" + "\n".join(notes),
            disk.disk_html(found.kinds, largest, "; ".join(notes)),
        )

    def _on(self, rest: str) -> None:
        sessions.current.enabled = True
        if settings.disabled():
            raise UsageError("%track on: TRACKBOOK_DISABLED is set, unset it first")
        _say("Trackbook is on")

    def _off(self, rest: str) -> None:
        sessions.current.close_all()
        sessions.current.enabled = False
        _say("Trackbook is off")

    def _wanted(self, word: str) -> ActiveRun:
        run = sessions.current.active()
        if run is None:
            raise UsageError(f"%track {word}: no run is open; %track start opens one")
        return run

    def _values(self, text: str, word: str) -> dict[str, Any]:
        found = list(_ASSIGNMENT.finditer(text))
        if not found or text[: found[0].start()].strip():
            raise UsageError(f"%track {word}: takes KEY=EXPRESSION ...")
        ends = [*(match.start() for match in found[1:]), len(text)]
        return {
            match[1]: self.shell.ev(text[match.end() : end].strip())
            for match, end in zip(found, ends, strict=True)
        }


SUBCOMMANDS: dict[str, Callable[[TrackMagics, str], None]] = {
    "": TrackMagics._status,
    "start": TrackMagics._start,
    "stop": TrackMagics._stop,
    "log": TrackMagics._log,
    "params": TrackMagics._params,
    "tag": TrackMagics._tag,
    "note": TrackMagics._note,
    "runs": TrackMagics._runs,
    "show": TrackMagics._show,
    "compare": TrackMagics._compare,
    "diff": TrackMagics._diff,
    "why": TrackMagics._why,
    "recipe": TrackMagics._recipe,
    "replay": TrackMagics._replay,
    "autolog": TrackMagics._autolog,
    "store": TrackMagics._store,
    "disk": TrackMagics._disk,
    "on": TrackMagics._on,
    "off": TrackMagics._off,
}
"""Word after ``%track`` to what it does; ``docs/magics.md`` documents each."""


class Lines:
    """What stands beneath a cell: a line for each run, one for all runs of a loop."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._shown = 0.0

    def progress(self, runs: Sequence[ActiveRun]) -> None:
        """Another of these runs has ended while the cell works on."""
        siblings = _siblings(runs, runs[-1].document["parent"])
        if len(siblings) > 1 and _in_kernel() and time.monotonic() - self._shown > _PAUSE_S:
            self._group(siblings, over=False)
            self._shown = time.monotonic()

    def over(self, runs: Sequence[ActiveRun]) -> None:
        """The cell has ended, and these runs in it or with it."""
        parents = dict.fromkeys(run.document["parent"] for run in runs)
        for siblings in [_siblings(runs, parent) for parent in parents]:
            if len(siblings) > 1:
                self._group(siblings, over=True)
            else:
                document = {**siblings[0].document, "summary": siblings[0].summary()}
                _publish(attempt.line_text(document), attempt.line_html(document))
        self._handle, self._shown = None, 0.0

    def _group(self, runs: Sequence[ActiveRun], *, over: bool) -> None:
        documents = [{**run.document, "summary": run.summary()} for run in runs]
        text = group.group_text(documents, over=over)
        if not _in_kernel():
            _publish(text, None)
            return
        bundle = {"text/plain": text, "text/html": group.group_html(documents, over=over)}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)
        if over:
            self._handle = None


def _panel_is_missing(shell: Any) -> bool:
    """Whether a Jupyter server started this kernel and no front end of ours speaks to it."""
    hooks = _hooks.get(id(shell))
    return (
        hooks is not None
        and _in_kernel()
        and "JPY_SESSION_NAME" in os.environ
        and "__vsc_ipynb_file__" not in shell.user_ns
        and not sessions.current.live.heard
        and time.monotonic() - hooks.loaded > _PATIENCE_S
    )


def _siblings(runs: Sequence[ActiveRun], parent: str | None) -> list[ActiveRun]:
    return [run for run in runs if run.document["parent"] == parent]


def _in_kernel() -> bool:
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")


def _costs(entry: Mapping[str, Any]) -> list[str]:
    costs = [f"{entry['ms']:.1f} ms"] if "ms" in entry else []
    return [*costs, formats.size(int(entry["bytes"]))] if "bytes" in entry else costs


def _say(text: str) -> None:
    _publish(text, None)


def _publish(text: str, rich: str | None) -> None:
    if not _in_kernel():
        # In a terminal a display is a print to stdout, which belongs to the user's code.
        print(text, file=sys.stderr)  # noqa: T201
        return
    bundle = {"text/plain": text}
    if rich is not None:
        bundle["text/html"] = rich
    display(bundle, raw=True)


_hooks: dict[int, CellHooks] = {}


def load(shell: Any) -> None:
    """``%load_ext trackbook``: the magics and the cell hooks."""
    if id(shell) in _hooks:
        return
    session = sessions.current
    session.user_namespace = shell.user_ns
    session.say = _say
    session.enabled = True
    hooks = CellHooks(shell, Lines())
    hooks.install()
    altair.show_offline()
    _hooks[id(shell)] = hooks
    shell.register_magics(TrackMagics)


def unload(shell: Any) -> None:
    """``%unload_ext trackbook``: end the open runs and take everything off again."""
    hooks = _hooks.pop(id(shell), None)
    if hooks is None:
        return
    from . import integrations

    hooks.remove()
    altair.undo()
    integrations.autolog(False)
    sessions.current.close_all()
    sessions.reset()
    shell.magics_manager.magics["line"].pop("track", None)
    shell.magics_manager.magics["cell"].pop("track", None)
