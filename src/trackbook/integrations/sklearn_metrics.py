"""``sklearn.metrics``: what is computed from a model's predictions goes to the model's run.

A number is a metric, ``test_accuracy_score`` where the truth came from ``y_test``. Matrices,
reports and curves are kept as plain data.
"""

from __future__ import annotations

import functools
import inspect
import operator
import re
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

from sklearn import metrics
from sklearn.utils.multiclass import unique_labels

from ..capture import fitmodels, outermost, plainvalues, predictions
from ..capture import session as sessions
from ..capture.fits import Fit
from ..capture.patch import UNSEEN, Patches, Steps, guarded
from . import callers, callsite
from . import sklearn_values as values

# What the first argument of a function that judges a model is called.
_TRUTHS = {"y_true", "labels_true", "X"}
_PREDICTED = {"labels", "labels_pred", "pred_decision", "probas_pred"}
_PREDICTION = re.compile(r"pred|prob|(^|_)hat")
_PARTS = {
    "precision_recall_fscore_support": ["precision", "recall", "fscore", "support"],
    "precision_recall_curve": ["precision", "recall", "thresholds"],
    "roc_curve": ["fpr", "tpr", "thresholds"],
    "det_curve": ["fpr", "fnr", "thresholds"],
    "homogeneity_completeness_v_measure": ["homogeneity", "completeness", "v_measure"],
    "class_likelihood_ratios": ["positive", "negative"],
}
_MOST_POINTS = 1000
_MISSING = object()

_variants: weakref.WeakKeyDictionary[Fit, dict[str, Any]] = weakref.WeakKeyDictionary()


def install(patches: Patches) -> None:
    """Wrap the functions where people find them: in the package, and where they imported them."""
    wrappers: dict[Any, Any] = {}
    for name in metrics.__all__:
        function: Any = getattr(metrics, name, None)
        names = _first_two(function)
        if names is not None:
            hook = functools.partial(_around_metric, patches, name, names)
            wrappers[function] = _Function(function, guarded(hook, "sklearn.metrics")(function))
            patches.wrap(metrics, name, wrappers.__getitem__)
    for module, name, function in _imported(wrappers):
        setattr(module, name, wrappers[function])
    originals = {wrapper: function for function, wrapper in wrappers.items()}

    def give_back() -> None:
        for module, name, wrapper in _imported(originals):
            setattr(module, name, originals[wrapper])

    patches.also(give_back)


class _Function:
    """A function of theirs that is watched; pickled, such as in a scorer, it is the original."""

    def __init__(self, original: Callable[..., Any], watched: Callable[..., Any]) -> None:
        functools.update_wrapper(self, original)
        self.__call = watched

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        with UNSEEN:
            return self.__call(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return operator.getitem, ([self.__wrapped__], 0)  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return repr(self.__wrapped__)  # type: ignore[attr-defined]


def _imported(functions: Mapping[Any, Any]) -> Iterator[tuple[ModuleType, str, Any]]:
    """Where the user's own modules, the notebook among them, hold some of these functions."""
    ids = {id(function) for function in functions}
    for module in list(sys.modules.values()):
        if isinstance(module, ModuleType) and callers.is_users(module):
            for name, value in list(vars(module).items()):
                if id(value) in ids:
                    yield module, name, value


def _first_two(function: Any) -> tuple[str, str] | None:
    """The names of truth and prediction; None for a function that judges no model."""
    if not isinstance(function, FunctionType):
        return None
    names = inspect.unwrap(function).__code__.co_varnames[:2]
    if len(names) < 2 or names[0] not in _TRUTHS:
        return None
    judges = names[1].startswith("y_") or names[1] in _PREDICTED
    return (names[0], names[1]) if judges else None


def _around_metric(
    patches: Patches, name: str, names: tuple[str, str], *args: Any, **kwargs: Any
) -> Steps:
    if not patches.active or not sessions.current.is_on() or not outermost.is_here():
        return
    if outermost.running() is not None or callers.library():
        return
    outcome = yield
    frame = next(callers.frames(), None)
    if outcome.error is not None or frame is None:
        return
    named = [*zip(names, args, strict=False), *kwargs.items()]
    given = {key: value for key, value in named if key in names}
    if len(given) < 2:
        return
    truth, predicted = given[names[0]], given[names[1]]
    source = predictions.source_of(truth, predicted)
    if source.fit is None:
        return
    call = callsite.call_of(frame)
    written = [callsite.argument(call, place, names[place]) for place in (0, 1)]
    swapped = source.swapped or _looks_swapped(*map(callsite.names_in, written))
    split = values.split_of(callsite.names_in(written[swapped]))
    split = split or values.split_of(callsite.names_of([predicted if swapped else truth], frame))
    options = {key: value for key, value in kwargs.items() if key not in names}
    key = _key(source.fit, f"{split}{name}", options)
    if swapped:
        source.fit.note(f"{key}: the predictions were given first, the truth second")
    if source.guessed:
        source.fit.note(f"{key}: guessed to be of the last fit; no known predictions fit to it")
    _keep(source.fit, key, outcome.result, options.get("labels"), (truth, predicted))
    fitmodels.scored(source.fit)


def _looks_swapped(first: list[str], second: list[str]) -> bool:
    predicted = any(_PREDICTION.search(name.lower()) for name in first)
    return predicted and not any(_PREDICTION.search(name.lower()) for name in second)


def _key(fit: Fit, key: str, options: Mapping[str, Any]) -> str:
    """The metric's name; other options than the first time are part of it."""
    plain = {k: v for k, v in options.items() if isinstance(v, (str, int, float))}
    first = _variants.setdefault(fit, {}).setdefault(key, plain)
    new = [(k, v) for k, v in plain.items() if first.get(k, _MISSING) != v]
    parts = [v if isinstance(v, str) else f"{k}={v}" for k, v in new]
    if not parts and plain != first:
        parts = ["default"]
    return "_".join([key, *parts])


def _keep(fit: Fit, key: str, result: Any, labels: Any, given: tuple[Any, Any]) -> None:
    number = plainvalues.number(result)
    if number is not None:
        fit.log_metrics({key: number})
    elif isinstance(result, str):
        fit.log_text(result, f"{key}.txt")
    elif key.endswith("confusion_matrix") and getattr(result, "ndim", 0) == 2:
        names = unique_labels(*given) if labels is None else labels
        plain = {"labels": _listed(names), "matrix": _listed(result)}
        fit.log_dict(plain, f"{key}.json")
    elif isinstance(result, Mapping):
        fit.log_dict(plainvalues.plain(result), f"{key}.json")
    elif isinstance(result, tuple) and result:
        _keep_several(fit, key, result)
    elif (size := getattr(result, "size", None)) is not None and size <= _MOST_POINTS:
        fit.log_dict(_listed(result), f"{key}.json")
    else:
        fit.note(f"{key} left out: a {type(result).__name__}", "skipped")


def _keep_several(fit: Fit, key: str, result: tuple[Any, ...]) -> None:
    """The columns of a curve, thinned out evenly; several numbers as metrics."""
    base = next((name for name in _PARTS if key.endswith(name)), None)
    names = _PARTS.get(base or "", [f"{i}" for i in range(len(result))])
    numbers = {
        f"{key}_{name}": plainvalues.number(v) for name, v in zip(names, result, strict=False)
    }
    if any(value is not None for value in numbers.values()):
        fit.log_metrics({name: value for name, value in numbers.items() if value is not None})
        return
    columns = {name: _thinned(values) for name, values in zip(names, result, strict=False)}
    fit.log_dict(columns, f"{key}.json")


def _thinned(column: Any) -> list[Any]:
    listed = _listed(column)
    step = -(-len(listed) // _MOST_POINTS)
    return [*listed[: -1 : step or 1], *listed[-1:]]


def _listed(array: Any) -> list[Any]:
    found = array.tolist() if hasattr(array, "tolist") else list(array)
    return found if isinstance(found, list) else [found]
