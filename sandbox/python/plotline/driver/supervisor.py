"""Keeps one kernel alive and brings one run at a time to its end, whatever the code in it does."""

import array
import fcntl
import os
import signal
import termios
import time
from contextlib import suppress

from plotline.cgroup import KillCounter, memory_limit_bytes
from plotline.driver import processes
from plotline.driver.changes import ChangeWatcher
from plotline.driver.kernel_process import KernelProcess, Serve
from plotline.driver.memory_guard import MemoryGuard
from plotline.driver.messages import RESULT_BYTES_LIMIT, RESULTS_LIMIT, MessageError, check_error, check_parts
from plotline.driver.outbox import Outbox
from plotline.driver.run import Error, Run, died_error, idle_death_note, out_of_memory_error, stopped_error
from plotline.frames import FrameError, Header

READ_BYTES = 256 * 1024
INTERRUPT_RETRY_SECONDS = 0.005
END_SECONDS = 0.2
"""A kernel whose channel closed gets this long to end by itself, so that its own exit code or signal is what is told."""

THREADS_KEPT = 32
"""A stopped cell may leave as many threads in its kernel as pools of numeric libraries take; past it the kernel is replaced."""

_CHILD_KILLED = "[a process that the cell had started was ended, because the container ran out of memory; the variables are kept]"


class Supervisor:
    """Owns the kernel and the current run. The loop calls it when one of its descriptors is ready or its deadline is due."""

    def __init__(self, outbox: Outbox, watcher: ChangeWatcher, serve_kernel: Serve) -> None:
        self._outbox = outbox
        self._watcher = watcher
        self._serve_kernel = serve_kernel
        self._notes: list[str] = []
        self._counter = KillCounter()
        self._kills_seen = self._counter.kills()
        self._guard = MemoryGuard(processes.strangers) if self._kills_seen is None else None
        self._guarded = False
        self.run: Run | None = None
        self.kernel = KernelProcess(serve_kernel)

    # ------------------------------------------------------------ a run's beginning

    def start(self, run: Run, code: bytearray) -> None:
        """Hands the cell to the kernel; `run` must be the only one."""
        self.reap()
        if not self.kernel.alive:
            self._replace_idle_kernel()
        self.drain()
        for note in self._notes:
            run.output.note(note)
        self._notes.clear()
        self._kills_seen = self._counter.kills()
        if self._guard is not None:
            self._guard.begin()
            self._guarded = True
        run.start_clock()
        self.run = run
        with suppress(OSError):  # A kernel that is just ending is noticed by its channel.
            self.kernel.outbox.send({"type": "run", "nonce": run.nonce, "seed": run.seed, "clockMs": run.clock_ms}, code)
            self.kernel.outbox.flush()

    def stop(self, reason: str) -> None:
        """Interrupts the run as soon as the kernel has begun it; its grace begins now. `reason` is the status it will end with."""
        if self.run is None or self.run.stop_reason is not None:
            return
        self.run.stop_reason = reason
        self.run.kill_at = time.monotonic() + self.run.grace_ms / 1000
        self._interrupt(self.run)

    def _interrupt(self, run: Run) -> None:
        """Once, when the kernel has begun the cell: before that it ignores interrupts."""
        if self.kernel.is_interruptible:
            run.interrupt_at = None
            self.kernel.interrupt()
        else:
            run.interrupt_at = time.monotonic() + INTERRUPT_RETRY_SECONDS

    def tick(self) -> None:
        """Does what is due by the clock."""
        if self._guard is not None and self._guarded and time.monotonic() >= self._guard.look_at and self._guard.is_over():
            self._end_largest(self._guard)
        run, now = self.run, time.monotonic()
        if run is None:
            return
        flush_at = run.output.deadline()
        if flush_at is not None and now >= flush_at:
            run.output.flush()
        if run.interrupt_at is not None and now >= run.interrupt_at:
            self._interrupt(run)
        if now < run.deadline():
            return
        if run.stop_reason is None:
            self.stop("timeout")
        else:
            self._replace_kernel()
            self._finish(run.stop_reason, stopped_error(run, state_kept=False, traceback=""), state_kept=False)

    def deadline(self) -> float | None:
        times = [self._guard.look_at] if self._guard is not None and self._guarded else []
        if (run := self.run) is not None:
            times += [at for at in (run.deadline(), run.output.deadline(), run.interrupt_at) if at is not None]
        return min(times, default=None)

    # ------------------------------------------------------------ what comes from the kernel

    def take_output(self, stream: str, fd: int) -> int:
        """Reads a pipe once; returns how many bytes came. Output that belongs to no run is dropped."""
        try:
            data = os.read(fd, READ_BYTES)
        except BlockingIOError:
            return 0
        if not data:
            self.kernel.close_pipe(stream)
        elif self.run is not None:
            self.run.output.feed(stream, data)
        return len(data)

    def drain(self) -> None:
        """Reads what sits in the pipes now, but not what is written meanwhile."""
        for stream, fd in list(self.kernel.pipe_fds.items()):
            waiting = array.array("i", [0])
            with suppress(OSError):
                fcntl.ioctl(fd, termios.FIONREAD, waiting)
            left = waiting[0]
            while left > 0 and (got := self.take_output(stream, fd)) > 0:
                left -= got

    def take_messages(self) -> None:
        """Moves the channel on, both ways."""
        kernel = self.kernel
        try:
            kernel.outbox.flush()
            count = kernel.reader.read(kernel.channel_fd)
        except BlockingIOError:
            return
        except OSError:
            count = 0
        if count == 0:
            self._kernel_lost("its link to the driver was closed")
            return
        try:
            while self.kernel is kernel and (frame := kernel.reader.next()) is not None:
                self._take_message(*frame)
        except (FrameError, MessageError) as problem:
            self._kernel_lost(f"its link to the driver carried something that is not a message ({problem})")

    def _take_message(self, header: Header, payload: bytearray) -> None:
        run = self.run
        if run is None or header.get("nonce") != run.nonce:
            raise MessageError("it belongs to no run")
        if header["type"] == "result":
            self._take_result(run, header, payload)
        elif header["type"] == "done":
            self._take_done(run, header)
        else:
            raise MessageError("unknown type")

    def _take_result(self, run: Run, header: Header, payload: bytearray) -> None:
        parts = check_parts(header, payload)
        run.result_count += 1
        run.result_bytes += len(payload)
        if run.result_count > RESULTS_LIMIT or run.result_bytes > RESULT_BYTES_LIMIT:
            if not run.results_cut:
                run.output.note(f"[results left out: the limit is {RESULTS_LIMIT} results and {RESULT_BYTES_LIMIT >> 20} MB a cell]")
            run.results_cut = run.truncated = True
            return
        self._outbox.send({"type": "result", "id": run.id, "parts": parts}, payload)

    def _take_done(self, run: Run, header: Header) -> None:
        error = check_error(header.get("error"))
        status = header.get("status")
        if status not in ("ok", "error") or (status == "ok") != (error is None):
            raise MessageError("status and error do not fit")
        run.truncated |= header.get("truncated") is True
        self.drain()
        if run.guard_kills or self._kills_since_begin() > 0:
            run.output.note(_CHILD_KILLED)
        if run.stop_reason is not None:
            state_kept = self._end_what_it_left()
            self._finish(run.stop_reason, stopped_error(run, state_kept=state_kept, traceback="" if error is None else error["traceback"]), state_kept=state_kept)
        else:
            self._finish(status, error, state_kept=True)

    def _end_what_it_left(self) -> bool:
        """After a stopped cell whose kernel lives on: its processes end. False where the kernel had to go as well."""
        is_clean = processes.end_others(self.kernel.pid) and processes.thread_count(self.kernel.pid) <= THREADS_KEPT
        if not is_clean:
            self._replace_kernel()
        return is_clean

    def _finish(self, status: str, error: Error | None, *, state_kept: bool) -> None:
        """`state_kept`: the kernel that ran the cell lives on, with its variables."""
        run, self.run = self.run, None
        if run is None:
            return
        duration_ms = run.duration_ms()
        changes = self._watcher.look()
        for note in changes.notes:
            run.output.note(note)
        run.output.close()
        self._kills_seen = self._counter.kills()
        self._outbox.send(
            {
                "type": "done",
                "id": run.id,
                "status": status,
                "error": error,
                "stateKept": state_kept,
                "files": [change.as_json() for change in changes.files],
                "durationMs": duration_ms,
                "truncated": run.truncated or run.output.truncated or changes.truncated,
            }
        )

    # ------------------------------------------------------------ a kernel's end

    def reap(self) -> None:
        """Notices children that ended."""
        status = processes.reap().get(self.kernel.pid)
        if status is None:
            return
        self.kernel.wait_status = status
        if self.run is None:
            self._replace_idle_kernel()
            return
        kernel = self.kernel
        # It may have said "done" before it ended.
        self.take_messages()
        if self.run is not None and self.kernel is kernel:
            self._kernel_lost(None)

    def end(self) -> None:
        """Leaves no process of user code behind."""
        processes.kill_all(self.kernel.pid)

    def _kernel_lost(self, reason: str | None) -> None:
        """The kernel is dead, or can no longer be talked to (`reason`)."""
        run, kernel = self.run, self.kernel
        kernel.await_end(END_SECONDS)
        status = kernel.wait_status
        if run is None:
            self._replace_idle_kernel()
            return
        kills = self._kills_since_begin()
        self._replace_kernel()
        # One that held much memory closes its link long before it has ended.
        killed = status is None or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL)
        if killed and kills > 0:
            self._finish("out-of-memory", out_of_memory_error(self._memory_limit()), state_kept=False)
        elif run.stop_reason is not None:
            self._finish(run.stop_reason, stopped_error(run, state_kept=False, traceback=""), state_kept=False)
        else:
            self._finish("error", died_error(status, reason), state_kept=False)

    def _kills_since_begin(self) -> int:
        """Processes killed for lack of memory since the run began; 0 where that cannot be read."""
        before, now = self._kills_seen, self._counter.kills()
        return 0 if before is None or now is None else now - before

    def _memory_limit(self) -> int | None:
        return memory_limit_bytes() if self._guard is None else self._guard.limit_bytes

    def _end_largest(self, guard: MemoryGuard) -> None:
        """
        Much as the operating system would: where a child is the largest process, the variables are kept; otherwise the kernel goes.
        All children go at once, because several can take memory faster than they are ended one by one.
        """
        guard.settle()
        if guard.largest() not in (None, self.kernel.pid):
            if self.run is not None:
                self.run.guard_kills += 1
            for pid in processes.strangers():
                if pid != self.kernel.pid:
                    with suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, signal.SIGKILL)
        elif self.run is not None:
            self._replace_kernel()
            self._finish("out-of-memory", out_of_memory_error(guard.limit_bytes), state_kept=False)
        else:
            self._replace_idle_kernel(out_of_memory=True)

    def _replace_idle_kernel(self, *, out_of_memory: bool = False) -> None:
        """A kernel that ended while no cell ran: replaced at once, said in the next run."""
        before, now = self._kills_seen, self._counter.kills()
        old = self.kernel
        self._replace_kernel()
        out_of_memory |= before is not None and now is not None and now > before
        self._kills_seen = now
        self._notes.append(idle_death_note(old.wait_status, out_of_memory=out_of_memory))

    def _replace_kernel(self) -> None:
        old = self.kernel
        self.drain()
        ended = processes.kill_all(old.pid)
        if old.wait_status is None:
            old.wait_status = ended.get(old.pid)
        self.drain()
        old.close()
        # The new one holds nothing that could grow until it has run a cell.
        self._guarded = False
        self.kernel = KernelProcess(self._serve_kernel)
