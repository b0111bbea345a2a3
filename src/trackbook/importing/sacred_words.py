"""Sacred's documents in our words, whichever of its observers wrote them."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

from ..errors import InvalidValue, StoreError
from ..jsonable import to_plain
from ..model import flatten
from ..store.whole import Point
from .foreign import mapping, sequence, word
from .origin import Content, moment, moment_or_none

TITLE = "Sacred"
STATES = {"COMPLETED": "finished", "FAILED": "failed", "RUNNING": "running"}
_STEP_MAX = 2**63 - 1


def seconds(text: Any) -> Any:
    """A time as Sacred writes it (ISO, UTC without saying so) as seconds; None for what is none."""
    try:
        time = datetime.datetime.fromisoformat(text)
        if time.tzinfo is None:
            time = time.replace(tzinfo=datetime.UTC)
        return time.timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def started(entry: dict[str, Any], what: str) -> float:
    """When the run started; raises ``StoreError`` for one that never did."""
    if entry.get("status") == "QUEUED":
        raise StoreError(f"{what} was queued and never started")
    return moment(seconds(entry.get("start_time")), f"{what}: start_time")


def translate(entry: dict[str, Any], config: Any, begun: float) -> Content:
    """What the document of a run tells, but for metrics, files and console text."""
    experiment, host = mapping(entry.get("experiment")), mapping(entry.get("host"))
    name = word(experiment.get("name")) or "sacred"
    status = word(entry.get("status"))
    content = Content(
        name=name,
        experiment=name,
        # Sacred lets a program name its own ways of being interrupted.
        status=STATES.get(status, "interrupted"),
        started=begun,
        ended=moment_or_none(seconds(entry.get("stop_time"))),
        series=word(entry.get("command")),
        host=word(host.get("hostname")),
        params={key: plain(value) for key, value in mapping(config).items()},
        note=word(mapping(entry.get("meta")).get("comment")),
        notebook=word(experiment.get("mainfile")),
        git=_git(sequence(experiment.get("repositories"))),
        env=_env(entry, host, experiment),
        error=_error(sequence(entry.get("fail_trace"))),
    )
    if status not in STATES and status != "INTERRUPTED":
        content.tags["sacred.status"] = status
    return content


def plain(value: Any) -> Any:
    """A value of a config as data: what jsonpickle only wrapped is unwrapped, nothing is built."""
    found = _unwrapped(value, 0)
    try:
        # As deep as it will stand in the document, where there is a limit.
        to_plain({"run": {"params": {"value": found}}})
        return found
    except InvalidValue:
        return json.dumps(value)


def _unwrapped(value: Any, depth: int) -> Any:
    if depth > 60:
        return None
    if isinstance(value, list):
        return [_unwrapped(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    for key in ("py/tuple", "py/set"):
        if value.keys() == {key}:
            return _unwrapped(value[key], depth + 1)
    if word(value.get("py/object")).startswith("numpy."):
        for key in ("values", "value"):
            if key in value:
                return _unwrapped(value[key], depth + 1)
    return {key: _unwrapped(item, depth + 1) for key, item in value.items()}


def metrics(entries: dict[str, Any], gaps: dict[str, str]) -> Iterator[Point]:
    """The points of ``{name: {steps, timestamps, values}}``."""
    for key, entry in entries.items():
        columns = [sequence(mapping(entry).get(k)) for k in ("steps", "timestamps", "values")]
        damaged = max(map(len, columns)) - min(map(len, columns))
        for raw_step, raw_time, raw_value in zip(*columns, strict=False):
            step, time, value = number(raw_step), seconds(raw_time), number(raw_value)
            if time is None or value is None or step != step or abs(step or 0) > _STEP_MAX:
                damaged += 1
            else:
                yield key, int(step or 0), time, float(value)
        if damaged:
            gaps[f"metric {key}"] = f"{damaged} of its points are damaged"


def results(entry: dict[str, Any], at: float) -> Iterator[Point]:
    """The numbers that the run returned, as metrics ``result`` or ``result.<key>``."""
    found = plain(entry.get("result"))
    flat = flatten({"result": found})
    for key, raw in flat.items():
        value = number(raw)
        if value is not None:
            yield key, 0, at, float(value)


def number(value: Any) -> int | float | None:
    """A number that fits a float, also one that jsonpickle wrapped; None for anything else."""
    found = _unwrapped(value, 0)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return found if isinstance(found, float) or abs(found) < 1 << 1000 else None


def _git(repositories: list[Any]) -> dict[str, Any] | None:
    for entry in repositories:
        repository = mapping(entry)
        if word(repository.get("commit")):
            dirty = repository.get("dirty")
            return {
                "commit": repository["commit"],
                "branch": None,
                "dirty": dirty if isinstance(dirty, bool) else None,
                "remote": word(repository.get("url")) or None,
            }
    return None


def _env(entry: dict[str, Any], host: dict[str, Any], experiment: dict[str, Any]) -> dict[str, Any]:
    system = sequence(host.get("os"))
    packages = (word(line).split("==") for line in sequence(experiment.get("dependencies")))
    facts = {
        "python": word(host.get("python_version")),
        "platform": word(system[1]) if len(system) > 1 else "",
        "cpu": word(host.get("cpu")),
        "command": word(entry.get("command")),
        "packages": {parts[0]: parts[1] for parts in packages if len(parts) == 2},
    }
    return {key: value for key, value in facts.items() if value}


def _error(trace: list[Any]) -> dict[str, str] | None:
    lines = [word(line) for line in trace]
    if not any(lines):
        return None
    # The last entry is ``package.Type: message``, of several lines where the message is.
    last = next((line for line in reversed(lines) if line.strip()), "")
    kind, _, message = last.strip().partition(": ")
    return {
        "type": kind.rpartition(".")[2] or "Exception",
        "message": message,
        "traceback": "".join(lines)[-20_000:],
    }
