"""Real faults for the tests: small disks, other hosts, failing locks, clocks that are off.

Everything happens in processes of its own, in namespaces that end with them. Where this machine
allows no namespace or has no C compiler, ``prelude`` says the same to the child in Python.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Mapping
from pathlib import Path

SHIM = Path(__file__).parent / "fault_shim.c"
_UNSHARE = ("unshare", "--mount", *(() if os.getuid() == 0 else ("--map-root-user",)))


def python(
    code: str,
    *arguments: object,
    prefix: tuple[str, ...] = (),
    env: Mapping[str, str] | None = None,
    timeout: int = 60,
) -> subprocess.CompletedProcess[str]:
    """Run code in a Python of its own, to its end; its arguments are in ``sys.argv``."""
    process = start(code, *arguments, prefix=prefix, env=env)
    try:
        out, error = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, error)


def start(
    code: str,
    *arguments: object,
    prefix: tuple[str, ...] = (),
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[str]:
    """The same, but not waited for; a line written to its stdin is its ``input()``."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**kept, **(env or {})},
    )


def line(process: subprocess.Popen[str]) -> str:
    """The next line that a process prints; its errors where it prints none."""
    assert process.stdout and process.stderr
    told = process.stdout.readline()
    assert told, process.stderr.read()
    return told.rstrip("\n")


def tell(process: subprocess.Popen[str], word: str = "") -> None:
    """Give a process its next ``input()``."""
    assert process.stdin
    process.stdin.write(word + "\n")
    process.stdin.flush()


# -- disks -----------------------------------------------------------------------------------------


@functools.cache
def may_mount() -> bool:
    """Whether this user may mount in a namespace of its own."""
    try:
        done = subprocess.run(
            [*_UNSHARE, "--uts", "mount", "-t", "tmpfs", "none", "/mnt"],
            check=False,
            capture_output=True,
        )
    except OSError:
        return False
    return done.returncode == 0


def on_small_disk(
    code: str, folder: Path, *arguments: object, size: str = "2m"
) -> subprocess.CompletedProcess[str]:
    """Run code where ``folder`` (its first argument) is a disk of this size, gone with it."""
    folder.mkdir(exist_ok=True)
    mount = ("sh", "-ec", f'mount -t tmpfs -o size={size} none "$0"\nexec "$@"', str(folder))
    return python(code, folder, *arguments, prefix=(*_UNSHARE, *mount))


# -- hosts, locks and clocks -----------------------------------------------------------------------


@functools.cache
def shim() -> Path | None:
    """The compiled ``fault_shim.c``; None where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    library = Path(tempfile.mkdtemp(prefix="trackbook-shim-")) / "shim.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, SHIM], check=True)
    return library


_HOST = """
hostname "$TB_HOST"
echo "$TB_BOOT" > "$TB_FILES/boot"; mount --bind "$TB_FILES/boot" /proc/sys/kernel/random/boot_id
echo "$TB_MACHINE" > "$TB_FILES/machine"
if [ -e /etc/machine-id ]; then mount --bind "$TB_FILES/machine" /etc/machine-id; fi
exec "$@"
"""

_PRELUDE = """
import os as _os, time as _time, fcntl as _fcntl, errno as _errno
def _added(name):
    path = _os.environ.get(name)
    try:
        return float(open(path).readline() or 0) if path else 0.0
    except OSError:
        return 0.0
if not _os.environ.get("LD_PRELOAD"):
    _now, _now_ns, _get, _lock = _time.time, _time.time_ns, _time.clock_gettime, _fcntl.flock
    _time.time = lambda: _now() + _added("SHIM_CLOCK")
    _time.time_ns = lambda: _now_ns() + int(_added("SHIM_CLOCK") * 1e9)
    _time.clock_gettime = lambda clock: _get(clock) + _added("SHIM_STEADY")
    def _flock(fd, operation):
        if _os.environ.get("SHIM_FLOCK") == "fail":
            raise OSError(_errno.ENOLCK, "No locks available")
        if _os.environ.get("SHIM_FLOCK") != "alone":
            _lock(fd, operation)
    _fcntl.flock = _flock
if _os.environ.get("TB_HOST") and _os.uname().nodename != _os.environ["TB_HOST"]:
    import trackbook.store.os_machine as _machine
    _machine.host = lambda: _os.environ["TB_HOST"]
    _machine.boot_id = lambda: _os.environ["TB_BOOT"]
    _machine.machine = lambda: _os.environ["TB_MACHINE"]
import time
import trackbook as tb
"""


class Host:
    """Another machine: its name, boot and machine id, its locks and its clocks.

    ``locks`` is ``shared`` (as on one machine), ``alone`` (nobody else sees them) or ``fail``.
    """

    def __init__(
        self, folder: Path, name: str, *, boot: str = "", machine: str = "", locks: str = "shared"
    ) -> None:
        self._files = folder / f"host-{name}-{os.urandom(3).hex()}"
        self._files.mkdir(parents=True)
        self._env = {
            "TB_HOST": name,
            "TB_BOOT": boot or f"boot-of-{name}",
            "TB_MACHINE": machine or f"machine-of-{name}",
            "TB_FILES": str(self._files),
            "SHIM_FLOCK": locks,
            "SHIM_CLOCK": str(self._files / "clock"),
            "SHIM_STEADY": str(self._files / "steady"),
        }

    def set_clock(self, seconds: float) -> None:
        """Have the time of day on this host differ from the real one by so much."""
        (self._files / "clock").write_text(f"{seconds:.0f}\n")

    def let_pass(self, seconds: float) -> None:
        """Have so much time gone by on this host, by its steady clock."""
        (self._files / "steady").write_text(f"{seconds:.0f}\n")

    def start(self, code: str, *arguments: object) -> subprocess.Popen[str]:
        """A Python on this host; ``tb`` and ``time`` are imported."""
        source = _PRELUDE + textwrap.dedent(code)
        library = shim()
        env = {**self._env, **({"LD_PRELOAD": str(library)} if library else {})}
        prefix = (*_UNSHARE, "--uts", "sh", "-ec", _HOST, "sh") if may_mount() else ()
        return start(source, *arguments, prefix=prefix, env=env)

    def run(self, code: str, *arguments: object) -> str:
        """What code prints on this host."""
        process = self.start(code, *arguments)
        out, error = process.communicate(timeout=60)
        assert process.returncode == 0, error
        return out.strip()


# -- files that are none ---------------------------------------------------------------------------


def make_sparse(path: Path) -> None:
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(10 << 30)


def make_pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def make_folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def make_link(path: Path, target: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def state(folder: Path) -> list[tuple[str, int, bytes]]:
    """What differs once anything in a folder was touched."""
    return [
        (str(p), p.lstat().st_mtime_ns, p.read_bytes() if p.is_file() else b"")
        for p in sorted(folder.rglob("*"))
    ]
