"""Secrets out of text, before it reaches disk.

A value is hidden when its key names a secret (``api_key``, ``password``) or when its shape is one
(AWS, GitHub, OpenAI-like keys, JSON web tokens, private keys, URLs with credentials).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_KEY = re.compile(
    r"(^|[_\-. ])(api[_-]?key|access[_-]?key|secret|passwd|password|passphrase|private[_-]?key|"
    r"credentials?|auth[_-]?token|token|bearer|client[_-]?secret|session[_-]?key)s?($|[_\-. ])",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Words that make "token" an ordinary count or setting.
_HARMLESS = re.compile(
    r"(num|n|max|min|total|per|count|pad|eos|bos|unk|mask|sep|cls|vocab|avg|mean|new|special)"
    r"[_\-. ]*(new[_\-. ]*)?tokens?|"
    r"tokens?[_\-. ]*(per|count|id|ids|len|length|s\b|limit|type|size)",
    re.IGNORECASE,
)
_SHAPES = (
    ("aws-key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("github-token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})")),
    (
        "api-key",
        re.compile(r"\bsk-[A-Za-z0-9_\-]{20,}|\bhf_[A-Za-z0-9]{30,}|\bxox[bap]-[\w-]{10,}"),
    ),
    ("jwt", re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}")),
    (
        "private-key",
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
    ),
    ("url-credentials", re.compile(r"(?<=://)(?!<redacted:)[^\s/@:]+:[^\s/@]+(?=@)")),
)
# Without the key, which is looked for backwards: forwards a word of 200 kB (an image in base64)
# would take minutes.
_ASSIGNED = re.compile(
    r"""(?<=[\w\-.])(?P<mid>["']?\]?\s*[=:]\s*)(?P<quote>["'])(?P<value>[^"'\n]{4,})(?P=quote)"""
)
_ASSIGNED_KEY = re.compile(r"[A-Za-z_][\w\-.]*\Z")
_LONGEST_KEY = 100


def is_secret_name(key: str) -> bool:
    """Whether a key of this name holds a secret (``hf_token`` yes, ``num_tokens`` no)."""
    name = _CAMEL.sub("_", key)
    return _KEY.search(name) is not None and _HARMLESS.search(name) is None


def text(source: str) -> tuple[str, int]:
    """The text with every secret replaced by ``<redacted:kind>``, and how many there were."""
    count = 0
    for kind, shape in _SHAPES:
        source, found = shape.subn(f"<redacted:{kind}>", source)
        count += found

    def hide(match: re.Match[str]) -> str:
        nonlocal count
        key = _ASSIGNED_KEY.search(source[max(0, match.start() - _LONGEST_KEY) : match.start()])
        if key is None or not is_secret_name(key[0]) or match["value"].startswith("<redacted:"):
            return match[0]
        count += 1
        return f"{match['mid']}{match['quote']}<redacted:{_label(key[0])}>{match['quote']}"

    return _ASSIGNED.sub(hide, source), count


def tree(value: Any, key: str = "") -> tuple[Any, int]:
    """Plain data with the secrets in its strings hidden, and how many there were."""
    if key and is_secret_name(key) and isinstance(value, str) and value:
        return f"<redacted:{_label(key)}>", 1
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        pairs = {k: tree(v, str(k)) for k, v in value.items()}
        return {k: v for k, (v, _) in pairs.items()}, sum(n for _, n in pairs.values())
    if isinstance(value, list):
        items = [tree(v, key) for v in value]
        return [v for v, _ in items], sum(n for _, n in items)
    return value, 0


def _label(key: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-") or "secret"
