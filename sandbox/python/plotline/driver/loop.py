"""The driver's single-threaded loop: takes the bot's requests in order, and lets the kernel's descriptors make progress."""

import os
import selectors
import signal
import socket
import sys
import time
from collections import deque
from contextlib import suppress
from typing import Any

from plotline.driver.changes import ChangeWatcher
from plotline.driver.file_service import FileService, ProtocolError
from plotline.driver.outbox import Outbox
from plotline.driver.kernel_process import Serve
from plotline.driver.output import RunOutput
from plotline.driver.run import Run
from plotline.driver.supervisor import Supervisor
from plotline.driver.workspace import open_root
from plotline.frames import FrameError, FrameReader, Header

OUTBOX_HIGH_BYTES = 8 << 20
"""Past this much unsent data nothing new is taken from the kernel's channel or from a file."""

CODE_LIMIT_BYTES = 4 << 20
OUTPUT_LIMIT_BYTES = 256 << 20
TIME_LIMIT_MS = 24 * 3600 * 1000
SEED_LIMIT = (1 << 32) - 1
"""What numpy takes."""

CLOCK_LIMIT_MS = 253_370_764_800_000
"""The begin of the year 9999, the last that Python's dates know."""


class Driver:
    """Owns the link to the bot. Requests are answered in order, one at a time."""

    def __init__(self, stdin: int, stdout: int, workspace: str, serve_kernel: Serve) -> None:
        for fd in (stdin, stdout):
            os.set_blocking(fd, False)
        self._stdin = stdin
        self._stdout = stdout
        self._reader = FrameReader()
        self._outbox = Outbox(stdout)
        self._waiting: deque[tuple[Header, bytearray]] = deque()
        self._selector = selectors.DefaultSelector()
        self._watched: dict[int, int] = {}
        self._watched_kernel: object = None
        # A child's end wakes the loop through this pair.
        self._wake, self._wake_write = socket.socketpair()
        self._wake.setblocking(False)
        self._wake_write.setblocking(False)
        # User code can send its driver any signal; of those, the container's first process gets only what it handles.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)
        root = open_root(workspace)
        watcher = ChangeWatcher(root)
        self._files = FileService(self._outbox, root, watcher)
        self._supervisor = Supervisor(self._outbox, watcher, serve_kernel)

    def ready(self, header: Header) -> None:
        self._outbox.send(header)

    def serve(self) -> None:
        """Until the bot closes stdin. Raises `ProtocolError` or `FrameError`, or `OSError` when the bot's end is gone."""
        try:
            while True:
                self._watch()
                for key, _ in self._selector.select(self._patience()):
                    if not self._handle(key.fd):
                        return
                self._supervisor.tick()
                while self._files.reading and self._has_room():
                    self._files.send_piece()
                self._answer_waiting()
        finally:
            self._supervisor.end()
            # Its other end goes with this object, and children may still end after it.
            signal.set_wakeup_fd(-1)

    def _has_room(self) -> bool:
        return self._outbox.pending_bytes < OUTBOX_HIGH_BYTES

    def _watch(self) -> None:
        """Writes what waits, then registers exactly the descriptors that may make progress now."""
        kernel = self._supervisor.kernel
        wanted = {self._stdin: selectors.EVENT_READ, self._wake.fileno(): selectors.EVENT_READ}
        self._outbox.flush()
        if self._outbox.pending_bytes:
            wanted[self._stdout] = selectors.EVENT_WRITE
        for fd in kernel.pipe_fds.values():
            wanted[fd] = selectors.EVENT_READ
        events = (selectors.EVENT_WRITE if kernel.outbox.pending_bytes else 0) | (selectors.EVENT_READ if self._has_room() else 0)
        if events:
            wanted[kernel.channel_fd] = events
        if wanted == self._watched and kernel is self._watched_kernel:
            return
        if kernel is not self._watched_kernel:
            # The numbers of a dead kernel's descriptors may be in use again, for the new one.
            self._selector.close()
            self._selector = selectors.DefaultSelector()
            self._watched = {}
            self._watched_kernel = kernel
        for fd in self._watched.keys() - wanted.keys():
            with suppress(KeyError, ValueError, OSError):
                self._selector.unregister(fd)
        for fd, events in wanted.items():
            if fd not in self._watched:
                self._selector.register(fd, events)
            elif self._watched[fd] != events:
                self._selector.modify(fd, events)
        self._watched = wanted

    def _patience(self) -> float | None:
        deadline = self._supervisor.deadline()
        return None if deadline is None else max(0.0, deadline - time.monotonic())

    def _handle(self, fd: int) -> bool:
        """One ready descriptor. False when the bot is gone."""
        supervisor = self._supervisor
        if fd == self._stdin:
            return self._take_requests()
        if fd == self._stdout:
            self._outbox.flush()
        elif fd == self._wake.fileno():
            with suppress(BlockingIOError):
                self._wake.recv(4096)
            supervisor.reap()
        elif fd == supervisor.kernel.channel_fd:
            supervisor.take_messages()
        else:
            for stream, pipe in list(supervisor.kernel.pipe_fds.items()):
                if pipe == fd:
                    supervisor.take_output(stream, pipe)
        return True

    def _take_requests(self) -> bool:
        try:
            if self._reader.read(self._stdin) == 0:
                return False
        except BlockingIOError:
            return True
        while (frame := self._reader.next()) is not None:
            header, _ = frame
            if header["type"] == "interrupt":
                run = self._supervisor.run
                if run is not None and run.id == header.get("id"):
                    self._supervisor.stop("cancelled")
            else:
                self._waiting.append(frame)
                self._answer_waiting()
        return True

    def _answer_waiting(self) -> None:
        while self._waiting and self._supervisor.run is None and not self._files.reading:
            self._answer(*self._waiting.popleft())

    def _answer(self, header: Header, payload: bytearray) -> None:
        kind, request = header["type"], header.get("id")
        if not isinstance(request, int) or isinstance(request, bool) or request < 1:
            raise ProtocolError(f"{kind!r} without an id")
        if kind == "run":
            self._start_run(request, header, payload)
        elif kind == "write":
            self._files.begin_write(request, header)
        elif kind == "write-data":
            self._files.write_data(request, payload)
        elif kind == "write-end":
            self._files.end_write(request, abort=header.get("abort") is True)
        elif kind == "read":
            self._files.begin_read(request, header)
        elif kind == "list":
            self._files.list(request, header)
        elif kind == "ping":
            self._outbox.send({"type": "pong", "id": request})
        else:
            raise ProtocolError(f"unknown request {kind!r}")

    def _start_run(self, request: int, header: Header, code: bytearray) -> None:
        limits = [header.get(key) for key in ("timeoutMs", "graceMs", "maxOutputBytes")]
        if any(not isinstance(value, int) or isinstance(value, bool) or value < 0 for value in limits):
            raise ProtocolError("run without its limits")
        if len(code) > CODE_LIMIT_BYTES:
            raise ProtocolError("code over the cap")
        seed = _optional_number(header, "seed", SEED_LIMIT, int)
        clock_ms = _optional_number(header, "clockMs", CLOCK_LIMIT_MS, int, float)
        timeout_ms, grace_ms, output_bytes = limits

        def emit(stream: str, text: str) -> None:
            self._outbox.send({"type": "output", "id": request, "stream": stream}, text.encode("utf-8", "replace"))

        output = RunOutput(emit, min(output_bytes, OUTPUT_LIMIT_BYTES))
        run = Run(request, min(timeout_ms, TIME_LIMIT_MS), min(grace_ms, TIME_LIMIT_MS), output, seed, clock_ms)
        self._supervisor.start(run, code)


def _optional_number(header: Header, name: str, limit: int, *types: type) -> Any:
    """From 0 to `limit`, or None. Raises `ProtocolError` for anything else."""
    value = header.get(name)
    if value is None:
        return None
    # NaN is in no range.
    if not isinstance(value, types) or isinstance(value, bool) or not 0 <= value <= limit:
        raise ProtocolError(f"run with a bad {name}")
    return value


def serve(driver: Driver) -> int:
    """Runs the loop to its end; returns the process's exit code."""
    try:
        driver.serve()
    except (ProtocolError, FrameError) as problem:
        print(f"plotline driver: {problem}", file=sys.stderr, flush=True)
        return 2
    except (BrokenPipeError, ConnectionResetError):
        return 0
    return 0
