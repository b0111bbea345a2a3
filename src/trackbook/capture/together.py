"""Metrics that are always logged together have one step among them, and are packed in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Keys = tuple[str, ...]
# Keys that are as often logged alone gain nothing.
_MOST_SPLITS = 3


class Group:
    """Some keys of a run; ``put(step, time, values)`` logs a point of each."""

    __slots__ = ("keys", "last", "put")

    def __init__(
        self, keys: Keys, put: Callable[[int, float, Iterable[float]], None], last: int
    ) -> None:
        self.keys = keys
        self.put = put
        self.last = last


class Groups:
    """The groups of a run. A key's last step is either in ``steps`` or in its group."""

    def __init__(self, steps: dict[str, int]) -> None:
        self.known: dict[Keys, Group] = {}
        self._steps = steps
        self._of_key: dict[str, Group] = {}
        self._splits: dict[Keys, int] = {}

    def form(
        self, keys: Keys, row: Callable[[Keys], Callable[[int, float, Iterable[float]], None]]
    ) -> None:
        """Make keys a group where they are at one step; ``row`` gives what logs them."""
        steps = {self._steps.get(key) for key in keys}
        (last, *others) = steps
        if len(keys) < 2 or others or last is None or self._splits.get(keys, 0) > _MOST_SPLITS:
            return
        group = self.known[keys] = Group(keys, row(keys), last)
        for key in keys:
            self._of_key[key] = group
            del self._steps[key]

    def split(self, key: str) -> bool:
        """End the group of a key that is logged without the others; False where it has none."""
        group = self._of_key.get(key)
        if group is None:
            return False
        self._splits[group.keys] = self._splits.get(group.keys, 0) + 1
        del self.known[group.keys]
        for each in group.keys:
            self._steps[each] = group.last
            del self._of_key[each]
        return True
