"""
Ends user code in time where the memory limit would end the whole container, files and all: under gVisor the control group
holds gVisor's own kernel, and no counter of it can be read inside.
"""

import os
import re
import time
from collections.abc import Callable

OVERHEAD_BYTES = 64 << 20
"""What gVisor takes beside the pages it tells of: 32 MB of its own at rest, and page tables (measured on release 20221219)."""

MARGIN_BYTES = 96 << 20
"""`OVERHEAD_BYTES` and what user code can still take between the look and its end; it took 1.4 GB/s."""

ALLOWANCE_BYTES = 16 << 20
"""What a cell may take that begins over the margin, so that one can still delete files then."""

_BYTES_PER_SECOND = 4 << 30
_SHORTEST_SECONDS, _FIRST_SECONDS, _LONGEST_SECONDS = 0.01, 0.02, 0.25
SETTLE_SECONDS = 0.3
"""Pages of a process that was ended are given back a little later."""


_FIELDS = re.compile(rb"^(MemTotal|AnonPages|Shmem|VmRSS|VmData):\s*(\d+) kB", re.MULTILINE)


def fields(text: bytes) -> dict[bytes, int]:
    """The sizes in a file of /proc that are needed here, in bytes."""
    return {name: int(value) << 10 for name, value in _FIELDS.findall(text)}


class MemoryGuard:
    """
    Looks rarely far from the limit, and the more often the nearer it is.

    The memory in use is gVisor's figure of anonymous pages, which holds tmpfs too; mapped files of the image are not counted
    against a container. The figure is brought up to date only now and then, so what processes and files took since the cell
    began is added up as well.
    """

    def __init__(self, user_processes: Callable[[], list[int]], proc: str = "/proc") -> None:
        self._user_processes = user_processes
        self._proc = proc
        self.limit_bytes = self._memory().get(b"MemTotal", 0)
        self._bound = self.limit_bytes - MARGIN_BYTES
        self._used_before = self._shared_before = 0
        self._first: dict[int, tuple[int, int]] = {}
        """Resident and private bytes of each process when the cell began."""
        self._largest_first = (0, 0)
        self._is_new = True
        self.look_at = time.monotonic()

    def begin(self) -> None:
        """A cell begins. Nothing is read yet, so that short cells cost nothing; a longer one is measured from its first look."""
        self._is_new = True
        self.look_at = time.monotonic() + _FIRST_SECONDS

    def _measure(self, memory: dict[bytes, int]) -> None:
        self._is_new = False
        self._used_before, self._shared_before = memory.get(b"AnonPages", 0), memory.get(b"Shmem", 0)
        self._first = {pid: self._size(pid) for pid in self._user_processes()}
        self._largest_first = max(self._first.values(), default=(0, 0))
        bound = max(self.limit_bytes - MARGIN_BYTES, self._used_before + ALLOWANCE_BYTES)
        self._bound = min(bound, self.limit_bytes - OVERHEAD_BYTES)

    def is_over(self) -> bool:
        """Call when `look_at` has come; sets the next one."""
        memory = self._memory()
        if self._is_new:
            self._measure(memory)
        added_up = self._used_before + self._growth() + memory.get(b"Shmem", 0) - self._shared_before
        left = self._bound - max(memory.get(b"AnonPages", 0), added_up)
        self.look_at = time.monotonic() + min(max(left / _BYTES_PER_SECOND, _SHORTEST_SECONDS), _LONGEST_SECONDS)
        return left < 0

    def largest(self) -> int | None:
        """The user process that holds the most memory."""
        sizes = {pid: self._size(pid)[0] for pid in self._user_processes()}
        return max(sizes, key=lambda pid: sizes[pid], default=None)

    def settle(self) -> None:
        """Something was ended: looks again when its memory is back."""
        self.look_at = time.monotonic() + SETTLE_SECONDS

    def _growth(self) -> int:
        total = 0
        for pid in self._user_processes():
            resident, private = self._size(pid)
            # A process that came later may be a fork, which begins with the pages of its parent, shared.
            first = self._first.get(pid) or (min(resident, self._largest_first[0]), min(private, self._largest_first[1]))
            # Mapped files are resident and not private, what was only reserved is private and not resident.
            total += min(resident - first[0], private - first[1])
        return total

    def _size(self, pid: int) -> tuple[int, int]:
        found = self._fields(f"{self._proc}/{pid}/status")
        return found.get(b"VmRSS", 0), found.get(b"VmData", 0)

    def _memory(self) -> dict[bytes, int]:
        return self._fields(f"{self._proc}/meminfo")

    def _fields(self, path: str) -> dict[bytes, int]:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return {}
        try:
            return fields(os.read(fd, 8192))
        except OSError:
            return {}
        finally:
            os.close(fd)
