"""What the user calls his models, optimizers, losses and loaders, from the source of his calls.

Variables are never read: a look at a frame's variables would keep their values alive, the graph of
a loss among them, for as long as the function runs.
"""

from __future__ import annotations

import ast
import dis
import re
import sys
import weakref
from collections.abc import Container, Iterator
from types import CodeType, FrameType

from . import callsite


class _Code:
    """What is known about one code object, by the place in it; hashing the code itself is slow."""

    __slots__ = ("__weakref__", "expressions", "losses")

    def __init__(self) -> None:
        self.expressions: dict[int, ast.expr | None] = {}
        self.losses: dict[int, str | None] = {}


Site = tuple[_Code, int]
"""A place in the user's code: in which code, and where."""

_NOT_THE_USERS = ("torch.", "trackbook.")
_MODULE_CALLS = "torch.nn.modules.module"
_MOST_FRAMES = 40
_CALLERS = 6
_KINDS = r"(set|load|dl|ds|data|iter|batch|input|label|target|img|image|x|y|$|_|[0-9])"
_ROLES = {
    "test": re.compile(rf"(^|_|x|y)test(ing)?{_KINDS}"),
    "val": re.compile(rf"(^|_|x|y)(val(id|idation)?|dev|eval)(?!ue){_KINDS}"),
    "training": re.compile(rf"(^|_|x|y)train(ing)?{_KINDS}"),
}
_STORES = {"STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF", "STORE_ATTR"}
# The methods that give a number of the same tensor: ``loss.mean().backward()``.
_SAME = {"mean", "sum", "float", "double", "to", "squeeze"}

_codes: dict[int, tuple[weakref.ref[CodeType], _Code]] = {}
# The variables of modules that are torch's or ours, known by identity.
_passed: dict[int, bool] = {}


def user_frames() -> Iterator[FrameType]:
    """The frames of code that is neither torch's nor ours, the innermost first."""
    frame: FrameType | None = sys._getframe(1)
    for _ in range(_MOST_FRAMES):
        if frame is None:
            return
        if not _is_passed(frame):
            yield frame
        frame = frame.f_back


def user_frame(above: FrameType | None = None) -> FrameType | None:
    """The innermost of ``user_frames``, not below ``above``."""
    frame: FrameType | None = above or sys._getframe(1)
    while frame is not None and _is_passed(frame):
        frame = frame.f_back
    return frame


def _is_passed(frame: FrameType) -> bool:
    known = _passed.get(id(frame.f_globals))
    if known is not None:
        return known
    module = frame.f_globals.get("__name__")
    found = module == "torch" or str(module).startswith(_NOT_THE_USERS)
    if found:  # modules that stay; the user's may go, and their identity with them
        _passed[id(frame.f_globals)] = True
    return found


def site_of(frame: FrameType) -> Site:
    """Where in its code a frame is."""
    code = frame.f_code
    key = id(code)
    entry = _codes.get(key)
    if entry is None:
        entry = weakref.ref(code, lambda _: _codes.pop(key, None)), _Code()
        _codes[key] = entry
    return entry[1], frame.f_lasti


def is_in_module(frame: FrameType) -> bool:
    """Whether a module's ``forward`` is at work in or above the frame."""
    above: FrameType | None = frame
    for _ in range(_MOST_FRAMES):
        if above is None:
            return False
        if above.f_globals.get("__name__") == _MODULE_CALLS:
            return True
        above = above.f_back
    return False


def loss_name(above: FrameType) -> str | None:
    """The variable whose ``backward`` the user calls; None where it is no variable."""
    frame = user_frame(above)
    if frame is None:
        return None
    code, place = site_of(frame)
    if place not in code.losses:
        code.losses[place] = _loss_in(_expression(frame))
    return code.losses[place]


def _loss_in(expression: ast.expr | None) -> str | None:
    if not isinstance(expression, ast.Call):
        return None
    function = expression.func
    called = function.attr if isinstance(function, ast.Attribute) else None
    if called != "backward":
        return None
    given = expression.args[0] if expression.args else None
    # torch.autograd.backward(loss) or accelerator.backward(loss), else loss.backward().
    return (_variable(given) if given is not None else None) or (
        None if given is not None else _variable(function.value)  # type: ignore[attr-defined]
    )


def _variable(node: ast.expr | None) -> str | None:
    """The one variable that an expression is a number of."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        key = node.slice
        text = isinstance(key, ast.Constant) and isinstance(key.value, str)
        return str(key.value) if text else _variable(node.value)  # type: ignore[attr-defined]
    if isinstance(node, ast.BinOp):
        scaled = isinstance(node.op, ast.Div | ast.Mult)
        left = _variable(node.left)
        return (left or _variable(node.right)) if scaled else None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "scale" and node.args:
            return _variable(node.args[0])
        if node.func.attr in _SAME:
            return _variable(node.func.value)
    return None


def made_name(frame: FrameType | None) -> str | None:
    """The variable or attribute that takes the result of the call a frame is executing."""
    if frame is None:
        return None
    following = (i for i in dis.get_instructions(frame.f_code) if i.offset > frame.f_lasti)
    for instruction in following:
        if instruction.opname in _STORES:
            return str(instruction.argval)
        if instruction.opname == "COPY" or instruction.opname.startswith(("LOAD_", "CACHE")):
            continue  # ``self.optimizer = ...`` loads ``self`` first
        return None
    return None


def parameter_owners(frame: FrameType | None) -> list[str]:
    """The names of what ``.parameters()`` is called of in the call that a frame is executing."""
    found = []
    expression = _expression(frame) if frame is not None else None
    for node in ast.walk(expression) if expression is not None else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = _variable(node.func.value)
            if node.func.attr in ("parameters", "named_parameters") and name:
                found.append(name)
    return found


def stepped_name() -> str | None:
    """The variable whose ``step`` the user calls, also through a gradient scaler."""
    frame = user_frame()
    expression = _expression(frame) if frame is not None else None
    if not isinstance(expression, ast.Call) or not isinstance(expression.func, ast.Attribute):
        return None
    if expression.func.attr != "step":
        return None
    given = expression.args[0] if expression.args else None
    return (_variable(given) if given is not None else None) or _variable(expression.func.value)


def role(within: Container[int]) -> str | None:
    """``test``, ``val`` or ``training``, where a call's arguments say so, or those of one above.

    The innermost function of ``within``, by identity of its code, is the last that is looked at.
    """
    for count, frame in enumerate(user_frames()):
        expression = _expression(frame)
        names = {name.lower() for name in _data_names(expression)} if expression else set()
        found = {role for role, pattern in _ROLES.items() if any(map(pattern.search, names))}
        if found:
            return found.pop() if len(found) == 1 else None
        if id(frame.f_code) in within or count == _CALLERS:
            break
    return None


def _data_names(node: ast.AST) -> Iterator[str]:
    """The names in an expression, without those of the functions that it calls."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        yield str(node.slice.value)
    for child in ast.iter_child_nodes(node):
        if isinstance(node, ast.Call) and child is node.func:
            child = child.value if isinstance(child, ast.Attribute) else ast.Load()
        yield from _data_names(child)


def _expression(frame: FrameType) -> ast.expr | None:
    code, place = site_of(frame)
    if place not in code.expressions:
        code.expressions[place] = callsite.expression_of(frame)
    return code.expressions[place]
