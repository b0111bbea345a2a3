"""Tampered runs are never called reproduced.

Most of the tamperings change what a run recorded, and go through the real comparison and verdict
with the result of one real replay; the others change data, code, modules or the log on disk, and
are replayed in real kernels.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from replay.tampered import record

from trackbook.reading import Run
from trackbook.replay import judge, trial
from trackbook.replay.compare import compare
from trackbook.replay.recording import recipes
from trackbook.replay.trial import Shown
from trackbook.store import Points, Store


@dataclasses.dataclass
class Made:
    """A run as it was recorded, and a replay of it."""

    store: Store
    run: Run
    then: Shown
    now: Shown

    def verdict(self, then: Shown, changed: list[str] | None = None) -> str:
        """What the judge says of a run that recorded ``then`` when the replay gave ``now``."""
        found = recipes(self.store, self.run._document)
        setting = judge.setting_of(self.store, self.run._document, found.short, judge.Wishes(), {})
        ran = trial.Tried(found.short, trial.Ran(), shown=self.now, changed=changed or [])
        decided, _ = judge._Trials(setting, then, judge.Wishes(), _nobody)._verdict(ran)
        return decided.status


def _nobody(which: str, cell: int, of: int) -> None:
    pass


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """One session and one real replay of it."""
    run = record(tmp_path_factory.mktemp("tampered"))
    store, document = run._store, run._document
    found = recipes(store, document)
    setting = judge.setting_of(store, document, found.short, judge.Wishes(), {})
    tried = trial.attempt(setting, found.short, lambda index, of: None)
    assert tried.shown is not None, tried
    then = trial.shown_of(store, document)
    assert not compare(then, tried.shown)
    yield Made(store, run, then, tried.shown)


def test_what_was_not_tampered_with_is_reproduced(made: Made) -> None:
    assert made.verdict(made.then) == "reproduced"


# -- what the run recorded -------------------------------------------------------------------------

Tamper = Callable[[Shown], Shown]


def with_points(shown: Shown, key: str, **fields: Any) -> Shown:
    points = dict(shown.points)
    points[key] = points[key]._replace(**fields)
    return dataclasses.replace(shown, points=points)


def value_at(key: str, place: int, change: Callable[[float], float]) -> Tamper:
    def tamper(shown: Shown) -> Shown:
        values = np.array(shown.points[key].value)
        values[place] = change(float(values[place]))
        return with_points(shown, key, value=values)

    return tamper


def with_document(change: Callable[[dict[str, Any]], object]) -> Tamper:
    def tamper(shown: Shown) -> Shown:
        document = copy.deepcopy(dict(shown.document))
        change(document)
        return dataclasses.replace(shown, document=document)

    return tamper


def with_outputs(change: Callable[[list[dict[str, Any]]], object]) -> Tamper:
    def tamper(shown: Shown) -> Shown:
        outputs = copy.deepcopy([dict(output) for output in shown.outputs])
        change(outputs)
        return dataclasses.replace(shown, outputs=outputs)

    return tamper


CHANGES: dict[str, Callable[[float], float]] = {
    "a hundredth more": lambda x: x * 1.01 + 1e-6,
    "a millionth more": lambda x: x * (1 + 1e-6) + 1e-12,
    "negative": lambda x: -x - 1e-3,
    "nan": lambda x: float("nan"),
    "infinite": lambda x: float("inf"),
    "zero": lambda x: 0.0,
}


def tamperings() -> Iterator[tuple[str, Tamper]]:
    for place in range(25):
        for word, change in CHANGES.items():
            if place % 2 == 0 or word in ("a millionth more", "nan"):
                yield f"loss at {place} is {word}", value_at("loss", place, change)
    for key in ("acc", "total"):
        for word, change in CHANGES.items():
            yield f"{key} is {word}", value_at(key, 0, change)
        yield f"{key} was not there", _without(key)
        yield f"{key} has a twin", _twin(key)
    yield "loss is shorter", lambda s: with_points(s, "loss", **_cut(s.points["loss"], 24))
    yield "loss is empty", lambda s: with_points(s, "loss", **_cut(s.points["loss"], 0))
    for place in range(0, 25, 4):
        yield f"the step at {place} is another", _step_at(place)
    yield "loss is in another order", _reversed
    yield from ((f"param {word}", with_document(c)) for word, c in _params())
    yield from ((f"output {word}", with_outputs(c)) for word, c in _outputs())
    yield from ((f"data {word}", with_document(c)) for word, c in _data())
    yield (
        "it failed",
        with_document(
            lambda d: d.update(error={"type": "ValueError", "message": "x", "traceback": ""})
        ),
    )


def _without(key: str) -> Tamper:
    # What the replay logs and the run did not.
    return lambda s: dataclasses.replace(s, points={k: p for k, p in s.points.items() if k != key})


def _twin(key: str) -> Tamper:
    return lambda s: dataclasses.replace(s, points={**s.points, f"{key}2": s.points[key]})


def _cut(points: Points, length: int) -> dict[str, Any]:
    return {field: getattr(points, field)[:length] for field in ("step", "time", "value")}


def _step_at(place: int) -> Tamper:
    def tamper(shown: Shown) -> Shown:
        steps = np.array(shown.points["loss"].step)
        steps[place] += 1000
        return with_points(shown, "loss", step=steps)

    return tamper


def _reversed(shown: Shown) -> Shown:
    return with_points(shown, "loss", value=np.array(shown.points["loss"].value)[::-1])


def _params() -> Iterator[tuple[str, Callable[[dict[str, Any]], object]]]:
    values = [4, 3.0, 3.0000001, "3", None, True, [3], {"x": 3}]
    for value in values:
        yield f"depth is {value!r}", lambda d, v=value: d["params"].update(depth=v)
    for value in (0.51, 0.5000001, 5, "0.5", None, float("nan")):
        yield f"rate is {value!r}", lambda d, v=value: d["params"].update(rate=v)
    for value in ("Fine", "fine ", "", None, 1):
        yield f"name is {value!r}", lambda d, v=value: d["params"].update(name=v)
    for value in (False, 1, "True", None):
        yield f"flag is {value!r}", lambda d, v=value: d["params"].update(flag=v)
    for value in ({"width": 9, "layers": [4, 2]}, {"width": 8, "layers": [2, 4]}, {"width": 8}):
        yield f"config is {value!r}", lambda d, v=value: d["params"].update(config=v)
    yield "is new", lambda d: d["params"].update(another=1)
    for name in ("depth", "rate", "name", "flag", "config", "extra"):
        yield f"{name} is gone", lambda d, n=name: d["params"].pop(n)
    for value in (8, "7", None):
        yield f"extra is {value!r}", lambda d, v=value: d["params"].update(extra=v)


def _outputs() -> Iterator[tuple[str, Callable[[list[dict[str, Any]]], object]]]:
    def stream(outputs: list[dict[str, Any]]) -> dict[str, Any]:
        return next(o for o in outputs if o["output_type"] == "stream")

    def result(outputs: list[dict[str, Any]]) -> dict[str, Any]:
        return next(o for o in outputs if o["output_type"] == "execute_result")["data"]

    def image(outputs: list[dict[str, Any]]) -> dict[str, Any]:
        return next(o for o in outputs if "image/png" in o.get("data", {}))["data"]

    for old, new in (("depth is 3", "depth is 4"), ("total", "Total"), ("is", "was"), ("3", "3.")):
        yield (
            f"text {new}",
            lambda o, a=old, b=new: stream(o).update(text=stream(o)["text"].replace(a, b)),
        )
    yield "one line more", lambda o: stream(o).update(text=stream(o)["text"] + "and more\n")
    yield "one line less", lambda o: stream(o).update(text=stream(o)["text"].split("\n")[0])
    yield "no text", lambda o: o.remove(stream(o))
    yield "another value", lambda o: result(o).update({"text/plain": "0.123456"})
    yield (
        "value of more digits",
        lambda o: result(o).update({"text/plain": result(o)["text/plain"] + "1"}),
    )
    yield "no image", lambda o: o.remove(next(x for x in o if "image/png" in x.get("data", {})))
    yield (
        "an image more",
        lambda o: o.append({"output_type": "display_data", "data": dict(image(o)), "metadata": {}}),
    )
    for place in (10, 20, 40, 60):

        def flip(outputs: list[dict[str, Any]], at: int = place) -> None:
            data = image(outputs)
            text = str(data["image/png"])
            data["image/png"] = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]

        yield f"image pixel {place}", flip


def _data() -> Iterator[tuple[str, Callable[[dict[str, Any]], object]]]:
    def rows(document: dict[str, Any]) -> dict[str, Any]:
        return next(i for i in document["inputs"] if i["name"] == "rows")

    for end in "0123456789":
        yield (
            f"hash ends with {end}",
            lambda d, e=end: rows(d).update(hash=rows(d)["hash"][:-2] + "g" + e),
        )
    yield "another name", lambda d: rows(d).update(name="lines")
    yield "more data", lambda d: d["inputs"].append({**rows(d), "name": "more"})


TAMPERINGS = dict(tamperings())


@pytest.mark.parametrize("what", TAMPERINGS)
def test_a_tampered_record_is_not_reproduced(made: Made, what: str) -> None:
    then = TAMPERINGS[what](made.then)
    assert made.verdict(then) != "reproduced", what


@pytest.mark.parametrize(
    "what", ["input changed: data.csv", "code differs: helper.py", "input is gone: data.csv"]
)
def test_equal_numbers_from_other_data_or_code_are_not_reproduced(made: Made, what: str) -> None:
    assert made.verdict(made.then, changed=[what]) == "not determined"
