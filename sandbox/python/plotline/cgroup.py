"""What the container's control group says: memory limit, kills for lack of memory, CPU share. Versions 1 and 2."""

import os

_ROOT = "/sys/fs/cgroup"
# A v1 "no limit" is the largest page-aligned signed 64-bit number.
_NO_LIMIT_BYTES = 1 << 60


def _read(path: str) -> str | None:
    try:
        with open(f"{_ROOT}/{path}", encoding="ascii") as file:
            return file.read()
    except (OSError, ValueError):
        return None


def out_of_memory_kills() -> int | None:
    """How many processes of this container the kernel has killed for lack of memory; None where it cannot be read."""
    for path in ("memory.events", "memory/memory.oom_control"):
        for line in (_read(path) or "").splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
    return None


def memory_limit_bytes() -> int | None:
    """The container's memory limit, or None where there is none."""
    for path in ("memory.max", "memory/memory.limit_in_bytes"):
        text = (_read(path) or "").strip()
        if text.isdigit() and int(text) < _NO_LIMIT_BYTES:
            return int(text)
    return None


def cpu_count() -> int:
    """CPUs this container may use, rounded up, at least 1."""
    allowed = len(os.sched_getaffinity(0))
    quota, period = -1.0, 0.0
    parts = (_read("cpu.max") or "").split()
    if len(parts) == 2 and parts[0] != "max":
        quota, period = float(parts[0]), float(parts[1])
    else:
        quota = float((_read("cpu/cpu.cfs_quota_us") or "-1").strip())
        period = float((_read("cpu/cpu.cfs_period_us") or "0").strip())
    if quota > 0 and period > 0:
        allowed = min(allowed, -int(-quota // period))
    return max(1, allowed)
