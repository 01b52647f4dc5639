"""A kernel as the driver sees it: a forked child, a private channel to it, and the pipes of its standard streams."""

import fcntl
import mmap
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from plotline.driver.outbox import Outbox
from plotline.driver.processes import reap
from plotline.frames import FrameReader

PIPE_BYTES = 1 << 20
CHANNEL_BUFFER_BYTES = 1 << 20

Serve = Callable[[int, mmap.mmap], NoReturn]


class KernelProcess:
    """One forked kernel. The driver is single-threaded at the fork, so the child starts from a sane state."""

    def __init__(self, serve: Serve) -> None:
        """Forks. `serve(channel, begun)` runs in the child with nothing but fds 0 to 2 and the channel open."""
        self._begun = mmap.mmap(-1, mmap.PAGESIZE)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, CHANNEL_BUFFER_BYTES)
        pipes = {stream: os.pipe() for stream in ("stdout", "stderr")}
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            _become_kernel(theirs.fileno(), pipes["stdout"][1], pipes["stderr"][1], self._begun, serve)
        theirs.close()
        ours.setblocking(False)
        self.pid = pid
        self.wait_status: int | None = None
        self._channel = ours
        self.channel_fd = ours.fileno()
        self.outbox = Outbox(self.channel_fd)
        self.reader = FrameReader()
        self.pipe_fds: dict[str, int] = {}
        for stream, (read_end, write_end) in pipes.items():
            os.close(write_end)
            os.set_blocking(read_end, False)
            with suppress(OSError):
                fcntl.fcntl(read_end, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            self.pipe_fds[stream] = read_end

    @property
    def alive(self) -> bool:
        return self.wait_status is None

    @property
    def is_interruptible(self) -> bool:
        """The kernel is inside a cell. It says so in shared memory, which costs no message; a lie only ends its own cell by a kill."""
        return self._begun[0] == 1

    def interrupt(self) -> None:
        """SIGINT to the kernel's process group, so that a shell command it waits for ends too."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGINT)

    def await_end(self, limit_seconds: float) -> None:
        """Waits, bounded, for a kernel that may be ending."""
        until = time.monotonic() + limit_seconds
        while self.wait_status is None and time.monotonic() < until:
            self.wait_status = reap().get(self.pid)
            if self.wait_status is None:
                time.sleep(0.002)

    def close(self) -> None:
        self._channel.close()
        self._begun.close()
        for stream in list(self.pipe_fds):
            self.close_pipe(stream)

    def close_pipe(self, stream: str) -> None:
        os.close(self.pipe_fds.pop(stream))


def _become_kernel(channel: int, stdout: int, stderr: int, begun: mmap.mmap, serve: Serve) -> NoReturn:
    code = 70
    try:
        signal.set_wakeup_fd(-1)
        os.setsid()
        null = os.open("/dev/null", os.O_RDONLY)
        # High numbers first: the descriptors to copy may themselves sit on 0, 1 or 2.
        sources = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100) for fd in (null, stdout, stderr)]
        for target, source in enumerate(sources):
            os.dup2(source, target)
        private = fcntl.fcntl(channel, fcntl.F_DUPFD_CLOEXEC, 200)
        os.closerange(3, private)
        os.closerange(private + 1, 65536)
        serve(private, begun)
    except BaseException:  # The child must never return into the driver's loop.
        with suppress(BaseException):
            import traceback

            os.write(2, traceback.format_exc().encode("utf-8", "replace"))
    finally:
        os._exit(code)
