"""What optimizers and models tell about themselves: hyper-parameters, counts, a summary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch

from ..capture.plainvalues import MISSING, plain

_MOST_GROUPS = 20
_MOST_LINES = 500
# Keys of a param group that are no hyper-parameters.
_NO_PARAMS = {"params", "param_names", "initial_lr", "lr"}
_SHELLS = {"DistributedDataParallel": "module", "DataParallel": "module"}
_SHELLS["OptimizedModule"] = "_orig_mod"


def hyper_parameters(optimizer: Any) -> tuple[dict[str, Any], list[str]]:
    """The hyper-parameters by torch's names, and notes about what is left out.

    Those that differ between groups are ``lr.0``, ``lr.1``...
    """
    groups = optimizer.param_groups[:_MOST_GROUPS]
    more = len(optimizer.param_groups) - len(groups)
    left_out = [f"hyper-parameters of {more} more param groups left out"] if more else []
    found: dict[str, Any] = {"optimizer": type(optimizer).__name__, **lrs(optimizer)}
    for name in dict.fromkeys(key for group in groups for key in group):
        if name not in _NO_PARAMS:
            values = [_value(group.get(name)) for group in groups]
            if MISSING in values:
                left_out.append(f"param {name} left out: no plain value")
            if any(value is not MISSING and value is not None for value in values):
                found.update(_one_or_each(name, values))
    return found, left_out


def lrs(optimizer: Any) -> dict[str, float]:
    """The learning rate now: ``lr``, or one a group where they differ; none that is on a GPU."""
    groups = optimizer.param_groups
    if len(groups) == 1 and type(value := groups[0].get("lr")) is float:
        return {"lr": value}
    values = []
    for group in groups[:_MOST_GROUPS]:
        value = group.get("lr")
        if type(value) is not float:
            value = _value(value)
            if not isinstance(value, int | float):
                return {}
        values.append(float(value))
    return _one_or_each("lr", values)


def _one_or_each(name: str, values: list[Any]) -> dict[str, Any]:
    first = values[0]
    if all(type(value) is type(first) and value == first for value in values):
        return {name: first}
    each = {f"{name}.{i}": value for i, value in enumerate(values)}
    return {key: value for key, value in each.items() if value is not MISSING}


def _value(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.item() if value.device.type == "cpu" and value.numel() == 1 else MISSING
    return plain(value)


# -- models ----------------------------------------------------------------------------------------


def inner(model: Any) -> Any:
    """The user's own module inside the shells that torch puts around one."""
    for _ in range(len(_SHELLS)):
        name = _SHELLS.get(type(model).__name__)
        found = getattr(model, name, None) if name else None
        if found is None:
            break
        model = found
    return model


def is_compiled(model: Any) -> bool:
    """Whether torch.compile has a part in it."""
    kinds = (type(module).__name__ for module in model.modules())
    return any(kind == "OptimizedModule" for kind in kinds) or any(
        getattr(module, "_compiled_call_impl", None) is not None for module in model.modules()
    )


def counts(parameters: Iterable[Any]) -> dict[str, int]:
    """How many numbers the parameters have; those that are trained too where not all are."""
    known = [p for p in parameters if not torch.nn.parameter.is_lazy(p)]
    every = sum(p.numel() for p in known)
    trained = sum(p.numel() for p in known if p.requires_grad)
    found = {"n_parameters": every}
    return found if trained == every else {**found, "n_trainable_parameters": trained}


def summary(model: Any) -> str:
    """A line for each module: name, class, shapes and number of its own parameters."""
    rows = [("module", "class", "parameters", "count")]
    modules = list(model.named_modules())
    for name, module in modules[:_MOST_LINES]:
        own = dict(module.named_parameters(recurse=False))
        shapes = ", ".join(f"{key} {_shape(value)}" for key, value in own.items())
        count = counts(own.values())["n_parameters"]
        rows.append((name or "(model)", type(module).__name__, shapes, f"{count:,}" if own else ""))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = ["  ".join(t.ljust(w) for t, w in zip(row, widths, strict=True)) for row in rows]
    if len(modules) > _MOST_LINES:
        lines.append(f"... {len(modules) - _MOST_LINES:,} more modules")
    total = counts(model.parameters())
    lines.append(", ".join(f"{key}: {value:,}" for key, value in total.items()))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _shape(parameter: Any) -> str:
    if torch.nn.parameter.is_lazy(parameter):
        return "?"
    return "x".join(str(size) for size in parameter.shape) or "()"


def covering(candidates: Iterable[tuple[Any, str | None]], optimizer: Any) -> list[int]:
    """Which candidates hold the parameters of an optimizer: as few as will do, by their place."""
    wanted = {id(p) for group in optimizer.param_groups for p in group["params"]}
    held = [{id(p) for p in model.parameters()} for model, _ in candidates]
    chosen: list[int] = []
    while wanted:
        ranked = sorted(range(len(held)), key=lambda i: (-len(held[i] & wanted), len(held[i])))
        if not ranked or not held[ranked[0]] & wanted:
            break
        chosen.append(ranked[0])
        wanted -= held[ranked[0]]
    return chosen


def models_behind(params: Any) -> Iterator[Any]:
    """The modules whose ``parameters()`` were given to an optimizer, as far as they show."""
    import gc
    from types import GeneratorType

    queue, seen = [params], 0
    while queue and seen < _MOST_GROUPS * 10:
        seen += 1
        item = queue.pop(0)
        if isinstance(item, GeneratorType):
            frame = item.gi_frame
            name = item.gi_code.co_name
            owner = frame.f_locals.get("self") if frame is not None else None
            if name in ("parameters", "named_parameters") and isinstance(owner, torch.nn.Module):
                yield owner
        elif isinstance(item, Mapping):
            queue.append(item.get("params"))
        elif isinstance(item, list | tuple):
            queue += [part for part in item[:_MOST_GROUPS] if not isinstance(part, torch.Tensor)]
        elif type(item).__module__ in ("builtins", "itertools") and hasattr(item, "__next__"):
            queue += gc.get_referents(item)  # filter, map, chain
