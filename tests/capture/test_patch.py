"""Wrapping other libraries: the user's call is as without us, and every original comes back."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from trackbook.capture.patch import Arguments, Guard, Outcome, Patches, Steps, guarded
from trackbook.errors import TrackbookWarning


class Library:
    def method(self, x: int, *, y: int = 2) -> int:
        """Adds."""
        if x < 0:
            raise LookupError("negative")
        return x + y

    @classmethod
    def of_class(cls, x: int) -> str:
        return f"{cls.__name__}{x}"

    @staticmethod
    def static(x: int) -> int:
        return x * 2


class Child(Library):
    pass


def recording(seen: list[Any]) -> Any:
    def hook(*args: Any, **kwargs: Any) -> Steps:
        seen.append((args, kwargs))
        outcome: Outcome = yield
        seen.append(outcome.error if outcome.error is not None else outcome.result)

    return guarded(hook, "the library")


def test_a_hook_sees_arguments_and_result() -> None:
    patches, seen, thing = Patches(), [], Library()  # type: ignore[var-annotated]
    patches.wrap(Library, "method", recording(seen))
    assert thing.method(1, y=5) == 6
    patches.undo()
    assert thing.method(1) == 3
    assert seen == [((thing, 1), {"y": 5}), 6]


def test_arguments_that_do_not_fit_are_refused_by_the_call_itself() -> None:
    def hook(thing: Any, x: int, **_: Any) -> Steps:
        yield

    patches = Patches()
    patches.wrap(Library, "method", guarded(hook, "the library"))
    for call in (lambda: Library().method(), lambda: Library().method(1, 2, 3)):  # type: ignore
        with pytest.raises(TypeError, match="method"):
            call()
    assert Library().method(1) == 3
    patches.undo()


def test_a_hook_may_give_the_call_other_arguments() -> None:
    def hook(thing: Any, x: int, **kwargs: Any) -> Steps:
        yield Arguments((thing, x), {**kwargs, "y": 10})

    patches = Patches()
    patches.wrap(Library, "method", guarded(hook, "the library"))
    assert Library().method(1) == 11
    patches.undo()
    assert Library().method(1) == 3


@pytest.mark.parametrize("name", ["method", "of_class", "static"])
def test_undo_restores_the_very_object(name: str) -> None:
    before = vars(Library)[name]
    patches = Patches()
    patches.wrap(Library, name, recording([]))
    assert vars(Library)[name] is not before
    patches.undo()
    assert vars(Library)[name] is before


def test_class_methods_and_static_methods_stay_what_they_are() -> None:
    patches, seen = Patches(), []  # type: ignore[var-annotated]
    patches.wrap(Library, "of_class", recording(seen))
    patches.wrap(Library, "static", recording(seen))
    assert (Child.of_class(1), Child().of_class(2)) == ("Child1", "Child2")
    assert (Library.static(2), Library().static(3)) == (4, 6)
    patches.undo()
    assert seen == [
        ((Child, 1), {}), "Child1", ((Child, 2), {}), "Child2", ((2,), {}), 4, ((3,), {}), 6
    ]  # fmt: skip


def test_an_inherited_method_is_wrapped_on_the_child_alone() -> None:
    patches, seen = Patches(), []  # type: ignore[var-annotated]
    patches.wrap(Child, "method", recording(seen))
    assert Library().method(1) == 3
    assert seen == []
    assert Child().method(1) == 3
    assert len(seen) == 2
    patches.undo()
    assert "method" not in vars(Child)


def test_wrapping_twice_is_undone_in_order() -> None:
    before, seen, patches = vars(Library)["method"], [], Patches()  # type: ignore[var-annotated]
    patches.wrap(Library, "method", recording(seen))
    patches.wrap(Library, "method", recording(seen))
    assert Library().method(1) == 3
    assert len(seen) == 4
    patches.undo()
    assert vars(Library)["method"] is before


def test_what_others_put_in_our_place_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Library, "method", vars(Library)["method"])
    patches = Patches()
    patches.wrap(Library, "method", recording([]))
    Library.method = theirs = lambda self, x, *, y=2: 7  # type: ignore[method-assign]
    patches.undo()
    assert vars(Library)["method"] is theirs


def test_a_function_of_a_module_is_wrapped() -> None:
    import textwrap

    before, seen, patches = textwrap.dedent, [], Patches()  # type: ignore[var-annotated]
    patches.wrap(textwrap, "dedent", recording(seen))
    assert pickle.loads(pickle.dumps(textwrap.dedent)) is textwrap.dedent
    assert textwrap.dedent(" a") == "a"
    patches.undo()
    assert textwrap.dedent is before
    assert seen == [((" a",), {}), "a"]


def test_signature_doc_and_name_show_the_original() -> None:
    signature = inspect.signature(Library.method)
    patches = Patches()
    patches.wrap(Library, "method", recording([]))
    try:
        assert inspect.signature(Library.method) == signature
        assert inspect.isfunction(Library.method)
        assert (Library.method.__doc__, Library.method.__name__) == ("Adds.", "method")
        assert "Adds" in inspect.getsource(Library.method)
    finally:
        patches.undo()


def test_the_users_exception_passes_untouched() -> None:
    patches, seen = Patches(), []  # type: ignore[var-annotated]
    patches.wrap(Library, "method", recording(seen))
    try:
        with pytest.raises(LookupError) as caught:
            Library().method(-1)
    finally:
        patches.undo()
    assert seen[1] is caught.value
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert [frame.f_code.co_name for frame in frames] == [
        "test_the_users_exception_passes_untouched",
        "method",
    ]


def test_an_exception_that_its_own_hook_raises_again_has_no_frame_of_ours_either() -> None:
    """Nested wrappers, a descriptor among them, and the traceback printed as Python does."""

    class Nested:
        @OnlyOn
        def score(self, x: int) -> float:
            return self.outer(x)

        on = True

        def outer(self, x: int) -> float:
            return 1 / x

    patches = Patches()
    patches.wrap(Nested, "score", recording([]))
    patches.wrap(Nested, "outer", recording([]))
    patches.wrap(Nested, "outer", recording([]))
    try:
        Nested().score(0)
    except ZeroDivisionError as error:
        names = [frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)]
        assert "trackbook/capture" not in traceback.format_exc()
    assert names == [
        "test_an_exception_that_its_own_hook_raises_again_has_no_frame_of_ours_either",
        "score",
        "outer",
    ]
    patches.undo()


def test_a_function_of_c_may_fail_too() -> None:
    with pytest.raises(TypeError) as caught:
        recording([])(len)(3)
    names = [frame.f_code.co_name for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert names == ["test_a_function_of_c_may_fail_too"]


def test_a_warning_that_names_its_caller_names_the_same_line(
    recwarn: pytest.WarningsRecorder,
) -> None:
    def warning() -> None:
        warnings.warn("old", DeprecationWarning, stacklevel=2)

    recording([])(warning)()
    (told,) = recwarn.list
    assert told.filename == __file__


def test_where_all_warnings_are_errors_ours_is_a_line_on_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(x: int) -> Steps:
        yield
        raise OSError("ours")

    with warnings.catch_warnings():
        warnings.resetwarnings()
        warnings.simplefilter("error")
        assert guarded(broken, "doubling")(lambda x: x * 2)(2) == 4
    assert capsys.readouterr() == ("", "Trackbook stopped tracking doubling: OSError: ours\n")


def test_keyboard_interrupt_passes_and_reaches_the_hook() -> None:
    seen: list[Any] = []

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recording(seen)(interrupted)()
    assert isinstance(seen[1], KeyboardInterrupt)


@pytest.mark.parametrize("when", ["before", "after"])
def test_our_fault_is_one_warning_and_then_the_hook_is_off(when: str) -> None:
    calls = []

    def broken(x: int) -> Steps:
        calls.append(when)
        if when == "before":
            raise OSError("ours")
        yield
        raise OSError("ours")

    double = guarded(broken, "doubling")(lambda x: x * 2)
    with pytest.warns(TrackbookWarning, match="stopped tracking doubling: OSError: ours"):
        assert double(2) == 4
    with warnings.catch_warnings(record=True) as later:
        assert double(3) == 6
    assert (calls, later) == ([when], [])


def test_our_fault_does_not_hide_the_users_exception() -> None:
    def broken() -> Steps:
        yield
        raise OSError("ours")

    def theirs() -> None:
        raise LookupError("theirs")

    with (
        pytest.warns(TrackbookWarning, match="ours"),
        pytest.raises(LookupError, match="theirs") as caught,
    ):
        guarded(broken, "it")(theirs)()
    assert caught.value.__context__ is None


def test_a_hook_may_have_nothing_to_do() -> None:
    def idle(x: int) -> Steps:
        if x > 0:
            return
        yield

    assert guarded(idle, "it")(abs)(3) == 3


def test_a_guard_gives_the_result_of_a_step() -> None:
    assert Guard("it").run(max, 1, 2) == 2


class OnlyOn:
    """As scikit-learn's ``available_if``."""

    def __init__(self, function: Any) -> None:
        self.fn = function

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is not None and not instance.on:
            raise AttributeError("not on")
        return self.fn if instance is None else self.fn.__get__(instance, owner)


class Switched:
    def __init__(self, on: bool) -> None:
        self.on = on

    @OnlyOn
    def score(self, x: int) -> int:
        return x + 1


def test_a_descriptor_still_hides_the_method_from_some_instances() -> None:
    before, seen, patches = vars(Switched)["score"], [], Patches()  # type: ignore[var-annotated]
    patches.wrap(Switched, "score", recording(seen))
    assert Switched(True).score(1) == 2
    assert not hasattr(Switched(False), "score")
    assert list(inspect.signature(Switched(True).score).parameters) == ["x"]
    patches.undo()
    assert vars(Switched)["score"] is before
    assert seen[1] == 2


def test_a_class_pickled_by_value_goes_to_workers_without_us(tmp_path: Path) -> None:
    class OfTheNotebook:
        def method(self, x: int) -> int:
            return x + 1

    patches, file = Patches(), tmp_path / "thing.pickle"
    patches.wrap(OfTheNotebook, "method", recording([]))
    file.write_bytes(cloudpickle.dumps(OfTheNotebook()))
    worker = "import pickle, sys; thing = pickle.load(open(sys.argv[1], 'rb')); "
    worker += "print(thing.method(1), 'trackbook' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", worker, str(file)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["2", "False"]
