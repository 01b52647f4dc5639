"""The driver's single-threaded loop: requests of the bot, one kernel, one run or transfer at a time."""

import array
import fcntl
import os
import selectors
import signal
import socket
import sys
import termios
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from plotline.cgroup import out_of_memory_kills
from plotline.driver import processes
from plotline.driver.changes import ChangeWatcher
from plotline.driver.kernel_process import KernelProcess
from plotline.driver.messages import RESULT_BYTES_LIMIT, RESULTS_LIMIT, MessageError, check_error, check_parts
from plotline.driver.outbox import Outbox
from plotline.driver.output import RunOutput
from plotline.driver.run import Run, died_error, idle_death_note, out_of_memory_error, stopped_error
from plotline.driver.transfers import FileRead, FileWrite, listing
from plotline.driver.workspace import PathError, open_root
from plotline.frames import FrameError, FrameReader, Header

READ_BYTES = 256 * 1024
OUTBOX_HIGH_BYTES = 8 << 20
"""Past this much unsent data nothing new is taken from the kernel's channel or from a file."""

CODE_LIMIT_BYTES = 4 << 20
OUTPUT_LIMIT_BYTES = 256 << 20
END_SECONDS = 0.2
"""A kernel whose channel closed gets this long to end by itself, so that its own exit code or signal is what is told."""

TIME_LIMIT_MS = 24 * 3600 * 1000
DRAIN_ROUNDS = 64
"""Bound of reading a dead or finished kernel's pipes (16 MiB), for background processes may keep writing."""


class ProtocolError(Exception):
    """The bot broke the protocol; the session cannot go on."""


class Driver:
    """Owns the link to the bot, the current kernel, and whatever request is under way."""

    def __init__(self, stdin: int, stdout: int, workspace: str, serve_kernel: Callable[[int], NoReturn]) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._serve_kernel = serve_kernel
        self._root = open_root(workspace)
        self._watcher = ChangeWatcher(self._root)
        self._selector = selectors.DefaultSelector()
        self._reader = FrameReader()
        self._outbox = Outbox(stdout)
        self._waiting: deque[tuple[Header, bytes]] = deque()
        self._registered: dict[int, int] = {}
        self._run: Run | None = None
        self._write: tuple[int, FileWrite | None] | None = None
        self._read: tuple[int, FileRead] | None = None
        self._notes: list[str] = []
        os.set_blocking(stdin, False)
        os.set_blocking(stdout, False)
        self._wake_read, wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        wake_write.setblocking(False)
        self._wake_write = wake_write
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write.fileno(), warn_on_full_buffer=False)
        self._kills_seen = out_of_memory_kills()
        self._kernel = KernelProcess(serve_kernel)

    def ready(self, header: Header) -> None:
        self._outbox.send(header)

    def serve(self) -> None:
        """Until the bot closes stdin. Raises `ProtocolError`, or `OSError` when the bot's end of stdout is gone."""
        try:
            while True:
                self._watch()
                for key, _ in self._selector.select(self._patience()):
                    if self._handle_ready(key.fd):
                        return
                self._tick()
        finally:
            processes.kill_all(self._kernel.pid)

    # ------------------------------------------------------------ what to wait for

    def _watch(self) -> None:
        """Registers exactly the descriptors that may make progress now."""
        kernel = self._kernel
        wanted = {self._stdin: selectors.EVENT_READ, self._wake_read.fileno(): selectors.EVENT_READ}
        if self._outbox.pending_bytes:
            wanted[self._stdout] = selectors.EVENT_WRITE
        for fd in kernel.pipe_fds.values():
            wanted[fd] = selectors.EVENT_READ
        if kernel.channel_open:
            events = selectors.EVENT_WRITE if kernel.outbox.pending_bytes else 0
            if self._outbox.pending_bytes < OUTBOX_HIGH_BYTES:
                events |= selectors.EVENT_READ
            if events:
                wanted[kernel.channel_fd] = events
        for fd in self._registered.keys() - wanted.keys():
            with suppress(KeyError, ValueError, OSError):
                self._selector.unregister(fd)
        for fd, events in wanted.items():
            if fd not in self._registered:
                self._selector.register(fd, events)
            elif self._registered[fd] != events:
                self._selector.modify(fd, events)
        self._registered = wanted

    def _patience(self) -> float | None:
        if self._read is not None and self._outbox.pending_bytes < OUTBOX_HIGH_BYTES:
            return 0
        if self._run is None:
            return None
        deadlines = [self._run.deadline()]
        if (flush_at := self._run.output.deadline()) is not None:
            deadlines.append(flush_at)
        return max(0.0, min(deadlines) - time.monotonic())

    def _forget(self, *fds: int) -> None:
        for fd in fds:
            if self._registered.pop(fd, None) is not None:
                self._selector.unregister(fd)

    # ------------------------------------------------------------ events

    def _handle_ready(self, fd: int) -> bool:
        """One ready descriptor. True when the bot is gone."""
        if fd == self._stdin:
            return self._take_requests()
        if fd == self._stdout:
            self._outbox.flush()
        elif fd == self._wake_read.fileno():
            with suppress(BlockingIOError):
                self._wake_read.recv(4096)
            self._reap()
        elif fd == self._kernel.channel_fd and self._kernel.channel_open:
            self._take_messages()
        else:
            for stream, pipe in list(self._kernel.pipe_fds.items()):
                if pipe == fd:
                    self._take_output(stream, pipe)
        return False

    def _tick(self) -> None:
        now = time.monotonic()
        run = self._run
        if run is not None:
            flush_at = run.output.deadline()
            if flush_at is not None and now >= flush_at:
                run.output.flush()
            if now >= run.deadline():
                if run.stop_reason is None:
                    self._stop("timeout")
                elif run.kill_at is not None and now >= run.kill_at:
                    self._kill_run()
        while self._read is not None and self._outbox.pending_bytes < OUTBOX_HIGH_BYTES:
            self._send_piece()
        self._next_request()

    # ------------------------------------------------------------ the bot's requests

    def _take_requests(self) -> bool:
        try:
            data = os.read(self._stdin, READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            return True
        self._reader.feed(data)
        while (frame := self._reader.next()) is not None:
            header, payload = frame
            if header["type"] == "interrupt":
                if self._run is not None and self._run.id == header.get("id") and self._run.stop_reason is None:
                    self._stop("cancelled")
            elif header["type"] == "write-data" and not self._waiting:
                self._write_data(header, payload)
            else:
                self._waiting.append(frame)
                self._next_request()
        return False

    def _next_request(self) -> None:
        while self._waiting and self._run is None and self._read is None:
            header, payload = self._waiting.popleft()
            kind, request = header["type"], header.get("id")
            if not isinstance(request, int) or isinstance(request, bool) or request < 1:
                raise ProtocolError(f"{kind!r} without an id")
            if kind == "run":
                self._start_run(request, header, payload)
            elif kind == "write":
                self._start_write(request, header)
            elif kind == "write-data":
                self._write_data(header, payload)
            elif kind == "write-end":
                self._end_write(request, header)
            elif kind == "read":
                self._start_read(request, header)
            elif kind == "list":
                self._answer(request, lambda: self._outbox.send({"type": "listing", "id": request, "entries": listing(self._root, header.get("path"))}))
            elif kind == "ping":
                self._outbox.send({"type": "pong", "id": request})
            else:
                raise ProtocolError(f"unknown request {kind!r}")

    def _answer(self, request: int, action: Callable[[], None]) -> bool:
        """Runs `action`; a `PathError` becomes `failed`. True when it worked."""
        try:
            action()
        except PathError as problem:
            self._outbox.send({"type": "failed", "id": request, "code": problem.code, "message": str(problem)})
            return False
        return True

    def _start_write(self, request: int, header: Header) -> None:
        if self._write is not None:
            raise ProtocolError("a write began before the last one ended")

        def begin() -> None:
            self._write = (request, FileWrite(self._root, header.get("path"), header.get("sizeBytes")))

        if not self._answer(request, begin):
            self._write = (request, None)

    def _write_data(self, header: Header, payload: bytes) -> None:
        if self._write is None or self._write[0] != header.get("id"):
            raise ProtocolError("write-data without its write")
        request, write = self._write
        if write is not None and not self._answer(request, lambda: write.data(payload)):
            self._write = (request, None)

    def _end_write(self, request: int, header: Header) -> None:
        if self._write is None or self._write[0] != request:
            raise ProtocolError("write-end without its write")
        write, self._write = self._write[1], None
        if write is None:
            return
        if header.get("abort") is True:
            write.abort()
            self._outbox.send({"type": "failed", "id": request, "code": "aborted", "message": "The upload was stopped."})
            return

        def finish() -> None:
            size_bytes, sha256 = write.finish(self._watcher)
            self._outbox.send({"type": "written", "id": request, "sizeBytes": size_bytes, "sha256": sha256})

        self._answer(request, finish)

    def _start_read(self, request: int, header: Header) -> None:
        def begin() -> None:
            self._read = (request, FileRead(self._root, header.get("path"), header.get("maxBytes")))

        self._answer(request, begin)

    def _send_piece(self) -> None:
        if self._read is None:
            return
        request, file = self._read

        def send() -> None:
            piece = file.next_piece()
            if piece is not None:
                self._outbox.send({"type": "data", "id": request}, piece)
                return
            self._outbox.send({"type": "end", "id": request, "sizeBytes": file.size_bytes, "sha256": file.sha256})
            self._read = None

        if not self._answer(request, send):
            self._read = None
        if self._read is None:
            file.close()

    # ------------------------------------------------------------ a run

    def _start_run(self, request: int, header: Header, code: bytes) -> None:
        limits = [header.get(key) for key in ("timeoutMs", "graceMs", "maxOutputBytes")]
        if any(not isinstance(value, int) or isinstance(value, bool) or value < 0 for value in limits):
            raise ProtocolError("run without its limits")
        if len(code) > CODE_LIMIT_BYTES:
            raise ProtocolError("code over the cap")
        timeout_ms, grace_ms, output_bytes = limits
        self._reap()
        if not self._kernel.alive or not self._kernel.channel_open:
            self._respawn_idle()
        self._drain()

        def emit(stream: str, text: str) -> None:
            self._outbox.send({"type": "output", "id": request, "stream": stream}, text.encode("utf-8", "replace"))

        self._run = run = Run(request, min(timeout_ms, TIME_LIMIT_MS), grace_ms, RunOutput(emit, min(output_bytes, OUTPUT_LIMIT_BYTES)))
        for note in self._notes:
            run.output.note(note)
        self._notes.clear()
        message = {"type": "run", "nonce": run.nonce}
        with suppress(OSError):
            self._kernel.outbox.send(message, code.decode("utf-8", "replace").encode())

    def _stop(self, reason: str) -> None:
        if self._run is None:
            return
        self._run.stop_reason = reason
        self._run.kill_at = time.monotonic() + self._run.grace_ms / 1000
        self._kernel.interrupt()

    def _kill_run(self) -> None:
        run = self._run
        if run is None:
            return
        run.killed_by_us = True
        self._replace_kernel()
        self._finish(str(run.stop_reason), stopped_error(run, state_kept=False, traceback=""))

    def _take_output(self, stream: str, fd: int) -> int:
        """Reads once; returns how many bytes came."""
        try:
            data = os.read(fd, READ_BYTES)
        except BlockingIOError:
            return 0
        if not data:
            self._forget(fd)
            os.close(self._kernel.pipe_fds.pop(stream))
        elif self._run is not None:
            self._run.output.feed(stream, data)
        return len(data)

    def _drain(self) -> None:
        """What already sits in the pipes, but not what is written while we read."""
        for stream, fd in list(self._kernel.pipe_fds.items()):
            size = array.array("i", [0])
            with suppress(OSError):
                fcntl.ioctl(fd, termios.FIONREAD, size)
            left, rounds = size[0], 0
            while left > 0 and rounds < DRAIN_ROUNDS:
                got = self._take_output(stream, fd)
                if got == 0:
                    break
                left, rounds = left - got, rounds + 1

    def _take_messages(self) -> None:
        kernel = self._kernel
        try:
            kernel.outbox.flush()
            data = os.read(kernel.channel_fd, READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._channel_lost("its link to the driver was closed")
            return
        try:
            kernel.reader.feed(data)
            while self._kernel is kernel and (frame := kernel.reader.next()) is not None:
                self._message(*frame)
        except (FrameError, MessageError) as problem:
            self._channel_lost(f"its link to the driver carried something that is not a message ({problem})")

    def _message(self, header: Header, payload: bytes) -> None:
        run = self._run
        if run is None or header.get("nonce") != run.nonce:
            raise MessageError("it belongs to no run")
        if header["type"] == "result":
            self._take_result(run, header, payload)
        elif header["type"] == "done":
            self._take_done(run, header)
        else:
            raise MessageError("unknown type")

    def _take_result(self, run: Run, header: Header, payload: bytes) -> None:
        parts = check_parts(header, payload)
        run.result_count += 1
        run.result_bytes += len(payload)
        if run.result_count > RESULTS_LIMIT or run.result_bytes > RESULT_BYTES_LIMIT:
            if not run.truncated:
                run.output.note(f"[results left out: the limit is {RESULTS_LIMIT} results and {RESULT_BYTES_LIMIT >> 20} MB a cell]")
            run.truncated = True
            return
        self._outbox.send({"type": "result", "id": run.id, "parts": parts}, payload)

    def _take_done(self, run: Run, header: Header) -> None:
        error = check_error(header.get("error"))
        status = header.get("status")
        if status not in ("ok", "error") or (status == "ok") != (error is None):
            raise MessageError("status and error do not fit")
        run.truncated |= header.get("truncated") is True
        self._drain()
        if run.out_of_memory_kills() > 0:
            run.output.note("[a process that the cell had started was ended, because the container ran out of memory; the variables are kept]")
        if run.stop_reason is not None:
            traceback = "" if error is None else error["traceback"]
            self._finish(run.stop_reason, stopped_error(run, state_kept=True, traceback=traceback))
        else:
            self._finish(status, error)

    def _finish(self, status: str, error: dict[str, str] | None) -> None:
        run, self._run = self._run, None
        if run is None:
            return
        duration_ms = run.duration_ms()
        changes = self._watcher.look()
        for note in changes.notes:
            run.output.note(note)
        run.output.close()
        self._kills_seen = out_of_memory_kills()
        self._outbox.send(
            {
                "type": "done",
                "id": run.id,
                "status": status,
                "error": error,
                "files": [{"path": file.path, "sizeBytes": file.size_bytes, "sha256": file.sha256, "change": file.change} for file in changes.files],
                "durationMs": duration_ms,
                "truncated": run.truncated or run.output.truncated or changes.truncated,
            }
        )

    # ------------------------------------------------------------ a kernel's end

    def _reap(self) -> None:
        status = processes.reap().get(self._kernel.pid)
        if status is not None:
            self._kernel.wait_status = status
            self._kernel_died()

    def _kernel_died(self) -> None:
        if self._run is None:
            self._respawn_idle()
            return
        if self._kernel.channel_open:
            # It may have said "done" before it ended.
            self._take_messages()
        if self._run is not None and not self._kernel.alive:
            self._channel_lost(None)

    def _channel_lost(self, reason: str | None) -> None:
        """The kernel is dead, or can no longer be talked to (`reason`)."""
        run, kernel = self._run, self._kernel
        if run is None:
            self._respawn_idle()
            return
        kernel.await_end(END_SECONDS)
        kills = run.out_of_memory_kills()
        self._replace_kernel()
        status = kernel.wait_status
        out_of_memory = status is not None and os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL and kills > 0
        own_end = status is not None and not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL)
        if out_of_memory:
            self._finish("out-of-memory", out_of_memory_error())
        elif run.stop_reason is not None:
            self._finish(run.stop_reason, stopped_error(run, state_kept=False, traceback=""))
        else:
            self._finish("error", died_error(status, None if reason is None or own_end else reason))

    def _respawn_idle(self) -> None:
        """A kernel that ended while no cell ran: replaced at once, said in the next run."""
        before, now = self._kills_seen, out_of_memory_kills()
        out_of_memory = before is not None and now is not None and now > before
        self._kills_seen = now
        old = self._kernel
        self._replace_kernel()
        self._notes.append(idle_death_note(old.wait_status, out_of_memory=out_of_memory))

    def _replace_kernel(self) -> None:
        old = self._kernel
        self._drain()
        ended = processes.kill_all(old.pid)
        old.wait_status = ended.get(old.pid, old.wait_status)
        self._drain()
        self._forget(old.channel_fd, *old.pipe_fds.values())
        old.close()
        self._kernel = KernelProcess(self._serve_kernel)


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
