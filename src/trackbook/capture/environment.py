"""Who runs where with what: the machine, Python, its packages, chosen variables."""

from __future__ import annotations

import getpass
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from .. import redact
from ..store import os_calls
from .distributions import normal
from .modules import namespace

# No other variable is looked at: what a process is given may be anything, also secrets.
VARIABLES = (
    "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "CUBLAS_WORKSPACE_CONFIG",
    "NVIDIA_VISIBLE_DEVICES", "NVIDIA_TF32_OVERRIDE", "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_ENABLE_MPS_FALLBACK", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "TOKENIZERS_PARALLELISM",
    "TF_DETERMINISTIC_OPS", "TF_CUDNN_DETERMINISTIC", "TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS",
    "JAX_PLATFORMS", "JAX_ENABLE_X64", "KERAS_BACKEND", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE",
    "PYTHONHASHSEED", "PYTHONPATH", "PYTHONOPTIMIZE", "CONDA_DEFAULT_ENV", "VIRTUAL_ENV", "LANG",
    "LC_ALL", "TZ", "SLURM_JOB_ID", "SLURM_JOB_NAME", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID",
    "SLURM_PROCID", "SLURM_JOB_NODELIST", "PBS_JOBID", "LSB_JOBID", "JOB_ID", "RANK",
    "LOCAL_RANK", "WORLD_SIZE",
)  # fmt: skip
_LONGEST = 500
_MOST_ARGUMENTS = 50


def user_and_host() -> dict[str, str]:
    """``user`` and ``host`` of a document; empty where the system does not say."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = ""  # a user id without a name, as in many containers
    return {"user": user, "host": platform.node()}


class Environment:
    """What holds for the process is read once; what may change is read for every run."""

    def __init__(self) -> None:
        self._python = {
            "python": platform.python_version(),
            "executable": sys.executable,
            "implementation": platform.python_implementation(),
            "platform": platform.platform(),
        }
        self._machine: dict[str, Any] = {}
        self._seen: set[str] = set()
        self._versions: dict[str, str] = {}
        self._unversioned: set[str] = set()

    def describe(self) -> dict[str, Any]:
        """Python, platform, machine (once it was read), argv, variables and imported packages."""
        argv = redact.arguments(a[:_LONGEST] for a in sys.argv[:_MOST_ARGUMENTS])[0]
        found = {**self._python, **self._machine, "argv": argv, "packages": self.packages()}
        variables = {name: os.environ[name][:_LONGEST] for name in VARIABLES if name in os.environ}
        if variables:
            found["variables"] = redact.tree(variables)[0]
        return found

    def packages(self) -> dict[str, str]:
        """The version of each package that is imported by now."""
        # A module's own __version__ costs nothing; importlib.metadata would cost a second here.
        for name, module in list(sys.modules.items()):
            if name in self._seen or "." in name:
                continue
            if name.startswith("_") or name in sys.stdlib_module_names:
                self._seen.add(name)
            else:
                self._look_at(name, module)
        return dict(sorted(self._versions.items()))

    def name_versions(self, installed: Mapping[str, str]) -> None:
        """Versions by (normalised) distribution, for packages that do not tell their own."""
        for name in list(self._unversioned):
            if version := installed.get(normal(name)):
                self._versions[name] = version
                self._unversioned.discard(name)

    def _look_at(self, name: str, module: ModuleType | None) -> None:
        found = namespace(module)
        version = found.get("__version__")
        if isinstance(version, str):
            self._versions[name] = version
        elif getattr(found.get("__spec__"), "_initializing", False):
            return  # half imported: it may tell yet
        elif "site-packages" in str(found.get("__file__")):
            self._unversioned.add(name)
        self._seen.add(name)

    def read_machine(self) -> dict[str, Any]:
        """CPU, memory in bytes and GPUs; read once, it may take some ms."""
        if not self._machine:
            cpu = {"model": _cpu_model(), "count": os.cpu_count(), "usable": _usable_cpus()}
            self._machine = {"cpu": cpu, "memory": _memory(), "gpus": gpus()}
        cuda = getattr(namespace(sys.modules.get("torch.version")).get("cuda"), "strip", str)()
        return {**self._machine, **({"cuda": cuda} if cuda else {})}


def _cpu_model() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith(("model name", "Model")):
                    return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()


def _usable_cpus() -> int | None:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError, AttributeError):
        return None


def gpus(driver: Path = Path("/proc/driver/nvidia")) -> list[str]:
    """The names of the NVIDIA GPUs of this machine, without a touch to CUDA."""
    names = []
    for place in sorted(driver.glob("gpus/*/information")):
        try:
            lines = place.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        names += [line.partition(":")[2].strip() for line in lines if line.startswith("Model:")]
    return names or _gpus_by_library()


def _gpus_by_library() -> list[str]:
    if not Path("/dev/nvidiactl").exists() and not Path("/dev/dxg").exists():
        return []
    try:
        with os_calls.no_forks():
            import pynvml
    except ImportError:
        return []
    try:
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        return [str(pynvml.nvmlDeviceGetName(handle)) for handle in handles]
    except pynvml.NVMLError:
        return []
