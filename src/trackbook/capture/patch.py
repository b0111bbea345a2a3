"""Wrapping functions of other libraries: guarded, and reversible to the very objects."""

from __future__ import annotations

import functools
import inspect
import operator
import time
import types
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Self

from ..errors import warn

_MISSING = object()
_OURS = __name__.partition(".")[0] + "."
# Warnings that name their caller (``stacklevel=2``) look past frames of files called so.
_PASSED_OVER = f"<{__name__} importlib._bootstrap>"

Wrapper = Callable[..., Any]


@dataclass(frozen=True)
class Outcome:
    """How a wrapped call ended: what it returned, or the user's exception."""

    result: Any
    error: BaseException | None
    seconds: float


@dataclass(frozen=True)
class Arguments:
    """What a hook may yield: the call is made with these instead, with a callback of ours added."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


Steps = Generator[Any, Outcome, None]
"""A hook: what stands before its one ``yield`` is done before the call, the rest after it.

It yields nothing, or the ``Arguments`` to call with."""

Hook = Callable[..., Steps]


class Guard:
    """Keeps faults of ours away from the user: the first is one warning, then the guard is shut."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.shut = False

    def run(self, step: Callable[..., Any], *args: Any) -> Any:
        """The result of a step of ours; None where it failed or an earlier one did."""
        if self.shut:
            return None
        try:
            return step(*args)
        except Exception as problem:  # noqa: BLE001 - a tracker never breaks the user's call
            self.shut = True
            message = f"Trackbook stopped tracking {self.what}: {type(problem).__name__}: {problem}"
        warn(message)
        return None


class Unseen:
    """``with UNSEEN:`` around a call of the user's: what it raises shows no frame of ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is not None:
            error.__traceback__ = _beyond_us(trace)


UNSEEN = Unseen()


def _beyond_us(trace: types.TracebackType | None) -> types.TracebackType | None:
    # Python adds a frame when an exception leaves it by itself, not when it is raised again.
    while trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith(_OURS):
        trace = trace.tb_next
    return trace


def guarded(hook: Hook, what: str) -> Callable[[Wrapper], Wrapper]:
    """A maker of wrappers that run ``hook(*args, **kwargs)`` around a call.

    The call gets the arguments, unless the hook yields others, and gives the result or exception
    as without us.
    """
    guard = Guard(what)

    def make(call: Wrapper) -> Wrapper:
        @functools.wraps(call)
        @_passed_over
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with _Around(guard, hook, args, kwargs) as around, UNSEEN:
                around.result = call(*around.args, **around.kwargs)
            return around.result

        return wrapper

    return make


def _passed_over(function: Any) -> Wrapper:
    """The function, with a frame that a warning of its callee does not take for its caller."""
    function.__code__ = function.__code__.replace(co_filename=_PASSED_OVER)
    return function  # type: ignore[no-any-return]


class _Around:
    def __init__(
        self, guard: Guard, hook: Hook, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.result: Any = None
        self.args, self.kwargs = args, kwargs
        self._guard = guard
        self._steps: Steps | None = guard.run(self._begin, hook)
        self._started = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if self._steps is not None:
            seconds = time.perf_counter() - self._started
            self._guard.run(_finish, self._steps, Outcome(self.result, error, seconds))

    def _begin(self, hook: Hook) -> Steps | None:
        """The hook at its ``yield``; None where it has nothing to do after the call."""
        try:
            steps = hook(*self.args, **self.kwargs)
        except TypeError:
            return None  # arguments that do not fit, as the call itself will say
        given = next(steps, _MISSING)
        if isinstance(given, Arguments):
            self.args, self.kwargs = given.args, given.kwargs
        return steps if given is not _MISSING else None


def _finish(steps: Steps, outcome: Outcome) -> None:
    try:
        steps.send(outcome)
    except StopIteration:
        return
    steps.close()


class Patches:
    """Wrappers that were put in place, to be taken out again in reverse order."""

    def __init__(self) -> None:
        self._done: list[tuple[Any, str, Any, Any]] = []
        self.active = True
        """False once everything was taken out; wrappers that somebody holds then do nothing."""
        self._last: list[Callable[[], object]] = []

    def wrap(self, owner: Any, name: str, make: Callable[[Wrapper], Wrapper]) -> None:
        """Put ``make(original)`` in the place of an attribute of a class or module.

        An inherited method is wrapped on ``owner`` alone. Class methods, static methods and other
        descriptors (also those that hide a method from some instances) stay what they are.
        """
        original = vars(owner).get(name, _MISSING)
        found = inspect.getattr_static(owner, name) if original is _MISSING else original
        replacement = _replacement(found, make) if isinstance(owner, type) else make(found)
        self._put(owner, name, original, replacement)

    def replace(self, owner: Any, name: str, make: Callable[[Wrapper], Wrapper]) -> None:
        """Put ``make(original)`` in the place of a function of a class as it is.

        For functions that compilers trace, which know no descriptors of ours.
        """
        original = vars(owner)[name]
        self._put(owner, name, original, make(original))

    def _put(self, owner: Any, name: str, original: Any, replacement: Any) -> None:
        setattr(owner, name, replacement)
        self._done.append((owner, name, original, replacement))

    def also(self, undo: Callable[[], object]) -> None:
        """Call ``undo`` too when the wrappers go, such as to remove an official hook."""
        self._last.append(undo)

    def undo(self) -> None:
        """Restore the originals; what somebody else has replaced meanwhile stays theirs."""
        self.active = False
        while self._last:
            self._last.pop()()
        while self._done:
            owner, name, original, replacement = self._done.pop()
            if vars(owner).get(name, _MISSING) is not replacement:
                continue
            if original is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, original)


def _replacement(found: Any, make: Callable[[Wrapper], Wrapper]) -> Any:
    if isinstance(found, (classmethod, staticmethod)):
        return type(found)(make(found.__func__))
    if isinstance(found, types.FunctionType):
        return _Method(found, make(found))

    # A descriptor, such as scikit-learn's available_if, decides anew for each instance.
    @_passed_over
    def call(instance: Any, *args: Any, **kwargs: Any) -> Any:
        return found.__get__(instance, type(instance))(*args, **kwargs)

    functools.update_wrapper(call, getattr(found, "fn", found))
    return _Method(found, make(call))


class _Method:
    """The wrapper of a method. A class that is pickled by value takes its original along."""

    def __init__(self, original: Any, wrapper: Wrapper) -> None:
        self._original = original
        self._wrapper = wrapper

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if not isinstance(self._original, types.FunctionType):
            self._original.__get__(instance, owner)  # raises where the instance has no such method
        return self._wrapper if instance is None else types.MethodType(self._wrapper, instance)

    def __reduce__(self) -> tuple[Any, ...]:
        return operator.getitem, ([self._original], 0)
