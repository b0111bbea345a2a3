"""Whether something was written by this user on this machine: a keyed hash, its key kept at home.

The key is 32 random bytes in the user's data folder, which no store holds, so whoever can write to
a store cannot sign in it.
"""

from __future__ import annotations

import contextlib
import hmac
import os
from pathlib import Path

import blake3

from . import settings

_LENGTH = 32


def sign(content: bytes) -> str | None:
    """The signature of some content; None where this user can keep no key."""
    key = _key() or _new_key()
    return None if key is None else _signature(key, content)


def is_ours(content: bytes, signature: object) -> bool:
    """Whether ``sign`` gave this signature to the content, here."""
    key = _key()
    if key is None or not isinstance(signature, str) or not signature.isascii():
        return False
    return hmac.compare_digest(_signature(key, content), signature)


# -- what is signed of a run, so that writer and reader mean the same -----------------------------


class LogDigest:
    """Grows with the lines of a run's log of cells."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._digest = blake3.blake3()

    def add(self, line: bytes) -> None:
        """The next line, as JSON."""
        self._digest.update(line)
        self._digest.update(b"\n")

    def content(self) -> bytes:
        """What is signed of the lines so far: they, in this order, for this run."""
        return f"log\n{self._run_id}\n{self._digest.hexdigest()}".encode()


def blob_content(purpose: str, blob: str) -> bytes:
    """What is signed of a blob that is code: which one, and what for (``modules``, ``patch``)."""
    return f"{purpose}\n{blob}".encode()


def _signature(key: bytes, content: bytes) -> str:
    return hmac.new(key, content, "sha256").hexdigest()


def _file() -> Path:
    return settings.user_data_dir() / "key"


def _key() -> bytes | None:
    try:
        key = _file().read_bytes()
    except OSError:
        return None
    return key if len(key) == _LENGTH else None


def _new_key() -> bytes | None:
    file = _file()
    temporary = file.with_name(f".key.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, os.urandom(_LENGTH))
            # A link takes nobody's place: another process may have made a key meanwhile.
            os.link(temporary, file)
        finally:
            os.close(fd)
            temporary.unlink()
    return _key()
