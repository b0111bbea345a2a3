"""Secrets that are known by their shape, wherever they stand."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

# A secret begins where no longer word does; after "\n" written out in code too. What follows
# cannot begin anew inside itself, or a long text would be read again and again.
_ALNUM = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"
_WORD = r"(?:(?<![\w\-])|(?<=\\[nrt]))"
_BETWEEN = r"(?:[\s\"'+,()]|\\[nr])*+"
_BEGIN = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_END = r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_PRIVATE_KEY = re.compile(
    # Whole, or cut off anywhere.
    rf"{_BEGIN}(?:(?>[^\-]|-(?!----)){{0,20000}}+{_END}"
    rf"|(?>{_BETWEEN}[A-Za-z0-9+/=]{{32,}}+)++(?:{_BETWEEN}[A-Za-z0-9+/]*+={{1,2}})?)"
)
_AWS_ID = re.compile(rf"{_ALNUM}(?:AKIA|ASIA)[0-9A-Z]{{16}}(?![0-9A-Za-z])")
# It looks like nothing in particular, so it counts only where an id stands before it.
_AWS_SECRET = re.compile(r"(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
_AWS_NEAR = 120

# Of a line in a patch its sign stays; "-----END" has none.
_PATCH_SIGN = re.compile(r"([+ ]|-(?!----E)|).*", re.DOTALL)

_Check = Callable[[str], bool]


def _any(secret: str) -> bool:
    return True


def _mixed(secret: str) -> bool:
    return any(c.isdigit() for c in secret) and any(c.isalpha() for c in secret)


def _random(secret: str) -> bool:
    rest = secret[1:]
    return any(c.isdigit() for c in secret) or (rest != rest.lower() and rest != rest.upper())


def _user_and_password(secret: str) -> bool:
    try:
        plain = base64.b64decode(secret, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return ":" in plain and plain.isprintable()


def _not_hidden(secret: str) -> bool:
    return secret.partition(":")[2].strip("*.x") != ""


# A group named "secret" is what is hidden, else all of it.
_SHAPES: tuple[tuple[str, str, _Check], ...] = (
    ("aws-key", _AWS_ID.pattern, _any),
    ("github-token", rf"{_ALNUM}gh[pousr]_[A-Za-z0-9]{{30,}}+", _any),
    ("github-token", rf"{_WORD}github_pat_\w{{30,}}+", _any),
    ("gitlab-token", rf"{_WORD}gl(?:pat|dt|rt|cbt)-[\w\-]{{18,}}+", _mixed),
    ("stripe-key", rf"{_ALNUM}(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{{10,}}+", _any),
    ("stripe-key", rf"{_ALNUM}whsec_[A-Za-z0-9]{{20,}}+", _any),
    ("api-key", rf"{_WORD}(?:sk|xai|nvapi)-[\w\-]{{20,}}+", _mixed),
    ("api-key", rf"{_ALNUM}gsk_[A-Za-z0-9]{{30,}}+", _mixed),
    ("huggingface-token", rf"{_ALNUM}(?:hf|api_org)_[A-Za-z0-9]{{30,}}+", _any),
    ("slack-token", rf"{_WORD}(?:xox[abeoprs]|xapp)-[\w\-]{{10,}}+", _mixed),
    ("slack-webhook", r"(?<=hooks\.slack\.com/services/)T\w+/B\w+/\w+", _any),
    ("google-key", rf"{_WORD}AIza[\w\-]{{35}}(?![\w\-])", _any),
    ("google-token", rf"{_ALNUM}ya29\.[\w\-]{{20,}}+", _any),
    ("google-secret", rf"{_WORD}GOCSPX-[\w\-]{{20,}}+", _any),
    ("package-token", rf"{_ALNUM}npm_[A-Za-z0-9]{{36}}(?![A-Za-z0-9])", _any),
    ("package-token", rf"{_WORD}(?:pypi-AgEI|dckr_pat_)[\w\-]{{20,}}+", _any),
    ("sendgrid-key", rf"{_ALNUM}SG\.[\w\-]{{16,40}}\.[\w\-]{{30,60}}", _any),
    ("databricks-token", rf"{_ALNUM}dapi[0-9a-f]{{32}}(?![0-9a-f])", _any),
    ("replicate-token", rf"{_ALNUM}r8_[A-Za-z0-9]{{30,}}+", _mixed),
    ("telegram-token", rf"{_ALNUM}[0-9]{{8,10}}:AA[\w\-]{{33}}(?![\w\-])", _any),
    ("jwt", rf"{_WORD}eyJ[\w\-]{{8,}}+\.[\w\-]{{8,}}+\.[\w\-]{{8,}}+", _any),
    ("url-credentials", r"(?<=://)[^\s/@:{}\"'<>\\]*+:[^\s/@{}\"'<>\\]++(?=@)", _not_hidden),
    ("bearer", r"(?i:(?<![a-z])bearer)[ \t]{1,9}(?P<secret>[\w\-.~+/]{8,}+=*+)", _random),
    (
        "basic",
        r"(?i:(?<![a-z])basic)[ \t]{1,9}(?P<secret>[A-Za-z0-9+/]{6,}+={0,2})",
        _user_and_password,
    ),
)
_COMPILED = [(f"<redacted:{kind}>", re.compile(shape), check) for kind, shape, check in _SHAPES]


def hide(text: str, *, quoted: bool = False) -> tuple[str, int]:
    """The text with each secret known by its shape replaced, and how many there were.

    ``quoted`` puts markers in quotes, for where no string stands around them.
    """
    text, count = _PRIVATE_KEY.subn(_key_in_its_lines, text)
    text, found = _hide_aws_secrets(text)
    count += found
    for replacement, shape, check in _COMPILED:
        shown = f'"{replacement}"' if quoted else replacement
        text, found = _replace(text, shown, shape, check)
        count += found
    return text, count


def is_aws_secret(text: str) -> bool:
    """Whether a text has the form of an AWS secret, which means little without an id near it."""
    cased = text != text.upper() and text != text.lower()
    return cased and _mixed(text) and _AWS_SECRET.fullmatch(text) is not None


def _replace(text: str, replacement: str, shape: re.Pattern[str], check: _Check) -> tuple[str, int]:
    group = "secret" if "secret" in shape.groupindex else 0
    parts, last = [], 0
    for match in shape.finditer(text):
        if check(match[group]):
            parts += [text[last : match.start(group)], replacement]
            last = match.end(group)
    return ("".join([*parts, text[last:]]), len(parts) // 2) if parts else (text, 0)


def _key_in_its_lines(match: re.Match[str]) -> str:
    """A marker and as many line ends as before, so that a patch still counts its lines right."""
    ends = [_PATCH_SIGN.sub(r"\1", line) for line in match[0].split("\n")[1:]]
    return "\n".join(["<redacted:private-key>", *ends])


def _hide_aws_secrets(text: str) -> tuple[str, int]:
    parts, last = [], 0
    for match in _AWS_ID.finditer(text):
        start = max(last, match.end())
        for found in _AWS_SECRET.finditer(text, start, match.end() + _AWS_NEAR):
            if is_aws_secret(found[0]):
                parts += [text[last : found.start()], "<redacted:aws-secret>"]
                last = found.end()
    return ("".join([*parts, text[last:]]), len(parts) // 2) if parts else (text, 0)
