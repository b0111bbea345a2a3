"""What is noted while runs are open: what they print, and how the machine fares."""

from __future__ import annotations

from collections.abc import Callable

from .console import Console, Stack
from .live import ActiveRun
from .system import Sampler


class Watch:
    """The console and the sampler; see ``Console`` for the arguments."""

    def __init__(
        self, stack: Callable[[], Stack], heard_by: Callable[[Stack], ActiveRun | None]
    ) -> None:
        self.console = Console(stack, heard_by)
        self._sampler = Sampler()
        self.turns = 0
        """Counts what may change which run is active: a run begins or ends."""

    def opened(self, run: ActiveRun) -> None:
        """A run has begun."""
        self.turns += 1
        self.console.opened(run)
        self._sampler.opened(run)

    def ended(self, run: ActiveRun) -> None:
        """A run is about to end."""
        self.turns += 1
        self._sampler.ended(run)
        self.console.ended(run)

    def let_go(self) -> None:
        """Leave everything as it was."""
        self._sampler.let_go()
        self.console.let_go()
