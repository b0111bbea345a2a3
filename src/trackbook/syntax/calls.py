"""What calls in a source say beyond names: code in strings, and what no record can follow."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_LONGEST = 2_000
_MOST_PATHS = 50
_IN_SQL = re.compile(r"'([^'\n]{1,300}\.\w{2,8})'")
_WHOLE_NAMESPACE = {"dir", "locals", "vars", "globals"}
_CODE = {"eval", "exec", "compile"}
_CLOCK = {"time.time", "time.perf_counter", "time.monotonic", "time.time_ns", "datetime.now"}
_CLOCK |= {"datetime.datetime.now", "datetime.today", "date.today", "datetime.utcnow"}
_CLOCK |= {"datetime.date.today", "time.process_time", "Timestamp.now", "pd.Timestamp.now"}
_ENTROPY = {"urandom", "uuid4", "uuid1", "token_hex", "token_bytes", "SystemRandom"}
_SEEDED = {"default_rng", "RandomState", "SeedSequence"}
_THREADS = {"Thread", "Timer", "ThreadPoolExecutor", "ThreadPool", "start_new_thread"}
_PROCESSES = {"Pool", "Process", "ProcessPoolExecutor", "Popen", "check_output", "check_call"}
_ASKS = {"input", "getpass"}
_HISTORY = re.compile(r"(In|_ih|_i+|_i\d+)\Z")
_MAGICS = {"run_line_magic", "run_cell_magic"}
_SHELLS = {"system", "getoutput"}


def called(node: ast.Call) -> str:
    """The dotted name of what is called, as far as it is one."""
    parts: list[str] = []
    function = node.func
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if isinstance(function, ast.Name):
        parts.append(function.id)
    elif parts:
        parts.append("")
    return ".".join(reversed(parts))


def is_everything(node: ast.Call, within: bool = False) -> bool:
    """Whether a call may read any name there is; ``within`` a function, its locals are its own."""
    name = called(node)
    if name in _WHOLE_NAMESPACE:
        return not node.args and (name == "globals" or not within)
    if name in ("eval", "exec"):
        return not (node.args and _text(node.args[0]) is not None)
    magic = magic_of(node)
    if magic is None:
        return False
    return magic[0] in ("who", "whos", "who_ls") or (magic[0] == "run" and "-i" in magic[1].split())


def named_item(node: ast.AST) -> str | None:
    """The name in ``globals()["name"]``."""
    if not (isinstance(node, ast.Subscript) and isinstance(node.value, ast.Call)):
        return None
    whole = called(node.value) in _WHOLE_NAMESPACE - {"dir"} and not node.value.args
    return _text(node.slice) if whole else None


def output_of(node: ast.AST) -> str | None:
    """``_3`` for ``Out[3]``."""
    if not (isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)):
        return None
    number = node.slice.value if isinstance(node.slice, ast.Constant) else None
    return f"_{number}" if node.value.id in ("Out", "_oh") and type(number) is int else None


def inner_code(node: ast.Call) -> Iterator[str]:
    """The code in a call that runs it in the same namespace: ``eval("a + b")``, ``%time f(x)``."""
    name = called(node)
    if name in ("eval", "exec") and node.args:
        text = _text(node.args[0])
        if text is not None:
            yield text.strip()
    magic = magic_of(node)
    if magic is not None and magic[0] in ("time", "timeit", "prun", "memit", "mprun", "lprun"):
        options = r"\A(\s*-[nrtlsTDqpcofvm]+(\s*\d+)?\b)*\s*"
        yield re.sub(options, "", magic[1])
        if len(magic) > 2:
            yield magic[2]
    elif magic is not None and magic[0] == "capture" and len(magic) > 2:
        yield magic[2]


def magic_of(node: ast.Call) -> tuple[str, ...] | None:
    """``(name, line)`` or ``(name, line, cell)`` of the call that a magic has become."""
    if not (isinstance(node.func, ast.Attribute) and node.func.attr in _MAGICS):
        return None
    words = tuple(_text(argument) or "" for argument in node.args)
    return words if len(words) >= 2 else None


def shell_of(node: ast.Call) -> str | None:
    """The line of a shell escape."""
    if isinstance(node.func, ast.Attribute) and node.func.attr in _SHELLS:
        inner = node.func.value
        if isinstance(inner, ast.Call) and called(inner) == "get_ipython" and node.args:
            return _text(node.args[0]) or ""
    return None


def spoken_names(node: ast.Call) -> set[str]:
    """Identifiers in the strings of a call's arguments, such as a formula's."""
    found: set[str] = set()
    for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
        for part in ast.walk(argument):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                found |= identifiers(part.value)
    return found


def identifiers(text: str) -> set[str]:
    """The identifiers in a string that is not prose of a page's length."""
    return set(_IDENTIFIER.findall(text)) if len(text) <= _LONGEST else set()


def flags_of(tree: ast.Module) -> frozenset[str]:
    """What in a source no record can follow, by the words that stand in a log."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found |= set(_flags(node))
        elif isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            found.add("star import")
        elif isinstance(node, ast.Name) and _HISTORY.match(node.id):
            found.add("history")
    return frozenset(found)


def _flags(node: ast.Call) -> Iterator[str]:
    name = called(node)
    last = name.rpartition(".")[2]
    if name in _CODE and last != "compile":
        yield "exec"
    if name in _WHOLE_NAMESPACE and not node.args:
        yield "namespace"
    if name in _CLOCK:
        yield "clock"
    if last in _ENTROPY or (last in _SEEDED and not node.args and not node.keywords):
        yield "entropy"
    if last in _THREADS:
        yield "threads"
    if last in _PROCESSES:
        yield "processes"
    if name in _ASKS or last == "getpass":
        yield "input"
    if shell_of(node) is not None:
        yield "shell"
    magic = magic_of(node)
    if magic is not None:
        yield "%run" if magic[0] == "run" else f"magic {magic[0]}"


def paths_of(tree: ast.Module) -> tuple[str, ...]:
    """Strings that may name files: whole literals, those joined by ``/``, and those within SQL."""
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            if len(text) <= _LONGEST and "\n" not in text and re.search(r"[./]", text):
                found[text] = None
            if len(text) <= _LONGEST * 10 and "'" in text:
                found |= dict.fromkeys(_IN_SQL.findall(text))
    return tuple(found)[:_MOST_PATHS]


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
