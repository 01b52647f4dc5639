"""A kernel's life: set itself up after the fork, then run one cell after the other as the driver asks."""

import ctypes
import gc
import io
import mmap
import os
import select
import signal
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from threadpoolctl import ThreadpoolController

from plotline import ledger
from plotline.cgroup import KillCounter, cpu_count
from plotline.frames import FrameReader, Header
from plotline.kernel.channel import Channel
from plotline.kernel.cell import run_cell
from plotline.kernel.mode_changes import ignore_mode_changes
from plotline.kernel.shell import make_shell, warm_shell
from plotline.kernel.warm import take_pages
from plotline.paths import WORKSPACE

_LIBC = ctypes.CDLL(None)
_THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "BLIS_NUM_THREADS")


class Interrupts:
    """SIGINT becomes KeyboardInterrupt while a cell runs, and nothing at any other time."""

    def __init__(self, begun: mmap.mmap) -> None:
        self.armed = False
        self._begun = begun

    def arm(self) -> None:
        # User code may have replaced the handler in an earlier cell.
        signal.signal(signal.SIGINT, self._handle)
        self.armed = True
        # The driver keeps an interrupt back until it sees this; an earlier one would be lost.
        self._begun[0] = 1

    def disarm(self) -> None:
        self.armed = False
        self._begun[0] = 0

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.armed:
            raise KeyboardInterrupt


class PreparedKernel:
    """What every kernel needs and only the driver has time for: made once, and taken along by each fork."""

    def __init__(self) -> None:
        self.channel = Channel()
        self.shell = make_shell(self.channel)
        warm_shell(self.shell)
        ledger.install()
        self.threads = ThreadpoolController()
        # IPython adds the working directory; the driver must not import from there.
        sys.path[:] = [path for path in sys.path if path]
        gc.collect()
        gc.freeze()


def serve_kernel(prepared: PreparedKernel, channel_fd: int, begun: mmap.mmap) -> NoReturn:
    """Never returns. The process ends when the driver's end of the channel is gone."""
    interrupts = Interrupts(begun)
    _set_up_process(prepared.threads)
    channel, shell = prepared.channel, prepared.shell
    take_pages(shell, lambda: bool(select.select([channel_fd], [], [], 0)[0]))
    channel.connect(channel_fd)
    shell.user_ns["_dh"][:] = [Path.cwd()]
    os.register_at_fork(after_in_child=channel.forget)
    reader = FrameReader()
    while True:
        request = _receive(channel_fd, reader)
        if request is None:
            os._exit(0)
        header, code = request
        channel.nonce = str(header.get("nonce"))
        done = run_cell(shell, channel, code.decode("utf-8", "replace"), interrupts, header)
        _flush()
        channel.send({"type": "done", **done})


def _receive(fd: int, reader: FrameReader) -> tuple[Header, bytearray] | None:
    while (frame := reader.next()) is None:
        if reader.read(fd) == 0:
            return None
    return frame


def _set_up_process(threads: ThreadpoolController) -> None:
    from plotline.driver import boot

    if KillCounter().kills() is None:
        ignore_mode_changes()
    boot.become_dumpable()
    boot.set_oom_score(boot.KERNEL_OOM_SCORE)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(WORKSPACE)
    sys.path.insert(0, "")
    sys.dont_write_bytecode = True
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)
    # Lines leave at once, so that stdout and stderr keep their order; lone surrogates print as escapes.
    sys.stdout = sys.__stdout__ = _stream(1)
    sys.stderr = sys.__stderr__ = _stream(2)
    warnings.formatwarning = _warning_text
    warnings.filterwarnings("ignore", message="To exit: use 'exit'")
    _raise_threads(threads)


def _stream(fd: int) -> io.TextIOWrapper:
    raw = open(fd, "wb", buffering=1 << 16, closefd=False)
    return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", line_buffering=True)


def _warning_text(message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None) -> str:
    """Says where only when that is the cell; paths of libraries help nobody."""
    place = f" ({filename}, line {lineno})" if filename.startswith("<cell") else ""
    return f"{category.__name__}: {message}{place}\n"


def _raise_threads(threads: ThreadpoolController) -> None:
    """The driver keeps numeric libraries at one thread, because only a single-threaded process forks safely."""
    count = cpu_count()
    for name in _THREAD_SETTINGS:
        os.environ[name] = str(count)
    with suppress(Exception):
        threads.limit(limits=count)


def _flush() -> None:
    """Everything the cell printed reaches the pipe before `done`: Python's buffers and those of C code."""
    for stream in {sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__}:
        with suppress(Exception):
            stream.flush()  # type: ignore[union-attr]
    _LIBC.fflush(None)
