"""New CSV and Excel files are looked through for formulas in a process of their own.

User code wrote these files, so what parses them must not be the driver, and not the kernel, which user code may have patched.
A child of the driver does it: with no descriptor but the files' and its pipe, and with little memory and time. The driver itself
only searches the bytes of CSV files for signs that a formula begins with.
"""

import json
import os
import resource
import select
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

from plotline.driver.workspace import PathError, open_file
from plotline.formulas import look_at, may_have_formulas

SECONDS_LIMIT = 2.0
"""Over all files of one cell."""

MEMORY_BYTES_LIMIT = 256 << 20
"""What the child may have on top of what it inherits."""

_ANSWER_BYTES_LIMIT = 1 << 20
_LOOK_SHARE = 0.8
"""Of the time, after which the child tells what it has."""

_NOT_LOOKED_AT: dict[str, Any] = {"count": 0, "examples": [], "partial": True}


_TEXT = (".csv", ".tsv")
_WORKBOOKS = (".xlsx", ".xlsm")


def check_files(root: int, paths: Sequence[str]) -> dict[str, dict[str, Any] | None]:
    """`FormulaCells` of those of the files that have any. One that could not be looked at has a `partial` one with a count of 0."""
    until = time.monotonic() + SECONDS_LIMIT
    suspects = [path for path in paths if path.lower().endswith(_WORKBOOKS) or (path.lower().endswith(_TEXT) and _is_suspect(root, path, until))]
    return _check_apart(root, suspects, until) if suspects else {}


def _is_suspect(root: int, path: str, until: float) -> bool:
    """Spares most CSV files the child: a fork of the driver takes longer than a glance at a megabyte."""
    try:
        fd, _ = open_file(root, path.split("/"))
    except PathError:
        return False
    with open(fd, "rb") as file:
        return may_have_formulas(file, until)


def _check_apart(root: int, paths: Sequence[str], until: float) -> dict[str, dict[str, Any] | None]:
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        os.close(read_end)
        _look_and_exit(root, paths, write_end, until)
    os.close(write_end)
    try:
        answer = _read_until(read_end, until)
    finally:
        os.close(read_end)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(child, 0)
    found: dict[str, dict[str, Any] | None] = {}
    lines = answer.split(b"\n")[:-1]
    for path, line in zip(paths, lines):
        found[path] = json.loads(line)
    return {path: found.get(path, _NOT_LOOKED_AT) for path in paths}


def _read_until(fd: int, until: float) -> bytes:
    answer = b""
    while (left := until - time.monotonic()) > 0 and len(answer) < _ANSWER_BYTES_LIMIT:
        ready, _, _ = select.select([fd], [], [], left)
        if not ready:
            break
        piece = os.read(fd, 1 << 16)
        if not piece:
            break
        answer += piece
    return answer


def _look_and_exit(root: int, paths: Sequence[str], answer: int, until: float) -> NoReturn:
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for fd in {int(name) for name in os.listdir("/proc/self/fd")} - {0, 1, 2, root, answer}:
            with suppress(OSError):
                os.close(fd)
        _limit()
        until -= (until - time.monotonic()) * (1 - _LOOK_SHARE)
        for path in paths:
            line = b"null"
            with suppress(PathError):
                fd, _ = open_file(root, path.split("/"))
                with open(fd, "rb") as file:
                    found = look_at(file, path, until).as_json()
                line = json.dumps(found).encode()
            os.write(answer, line + b"\n")
        code = 0
    finally:
        os._exit(code)


def _limit() -> None:
    from plotline.driver.boot import KERNEL_OOM_SCORE, set_oom_score

    set_oom_score(KERNEL_OOM_SCORE)
    seconds = int(SECONDS_LIMIT) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[0])
    memory = pages * resource.getpagesize() + MEMORY_BYTES_LIMIT
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
