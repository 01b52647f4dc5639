"""A kernel's life: set itself up after the fork, then run one cell after the other as the driver asks."""

import ctypes
import io
import os
import signal
import sys
import warnings
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from plotline.cgroup import cpu_count
from plotline.frames import FrameReader, Header
from plotline.kernel.channel import Channel
from plotline.kernel.cell import run_cell
from plotline.kernel.shell import make_shell
from plotline.paths import WORKSPACE

_LIBC = ctypes.CDLL(None)
_THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "BLIS_NUM_THREADS")


class Interrupts:
    """SIGINT becomes KeyboardInterrupt while a cell runs, and nothing at any other time."""

    def __init__(self) -> None:
        self.armed = False

    def arm(self) -> None:
        # User code may have replaced the handler in an earlier cell.
        signal.signal(signal.SIGINT, self._handle)
        self.armed = True

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.armed:
            raise KeyboardInterrupt


def serve_kernel(channel_fd: int) -> NoReturn:
    """Never returns. The process ends when the driver's end of the channel is gone."""
    interrupts = Interrupts()
    _set_up_process()
    channel = Channel(channel_fd)
    os.register_at_fork(after_in_child=channel.forget)
    shell = make_shell(channel)
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


def _receive(fd: int, reader: FrameReader) -> tuple[Header, bytes] | None:
    while (frame := reader.next()) is None:
        data = os.read(fd, 1 << 18)
        if not data:
            return None
        reader.feed(data)
    return frame


def _set_up_process() -> None:
    from plotline.driver import boot

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
    _raise_threads()


def _stream(fd: int) -> io.TextIOWrapper:
    raw = open(fd, "wb", buffering=1 << 16, closefd=False)
    return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", line_buffering=True)


def _warning_text(message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None) -> str:
    """Says where only when that is the cell; paths of libraries help nobody."""
    place = f" ({filename}, line {lineno})" if filename.startswith("<cell") else ""
    return f"{category.__name__}: {message}{place}\n"


def _raise_threads() -> None:
    """The driver keeps numeric libraries at one thread, because only a single-threaded process forks safely."""
    count = cpu_count()
    for name in _THREAD_SETTINGS:
        os.environ[name] = str(count)
    with suppress(Exception):
        from threadpoolctl import threadpool_limits

        threadpool_limits(count)


def _flush() -> None:
    """Everything the cell printed reaches the pipe before `done`: Python's buffers and those of C code."""
    for stream in {sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__}:
        with suppress(Exception):
            stream.flush()  # type: ignore[union-attr]
    _LIBC.fflush(None)
