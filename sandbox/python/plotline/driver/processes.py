"""Ending what a kernel started, whatever it did to get away: own sessions, double forks, fork bombs."""

import os
import signal
import time
from contextlib import suppress

KILL_SECONDS = 3.0
"""Bound of the hunt. A process that survives SIGKILL this long sits in the operating system, not in user code."""


OTHERS_ROUNDS = 20
"""How often the hunt beside a living kernel goes round before the kernel goes too: some 0.3 s."""


def _parents() -> dict[int, int]:
    """Parent of every live process of the container (zombies left out)."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                # The command name is in parentheses and may hold anything, also parentheses.
                state, parent = file.read().rpartition(b")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if state not in (b"Z", b"X"):
            parents[int(name)] = int(parent)
    return parents


def strangers() -> list[int]:
    """Live processes that come from user code: all but the first one, this process, and what was brought in from outside.

    Orphans belong to the first process, which is this one in a container; only the engine can bring in a process whose root is neither.
    """
    parents = _parents()
    own = {1, os.getpid()}

    def root(pid: int) -> int:
        seen = 0
        while pid not in own and parents.get(pid, 0) != 0 and seen < len(parents):
            pid, seen = parents[pid], seen + 1
        return pid

    return [pid for pid in parents if pid not in own and (root(pid) in own)]


def reap() -> dict[int, int]:
    """Wait statuses of all children that ended, by process id."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = status


def end_others(kernel_pid: int) -> bool:
    """Kills whatever user code left running beside its kernel; False where it comes back faster than it is killed."""
    for round_number in range(OTHERS_ROUNDS):
        others = [pid for pid in strangers() if pid != kernel_pid]
        if not others:
            return True
        for pid in others:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002 if round_number < 5 else 0.02)
    return False


def thread_count(pid: int) -> int:
    """Threads of a process; 0 where it has ended."""
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def kill_all(kernel_pid: int) -> dict[int, int]:
    """Kills a kernel, its group and everything else user code left behind; returns the wait statuses it reaped."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(kernel_pid, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.kill(kernel_pid, signal.SIGKILL)
    ended: dict[int, int] = {}
    until = time.monotonic() + KILL_SECONDS
    rounds = 0
    while True:
        ended.update(reap())
        left = strangers()
        if not left or time.monotonic() > until:
            return ended
        rounds += 1
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if rounds > 3:
            # Something forks faster than it can be listed. Killing "everybody" is one atomic step for the operating
            # system; it spares the first process and this one.
            with suppress(ProcessLookupError, PermissionError):
                os.kill(-1, signal.SIGKILL)
        time.sleep(0.002 if rounds < 5 else 0.02)
