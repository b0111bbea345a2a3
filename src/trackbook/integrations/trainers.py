"""A training that calls code of the user's: what that logs or fits meanwhile is part of it."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from ..capture import fits, outermost
from ..capture import session as sessions
from .quiet import quiet


class Training:
    """The outermost fit for as long as it is entered; ``fit`` takes its values."""

    def __init__(self, running: outermost.Running, fit: fits.Fit) -> None:
        self.running = running
        self.fit = fit
        self.error: BaseException | None = None
        """The user's exception that ended it."""
        self._quiet = quiet()

    def __enter__(self) -> Self:
        self._quiet.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._quiet.__exit__(None, None, None)
        outermost.leave()
        if inner := self.running.inner:
            self.fit.note(f"{inner} inner fit{'s' * (inner > 1)} folded into {self.fit.name}")
        self.fit.finish(self.error)
        session = sessions.current
        if session.cell is None and self.fit.run in session.owned:
            session.owned.remove(self.fit.run)
            if self.error is None:
                self.fit.run.end()
            else:
                self.fit.run.fail(self.error)


def begin(model: Any, name: str) -> Training | None:
    """The training that begins; None inside another fit, and while tracking is off."""
    running = outermost.enter(model)
    if running is None:
        return None
    fit = running.fit = fits.begin(name, lasts=True)
    if fit is None:
        outermost.leave()
        return None
    return Training(running, fit)
