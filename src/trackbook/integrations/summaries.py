"""What a ``SummaryWriter`` is given, of TensorBoard or tensorboardX, goes to the open run too."""

from __future__ import annotations

from typing import Any

from ..capture import outermost
from ..capture import session as sessions
from ..capture.live import ActiveRun
from ..capture.patch import Patches, Steps, guarded
from ..capture.plainvalues import number
from ..errors import InvalidValue
from . import callers
from .quiet import is_quiet

# Their loggers write what our hooks have from them already.
_TRAINERS = {"lightning", "lightning_fabric", "pytorch_lightning", "transformers", "accelerate"}


def watch(patches: Patches, kind: type) -> None:
    """Wrap a class of writers; its files stay what they are."""
    outermost.claim()
    hooks = {"add_scalar": _scalar, "add_scalars": _scalars, "add_hparams": _hparams}
    for name, hook in hooks.items():
        patches.wrap(kind, name, guarded(hook, "TensorBoard's scalars"))


def _scalar(
    of: Any, tag: Any, scalar_value: Any, global_step: Any = None, *_: Any, **__: Any
) -> Steps:
    run = _run()
    if run is None:
        return
    outcome = yield
    if outcome.error is None:
        _log(run, {str(tag): scalar_value}, global_step)


def _scalars(
    of: Any, main_tag: Any, tag_scalar_dict: Any, global_step: Any = None, *_: Any, **__: Any
) -> Steps:
    run = _run()
    if run is None:
        return
    outcome = yield
    if outcome.error is None:
        points = {f"{main_tag}/{tag}": value for tag, value in tag_scalar_dict.items()}
        _log(run, points, global_step)


def _hparams(of: Any, hparam_dict: Any, *_: Any, **__: Any) -> Steps:
    # The metrics beside them it writes by ``add_scalar``.
    run = _run()
    if run is None:
        return
    outcome = yield
    if outcome.error is None:
        run.take_params(hparam_dict)


def _run() -> ActiveRun | None:
    """The open run; None where there is none, or what is written is in it already."""
    if not (sessions.current.is_on() and outermost.is_here()):
        return None
    if is_quiet() and callers.caller().partition(".")[0] in _TRAINERS:
        return None
    return sessions.current.active()


def _log(run: ActiveRun, points: dict[str, Any], step: Any) -> None:
    for tag, value in points.items():
        found = number(value)
        if found is None and callable(getattr(value, "item", None)):
            found = number(value.item())  # an array of one number
        if found is None:
            run.note_capture(f"scalar {tag}", "skipped", f"a {type(value).__name__}")
            continue
        try:
            run.log_metric(tag, found, None if step is None else int(step))
        except InvalidValue as problem:
            run.note_capture(f"scalar {tag}", "skipped", str(problem))
