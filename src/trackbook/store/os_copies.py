"""What the operating system offers for copying a file: what it is, its state, and clones."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import IO, NamedTuple

# linux/fs.h; other systems answer with an error, and the copy is an ordinary one.
_FICLONE = 0x40049409
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISLNK, "a link"),
)


class State(NamedTuple):
    """What differs once a file was written to or replaced; times in ns."""

    size: int
    modified: int
    changed: int
    inode: int


def state_of(status: os.stat_result) -> State:
    """The state that a stat tells."""
    return State(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def kind_of(mode: int) -> str | None:
    """What a file is that is no regular one, such as ``a named pipe``; None for a regular one."""
    if stat.S_ISREG(mode):
        return None
    return next((word for test, word in _KINDS if test(mode)), "no regular file")


def open_regular(path: Path) -> IO[bytes]:
    """A regular file, open for reading, links followed; ``OSError`` for anything else.

    It never waits for the other end of a pipe.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    kind = kind_of(os.fstat(fd).st_mode)
    if kind is not None:
        os.close(fd)
        raise OSError(errno.EINVAL, f"it is {kind}", str(path))
    return os.fdopen(fd, "rb")


def clone(source: IO[bytes], target: IO[bytes]) -> bool:
    """Give an empty file the content of another at once, sharing its blocks until either changes.

    False where the file system cannot (most but XFS and Btrfs, and across file systems).
    """
    try:
        fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
    except OSError:
        return False
    return True
