"""What the container's control group says: memory limit, kills for lack of memory, CPU share. Versions 1 and 2."""

import os
from contextlib import suppress

ROOT = "/sys/fs/cgroup"
# A v1 "no limit" is the largest page-aligned signed 64-bit number.
_NO_LIMIT_BYTES = 1 << 60
_EVENTS_BYTES = 4096


def _read(root: str, path: str) -> str | None:
    try:
        with open(f"{root}/{path}", encoding="ascii") as file:
            return file.read()
    except (OSError, ValueError):
        return None


class KillCounter:
    """
    How many processes of this container the kernel has killed for lack of memory. The file stays open, because it is read
    more than once for every cell.
    """

    def __init__(self, root: str = ROOT) -> None:
        self._fd = -1
        for path in ("memory.events", "memory/memory.oom_control"):
            with suppress(OSError):
                self._fd = os.open(f"{root}/{path}", os.O_RDONLY | os.O_CLOEXEC)
                if self.kills() is not None:
                    return
                os.close(self._fd)
            self._fd = -1

    def kills(self) -> int | None:
        """None where it cannot be read, as inside gVisor."""
        if self._fd < 0:
            return None
        try:
            lines = os.pread(self._fd, _EVENTS_BYTES, 0).splitlines()
        except OSError:
            return None
        for line in lines:
            name, _, value = line.partition(b" ")
            if name == b"oom_kill":
                return int(value)
        return None


def memory_limit_bytes(root: str = ROOT) -> int | None:
    """The container's memory limit, or None where there is none or it cannot be read."""
    for path in ("memory.max", "memory/memory.limit_in_bytes"):
        text = (_read(root, path) or "").strip()
        if text.isdigit() and int(text) < _NO_LIMIT_BYTES:
            return int(text)
    return None


def cpu_count(root: str = ROOT) -> int:
    """CPUs this container may use, rounded up, at least 1."""
    allowed = len(os.sched_getaffinity(0))
    quota, period = -1.0, 0.0
    parts = (_read(root, "cpu.max") or "").split()
    if len(parts) == 2 and parts[0] != "max":
        quota, period = float(parts[0]), float(parts[1])
    else:
        quota = float((_read(root, "cpu/cpu.cfs_quota_us") or "-1").strip())
        period = float((_read(root, "cpu/cpu.cfs_period_us") or "0").strip())
    if quota > 0 and period > 0:
        allowed = min(allowed, -int(-quota // period))
    return max(1, allowed)
