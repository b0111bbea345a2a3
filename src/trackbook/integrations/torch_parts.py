"""Which training an optimizer's step belongs to, and which modules that training has."""

from __future__ import annotations

import weakref
from typing import Any

from ..capture import fits
from ..capture import session as sessions
from . import torch_describe as describe
from . import torch_models as models
from . import torch_names as names
from .torch_loop import Loop, Part

Place = tuple[Part, Loop]


class Parts:
    """The optimizers that have made steps, for as long as they live."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[Any], Place]] = {}
        self._models: weakref.WeakKeyDictionary[Any, Loop] = weakref.WeakKeyDictionary()
        self._schedulers: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
        self._watch = models.ForwardWatch()
        self._awaited: set[int] = set()

    def known(self, optimizer: Any) -> Place | None:
        """Where its steps went."""
        entry = self._known.get(id(optimizer))
        return entry[1] if entry is not None and entry[0]() is optimizer else None

    def of(self, optimizer: Any) -> Place | None:
        """Where a step of it goes; None for the first one, or where a new run has begun."""
        found = self.known(optimizer)
        if found is None or not _goes_on(found[1]):
            return None
        if self._awaited and id(optimizer) in self._awaited:
            self._complete(optimizer, found[1])
        return found

    def loop_of(self, model: Any) -> Loop | None:
        """The training that a module is a model of."""
        return self._models.get(model)

    def clear(self) -> None:
        """Log what waits, and forget everything."""
        for _, (_, loop) in self._known.values():
            loop.catch_up()
        self._known.clear()
        self._watch.disarm()

    def schedule(self, optimizer: Any, name: str) -> None:
        """A scheduler of this class changes its learning rate."""
        if optimizer is None or self._schedulers.get(optimizer) == name:
            return
        self._schedulers[optimizer] = name
        found = self.known(optimizer)
        if found is not None:
            found[1].part_fact(found[0], "scheduler", name)

    # -- a first step ----------------------------------------------------------------------------

    def add(self, optimizer: Any, latest: Loop | None, has_loss: bool) -> Place | None:
        """A place for an optimizer that makes its first step; None while tracking is off.

        That is a part of the ``latest`` training of its thread or a training of its own.
        """
        loop = self._joined(optimizer, latest, has_loss) or _begun(optimizer)
        if loop is None:
            return None
        hyper, left_out = describe.hyper_parameters(optimizer)
        for note in left_out:
            loop.fit.note(note, "skipped")
        if optimizer in self._schedulers:
            hyper["scheduler"] = self._schedulers[optimizer]
        part = Part(_name(optimizer), hyper)
        loop.join(part)
        key = id(optimizer)
        ref = weakref.ref(optimizer, lambda _: self._known.pop(key, None))
        self._known[key] = (ref, (part, loop))
        self._meet_models(optimizer, loop)
        return part, loop

    def _joined(self, optimizer: Any, loop: Loop | None, has_loss: bool) -> Loop | None:
        """The training under way that the optimizer is a part of."""
        if loop is None or not _goes_on(loop) or not loop.run.open:
            return None
        held, _ = models.of(optimizer)
        inner = [describe.inner(model) for model, _ in held]
        if not has_loss or any(self._models.get(model) is loop for model in inner):
            return loop
        known = models.made.get(optimizer)
        before = known is None or known.serial <= loop.serial
        return loop if before and loop.is_young() else None

    def _meet_models(self, optimizer: Any, loop: Loop) -> None:
        held, whole = models.of(optimizer)
        for model, name in held:
            self._add_model(loop, model, name)
        if not whole and self._watch.arm():
            self._awaited.add(id(optimizer))
        elif not held:
            loop.lacks_model(optimizer)

    def _complete(self, optimizer: Any, loop: Loop) -> None:
        """The step after the first: modules were watched meanwhile."""
        found = self._watch.models_of(optimizer)
        for model, name in found:
            self._add_model(loop, model, name)
        if not found and not loop.models:
            loop.lacks_model(optimizer)
        self._awaited.discard(id(optimizer))
        if not self._awaited:
            self._watch.disarm()

    def _add_model(self, loop: Loop, model: Any, name: str | None) -> None:
        loop.add_model(model, name)
        for each in (model, describe.inner(model)):
            self._models[each] = loop


def _begun(optimizer: Any) -> Loop | None:
    held, _ = models.of(optimizer)
    inner = [type(describe.inner(model)).__name__ for model, _ in held]
    session = sessions.current
    home = _explicit()
    fit = fits.begin(inner[0] if inner else type(optimizer).__name__, lasts=True)
    if fit is None:
        return None
    loop = Loop(fit, models.Serial.last)
    loop.home, loop.cell = home, session.cell
    if home is not None:
        loop.attach(home)
    loop.codes = {id(frame.f_code): frame.f_code for frame in names.user_frames()}
    return loop


def _explicit() -> Any:
    """The active run, where the user has opened it."""
    session = sessions.current
    active = session.active()
    owned = session.cell.owned if session.cell is not None else session.owned
    return None if active in owned else active


def _goes_on(loop: Loop) -> bool:
    """Whether a further step belongs to the run of those before it."""
    session = sessions.current
    watch, turns, cell = loop.checked
    if watch is session.watch and turns == session.watch.turns and cell is session.cell:
        return True
    if not _belongs(loop):
        return False
    loop.checked = session.watch, session.watch.turns, session.cell
    return True


def _belongs(loop: Loop) -> bool:
    session = sessions.current
    if session.active() is loop.run:
        return True
    explicit, cell = _explicit(), session.cell
    if explicit is not None:
        return explicit is loop.home
    if cell is loop.cell:
        return loop.home is None
    # Another cell goes on with the training; its own cell, executed again, begins anew.
    return cell is not None and loop.cell is not None and cell.key != loop.cell.key


def _name(optimizer: Any) -> str:
    known = models.made.get(optimizer)
    made = known.name if known is not None else None
    return made or names.stepped_name() or "optimizer"
