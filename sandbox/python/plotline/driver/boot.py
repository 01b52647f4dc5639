"""Making the driver's process safe and warm before the first kernel is forked."""

import contextlib
import ctypes
import gc
import importlib
import os
import resource
import shutil
import sys
from collections.abc import Iterator

from plotline.paths import PREBUILT_FONTS, SCRATCH_HOME, WORKSPACE

_KEPT = {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ"}
_THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "BLIS_NUM_THREADS")
_CLEANED = "PLOTLINE_CLEANED"

_PR_SET_DUMPABLE = 4
STREAM_PIPE_BYTES = 1 << 20
KERNEL_OOM_SCORE = 1000
"""The kernel and what it starts go first when memory runs out. Raising is allowed without capabilities, lowering is not."""

_PRELOADED = (
    "numpy",
    "pandas",
    "matplotlib.pyplot",
    "matplotlib.dates",
    "PIL.Image",
    "PIL.ImageDraw",
    "PIL.ImageFont",
    "openpyxl",
    "plotline.table_picture.picture",
    "plotline.kernel.ipython",
    "asyncio",
    "plotline.intake",
    "plotline.kernel.main",
)


def clean_environment() -> dict[str, str]:
    """The environment of user code: an allow list plus what the image needs. Nothing the engine passed gets through."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT}
    kept.setdefault("PATH", "/usr/local/bin:/usr/bin:/bin")
    kept.setdefault("LANG", "C.UTF-8")
    kept.setdefault("TZ", "UTC")
    return kept | {
        "HOME": SCRATCH_HOME,
        "TMPDIR": "/tmp",
        "MPLCONFIGDIR": "/tmp/matplotlib",
        "XDG_CACHE_HOME": "/tmp/.cache",
        "XDG_RUNTIME_DIR": "/tmp",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        # Sets keep their order from run to run, so that a cell gives the same again.
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "PYGAME_HIDE_SUPPORT_PROMPT": "1",
        "SDL_VIDEODRIVER": "dummy",
        "SDL_AUDIODRIVER": "dummy",
    } | {name: "1" for name in _THREAD_SETTINGS}


def restart_with_clean_environment() -> None:
    """Starts this program again when its environment held anything else: /proc/<pid>/environ keeps the first one."""
    if os.environ.get(_CLEANED) == "1":
        del os.environ[_CLEANED]
        return
    os.execve(sys.executable, [sys.executable, "-m", "plotline.driver"], clean_environment() | {_CLEANED: "1"})


def take_standard_streams() -> tuple[int, int]:
    """Moves stdin and stdout to private descriptors and leaves /dev/null in their place; stderr stays."""
    import fcntl

    private = tuple(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20) for fd in (0, 1))
    for fd in private:
        # Fewer turns between the engine and the driver for the same bytes; not every runtime's streams can grow.
        with contextlib.suppress(OSError):
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, STREAM_PIPE_BYTES)
    for fd in (*private, 2):
        # Nobody can open them a second time, also where /proc/<pid>/fd is open to all. They may be no pipes of ours in a test.
        with contextlib.suppress(OSError):
            os.fchmod(fd, 0)
    null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    return private[0], private[1]


def harden() -> None:
    """Not dumpable (no ptrace, no /proc/<pid>/fd for user code), no core files."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE) failed")


def become_dumpable() -> None:
    """For the kernel: a process that is not dumpable does not own its /proc entries."""
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)


def set_oom_score(score: int) -> None:
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write(str(score))


def guard_imports() -> None:
    """The driver never imports from where user code can write."""
    writable = (WORKSPACE, "/tmp", "/dev/shm")
    os.chdir("/")
    sys.path[:] = [path for path in sys.path if path.startswith("/") and not path.startswith(writable)]
    sys.dont_write_bytecode = True


def preload() -> None:
    """Imports what nearly every cell uses and does each library's slow first step once, so that every fork has it."""
    _copy_fonts()
    with _quiet():
        for name in _PRELOADED:
            try:
                importlib.import_module(name)
            except ImportError as problem:
                print(f"plotline driver: {name} is not preloaded: {problem}", file=sys.stderr, flush=True)
    from plotline.kernel.warm import warm_up

    warm_up()
    gc.collect()
    # What the first steps took and gave back: 7 MB that every session would hold.
    ctypes.CDLL(None).malloc_trim(0)
    gc.freeze()


def _copy_fonts() -> None:
    """A ready font cache saves seconds; it must be writable, and the image is not."""
    target = os.environ["MPLCONFIGDIR"]
    with contextlib.suppress(OSError):
        if os.path.isdir(PREBUILT_FONTS) and not os.path.isdir(target):
            shutil.copytree(PREBUILT_FONTS, target)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
