"""What a cell did to the namespace: names bound, changed and deleted, seen from before and after.

Within a budget of time. What was not looked at in time is told as untrusted, never as unchanged.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from ..syntax.expressions import EVERYTHING
from ..syntax.names import Names
from . import fingerprint, owncode
from .fingerprint import ATOMS, UNKNOWN, Fingerprint

_BEFORE_S = 0.006
_AFTER_S = 0.015
_ONE_S = 0.008
_WHOLE = 32 << 20
"""Bytes of arrays that are read whole for one name."""
_OURS = {"In", "Out", "_ih", "_oh", "_dh", "exit", "quit", "open", "get_ipython"}
_LASTS = {"_", "__", "___"}


@dataclass
class Seen:
    """What was seen of an execution, as its line tells it."""

    bound: set[str] = field(default_factory=set)
    mutated: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    untrusted: set[str] = field(default_factory=set)
    late: dict[str, list[str]] = field(default_factory=dict)
    """By name that is new or changed: the user's globals that functions in it read when called."""
    since: dict[str, int] = field(default_factory=dict)
    """By changed name: the first execution that may have changed it, where that is an earlier."""
    sampled: bool = False
    handles: set[str] | None = None
    """The paths of files that it may have written through open handles."""


@dataclass
class _Known:
    """A name as it was last looked at."""

    id: int
    print: Fingerprint
    order: int
    """The execution after which it was; 0 where it never was."""
    public: dict[str, int] | None = None
    """Of a module: its public names, by the objects they stand for."""


class Observer:
    """Compares the namespace before and after each execution."""

    def __init__(self, namespace: Mapping[str, Any], hidden: Iterable[str] = ()) -> None:
        self._namespace = namespace
        self._hidden = _OURS | set(hidden)
        self._known: dict[str, _Known] = {}
        self._order = 0
        self._turn = 0

    def begin(self, names: Names, order: int) -> None:
        """A cell with these names is about to run."""
        self._order = order
        until = time.perf_counter() + _BEFORE_S
        present = dict(self._present())
        for name in [name for name in self._known if name not in present]:
            del self._known[name]
        reached = self._reached(names)
        for name, value in present.items():
            known = self._known.get(name)
            if known is None or known.id != id(value):  # bound between cells
                known = self._known[name] = _Known(id(value), UNKNOWN, 0)
            if known.order == 0 and name in reached:
                self._look(known, value, until)
                known.order = order - 1 if known.order else 0

    def end(self, names: Names, ok: bool) -> Seen:
        """What the cell has done."""
        seen = Seen()
        until = time.perf_counter() + _AFTER_S
        present = dict(self._present())
        reached = self._reached(names)
        before = dict(self._known)
        seen.deleted = {name for name in before if name not in present}
        for name in seen.deleted:
            del self._known[name]
        for name, value in present.items():
            known = before.get(name)
            sure = ok and name in names.sure and name not in names.reads
            if known is None or known.id != id(value) or sure:
                seen.bound.add(name)
                self._known[name] = _Known(id(value), UNKNOWN, 0)
        first = [name for name in present if name in reached]
        others = [name for name in present if name not in reached]
        turn = self._turn % max(len(others), 1)
        self._turn += 1
        for name in (*first, *others[turn:], *others[:turn]):
            self._compare(name, present[name], name in reached, until, seen)
        self._spread(seen, before, reached)
        return seen

    # -- names --------------------------------------------------------------------------------

    def _present(self) -> Iterator[tuple[str, Any]]:
        for name, value in list(self._namespace.items()):
            if isinstance(name, str) and (
                name in _LASTS
                or not (name in self._hidden or (name[:1] == "_" and _OWN.match(name)))
            ):
                yield name, value

    def _reached(self, names: Names) -> set[str]:
        """The names that a cell may touch: those it reads, and what functions among them read."""
        found: set[str] = set()
        waiting = [*names.reads, *names.binds, *names.touched, *names.stores, *names.spoken]
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            found.add(name)
            if name == EVERYTHING:
                waiting += self._known
            known = self._known.get(name)
            if known is not None:
                waiting += known.print.late
        return found

    # -- values -------------------------------------------------------------------------------

    def _look(self, known: _Known, value: Any, until: float) -> None:
        if type(value) in ATOMS:
            known.print, known.order = Fingerprint(b""), self._order
        elif issubclass(type(value), ModuleType):
            known.print, known.order = Fingerprint(b""), self._order
            known.public = _public(value)
            if owncode.is_own(value):
                known.print = fingerprint.of(value, until, _WHOLE)
                known.order = self._order if known.print.digest is not None else 0
        else:
            now = time.perf_counter()
            if now < until:
                known.print = fingerprint.of(value, min(until, now + _ONE_S), _WHOLE)
                known.order = self._order if known.print.digest is not None else 0

    def _compare(self, name: str, value: Any, reached: bool, until: float, seen: Seen) -> None:
        known = self._known[name]
        old, public, since = known.print, known.public, known.order
        if name in seen.bound:
            self._look(known, value, until)
            if known.print.late:
                seen.late[name] = sorted(known.print.late)
            return
        if type(value) in ATOMS:
            return
        fresh = _Known(known.id, UNKNOWN, 0)
        self._look(fresh, value, until)
        if fresh.order == 0 or since == 0:
            # Nothing to compare, or no time: what could not be reached is looked at another time.
            if reached:
                seen.untrusted.add(name)
                self._known[name] = fresh
            elif since == 0:
                self._known[name] = fresh
            return
        self._known[name] = fresh
        if fresh.print.digest != old.digest or fresh.public != public:
            seen.mutated.add(name)
            seen.late[name] = sorted(fresh.print.late)
            if since < self._order - 1:
                seen.since[name] = since + 1

    def _spread(self, seen: Seen, before: Mapping[str, _Known], reached: set[str]) -> None:
        """What may have changed unseen in a name that was reached may have in all that hold it."""
        touched: set[int] = set()
        for name in reached:
            known = self._known.get(name)
            if known is None:
                continue
            leaves = known.print.opaque | known.print.sampled
            touched |= leaves
            seen.sampled |= bool(known.print.sampled)
            for look in (known, before.get(name)):  # it may have been closed meanwhile
                if look is not None and look.print.handles is not None:
                    seen.handles = (seen.handles or set()) | set(look.print.handles)
        if not touched:
            return
        for name, known in self._known.items():
            if name not in seen.bound and not touched.isdisjoint(
                known.print.opaque | known.print.sampled
            ):
                seen.untrusted.add(name)


_OWN = re.compile(r"_i+\d*\Z|__\w+__\Z|__vsc_\w+\Z")
"""IPython's ``_i3`` and ``_ii``, and what Python itself keeps in a module."""


def _public(module: ModuleType) -> dict[str, int]:
    held = ModuleType.__getattribute__(module, "__dict__")
    return {
        name: id(value)
        for name, value in list(held.items())
        if name[:1] != "_" and not issubclass(type(value), ModuleType)
    }
