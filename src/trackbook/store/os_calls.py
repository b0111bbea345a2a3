"""Everything that knows the operating system: whole files, locks, forks, boot ids.

No other module opens a file for writing. Locks are ``flock``, which the kernel lets go of when the
owner dies, however it dies.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import stat
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from .. import formats

_RETRIES = 20
# For reading what may be anybody's: no link is followed, and no pipe waited for.
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

# -- whole files -----------------------------------------------------------------------------------


def replace(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Put a file in place whole: readers see the old content or the new, also after a crash."""
    check_folders(path.parent)
    temporary = _write_beside(path, data, durable=durable)
    try:
        os.replace(temporary, path)
    except OSError:
        remove(temporary)
        raise


def replace_in_parts(path: Path, parts: Iterable[bytes]) -> None:
    """Put a derived file in place whole, too large to have in memory; not durable."""
    temporary = temporary_beside(path)
    try:
        with new_file(temporary) as file:
            file.writelines(parts)
        os.replace(temporary, path)
    finally:
        remove(temporary)


def create(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Make a new file, whole; raises ``FileExistsError`` where there is one already."""
    temporary = _write_beside(path, data, durable=durable)
    try:
        # A link appears whole and never takes another file's place.
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:
        _create_in_place(path, data)  # a file system without links
    finally:
        remove(temporary)


def _create_in_place(path: Path, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        write_all(fd, data)
        os.fsync(fd)
    except OSError:
        remove(path)
        raise
    finally:
        os.close(fd)


def temporary_beside(path: Path) -> Path:
    """A new name for a file that is to become ``path``; ends in ``.tmp``."""
    return path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")


def _write_beside(path: Path, data: bytes, *, durable: bool = True) -> Path:
    temporary = temporary_beside(path)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        write_all(fd, data)
        if durable:
            os.fsync(fd)
    except OSError:
        remove(temporary)
        raise
    finally:
        os.close(fd)
    return temporary


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write every byte, also where the system takes them in parts."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def open_for_writing(path: Path, more: int = 0) -> int:
    """A descriptor of a regular file, made where missing; ``OSError`` for a link or a pipe."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    fd = os.open(path, flags | more, 0o666)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise _not_plain(path)
    return fd


def append(path: Path, data: bytes) -> None:
    """Add to the end of a file in one call; the file and its folder are made where missing."""
    check_folders(path.parent)
    try:
        fd = open_for_writing(path, os.O_APPEND)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = open_for_writing(path, os.O_APPEND)
    try:
        write_all(fd, data)
    finally:
        os.close(fd)


def check_folders(*folders: Path) -> None:
    """Raise ``OSError`` where one of the folders is a link: what is below it is elsewhere."""
    for folder in folders:
        if folder.is_symlink():
            raise OSError(errno.EINVAL, "a link, which is not followed", str(folder))


def size_of(path: Path) -> int:
    """The bytes of a regular file; ``OSError`` for a link or a pipe."""
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise _not_plain(path)
    return status.st_size


def sync_folder(path: Path) -> None:
    """Make the names in a folder survive a power cut, where the file system can."""
    with contextlib.suppress(OSError):
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def remove(path: Path) -> None:
    """Remove a file that may be gone already."""
    with contextlib.suppress(OSError):
        path.unlink()


def remove_tree(path: Path) -> None:
    """Remove a folder with all it holds; links in it go, what they lead to stays."""
    shutil.rmtree(path, ignore_errors=True)
    # Once more, loudly: what cannot be removed is said, what another process removed is not.
    if path.exists():
        shutil.rmtree(path)


def mark_used(path: Path, after: float) -> bool:
    """Set the time of a file to now where it is older than ``after`` seconds.

    False where that cannot be, because the file is gone or another user's.
    """
    try:
        if time.time() - path.stat().st_mtime > after:
            os.utime(path)
    except OSError:
        return False
    return True


def remove_unless_used(path: Path, modified_ns: int) -> bool:
    """Remove a file whose time still is the given one; False where it was used since.

    It is moved aside for the last look, so that ``mark_used`` either shows in its time or fails.
    """
    aside = temporary_beside(path)
    path.rename(aside)
    if aside.lstat().st_mtime_ns != modified_ns:
        # Over a file that was written anew meanwhile: it has the same content.
        os.replace(aside, path)
        return False
    aside.unlink()
    return True


def open_plain(path: Path) -> IO[bytes]:
    """A regular file, open for reading; ``OSError`` for a link, a pipe or a folder."""
    try:
        fd = os.open(path, _PLAIN)
    except OSError as problem:
        if problem.errno in (errno.ELOOP, errno.ENXIO):  # a link, a socket
            raise _not_plain(path) from None
        raise
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise _not_plain(path)
    return os.fdopen(fd, "rb")


def read_plain(path: Path, limit: int) -> bytes:
    """A regular file as bytes; ``OSError`` for a link or a pipe, and for more than ``limit``."""
    with open_plain(path) as file:
        return file.read(check_size(file, limit))


def check_size(file: IO[bytes], limit: int) -> int:
    """The bytes of an open file; ``OSError`` where these are more than ``limit``."""
    size = os.fstat(file.fileno()).st_size
    if size > limit:
        raise OSError(errno.EFBIG, f"larger than {formats.size(limit)}", file.name)
    return size


def _not_plain(path: Path) -> OSError:
    return OSError(errno.EINVAL, "not a regular file", str(path))


def copy_plain(source: Path, target: Path) -> None:
    """A durable copy of a regular file under a new name, with its times; follows no link."""
    with open_plain(source) as file, new_file(target) as copy:
        shutil.copyfileobj(file, copy, 1 << 20)
        sync_file(copy)
        status = os.fstat(file.fileno())
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def identity(path: Path) -> tuple[int, int, int]:
    """What differs once a file was replaced or rewritten."""
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size


# -- locks -----------------------------------------------------------------------------------------

_held: set[int] = set()


def take_lock(path: Path) -> tuple[int, bool] | None:
    """Own the lock file; returns its descriptor and whether it is locked.

    It is not on a file system without locks. None while another process owns it.
    """
    fd = open_for_writing(path)
    for attempt in range(_RETRIES):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # A reader that looks whether the lock is held holds it for an instant itself.
            if attempt < _RETRIES - 1:
                time.sleep(0.005)
        except OSError:
            break  # a file system without locks: the heartbeat has to do
        else:
            _held.add(fd)
            return fd, True
    else:
        os.close(fd)
        return None
    return fd, False


def release_lock(fd: int) -> None:
    """Give the lock back."""
    _held.discard(fd)
    os.close(fd)


def lock_held(path: Path) -> bool:
    """Whether a living process owns the lock file; False where there is none."""
    try:
        fd = os.open(path, _PLAIN)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # a file system without locks: the heartbeat decides
    finally:
        os.close(fd)
    return False


def rewrite(fd: int, data: bytes) -> None:
    """Replace the content of an open file in place (a lock file keeps its inode)."""
    os.pwrite(fd, data, 0)
    os.ftruncate(fd, len(data))


# -- forks -----------------------------------------------------------------------------------------

_in_child: list[weakref.WeakMethod[Callable[[], None]]] = []


def call_in_child(method: Callable[[], None]) -> None:
    """Call a bound method in every forked child, for as long as its object lives."""
    if len(_in_child) % 64 == 0:  # not each time: a session may have begun thousands of runs
        _in_child[:] = [entry for entry in _in_child if entry() is not None]
    _in_child.append(weakref.WeakMethod(method))


_forks = threading.RLock()


@contextlib.contextmanager
def no_forks() -> Iterator[None]:
    """Hold forks back meanwhile: what a thread is importing, a forked child could never import."""
    with _forks:
        yield


def _after_fork() -> None:
    # A lock belongs to the open file, which a child shares: it would keep a dead owner's run open.
    for fd in _held:
        with contextlib.suppress(OSError):
            os.close(fd)
    _held.clear()
    for entry in list(_in_child):
        method: Any = entry()
        if method is not None:
            method()


os.register_at_fork(
    before=_forks.acquire, after_in_parent=_forks.release, after_in_child=_forks.release
)
os.register_at_fork(after_in_child=_after_fork)

# -- and else --------------------------------------------------------------------------------------


def writable(folder: Path) -> bool:
    """Whether this process may write in a folder."""
    return os.access(folder, os.W_OK | os.X_OK)


def new_file(path: Path) -> IO[bytes]:
    """A new file, open for writing; raises ``FileExistsError`` where there is one."""
    return path.open("xb")


def sync_file(file: IO[bytes]) -> None:
    """Make what was written to an open file survive a power cut."""
    file.flush()
    os.fsync(file.fileno())
