"""One file after the other in a process of its own, with limits on time and memory."""

import json
import os
import re
import resource
import select
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from plotline.intake import card, load
from plotline.intake.export import whole_card

MAX_SECONDS = 10.0
"""Of processor time, which other work on the machine does not stretch."""
_NO_ANSWER_SECONDS = 40.0
MAX_ADDRESS_BYTES = 1_500_000_000
"""What one process may map beyond what it had at its start: above it, every allocation fails."""
MAX_GROWTH_BYTES = 400_000_000
"""What a small file may make the process grow by, at its peak."""
_FAULT_NAME = re.compile(r"\b[A-Z]\w*(?:Error|Exception|Fault|Overflow|Interrupt)\b|Traceback|\(\w+Error|object has no attribute|NoneType|list index")


@dataclass(frozen=True)
class Answer:
    """What became of one file. `fault` is None where it was answered as it should be."""

    name: str
    fault: str | None
    seconds: float
    growth: int


@dataclass(frozen=True)
class File:
    """A file that is made when its turn comes."""

    name: str
    make: Callable[[], bytes]


def answers(files: list[File], folder: Path) -> Iterator[Answer]:
    """Writes each file into `folder` and reads it in a child process; a child that ends or hangs is replaced, and the file
    that it had is named. The file lies there until the next one is asked for."""
    waiting = list(files)
    while waiting:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _serve(waiting, folder, writing)
        os.close(writing)
        try:
            for answer in _heard(reading, waiting):
                waiting.pop(0)
                yield answer
        finally:
            os.close(reading)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _heard(reading: int, waiting: list[File]) -> Iterator[Answer]:
    """The child's answers until it ends. The last one may be about how it ended."""
    left = b""
    count = len(waiting)
    for _ in range(count):
        current = waiting[0].name
        started = time.monotonic()
        while b"\n" not in left:
            ready, _, _ = select.select([reading], [], [], max(0.0, started + _NO_ANSWER_SECONDS - time.monotonic()))
            if not ready:
                yield Answer(current, f"hangs: no answer in {_NO_ANSWER_SECONDS:.0f} s", _NO_ANSWER_SECONDS, 0)
                return
            piece = os.read(reading, 65536)
            if not piece:
                late = time.monotonic() - started >= MAX_SECONDS
                yield Answer(current, f"hangs: more than {MAX_SECONDS:.0f} s" if late else "ends the process", time.monotonic() - started, 0)
                return
            left += piece
        line, _, left = left.partition(b"\n")
        yield Answer(**json.loads(line))


def _serve(files: list[File], folder: Path, writing: int) -> None:
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MAX_ADDRESS_BYTES, mapped + MAX_ADDRESS_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
    with os.fdopen(writing, "w") as out:
        for file in files:
            path = folder / file.name
            path.write_bytes(file.make())
            # The default answer to this alarm ends the process: the watcher hears it.
            signal.setitimer(signal.ITIMER_VIRTUAL, 1.5 * MAX_SECONDS)
            out.write(json.dumps(_answer(path).__dict__) + "\n")
            out.flush()
            path.unlink()
    os._exit(0)


def _answer(path: Path) -> Answer:
    before = _reset_peak()
    started = time.process_time()
    try:
        fault = _fault(path)
    except BaseException as problem:  # noqa: BLE001 - whatever comes out is the finding
        fault = f"raises {type(problem).__name__}: {str(problem)[:200]}"
    seconds = time.process_time() - started
    growth = _peak() - before
    if not fault and seconds > MAX_SECONDS:
        fault = f"takes {seconds:.1f} s"
    if not fault and growth > MAX_GROWTH_BYTES + 20 * path.stat().st_size:
        fault = f"grows by {growth / 1e6:,.0f} MB"
    return Answer(path.name, fault, round(seconds, 3), growth)


def _fault(path: Path) -> str | None:
    """What is wrong with the answer to one file."""
    answer = whole_card if path.stat().st_size % 2 else card
    found = answer(path)
    text = json.dumps(found, allow_nan=False, ensure_ascii=False)
    text.encode()
    error = found["error"] or ""
    if not found["ok"] and not error:
        return "neither loaded nor refused"
    if "needs more memory" in error:
        return f"out of memory: {error}"
    if "could not be read; it may be damaged" in error or _FAULT_NAME.search(error):
        return f"answers with a Python fault: {error[:200]}"
    if answer is card and len(text) > 3_000_000:
        return f"a card of {len(text):,} characters"
    if any(not isinstance(place["line"], int | None) or (place["line"] is not None and place["line"] < 1) for place in found["warnings"] + found["rejected"]):
        return "names a line that is none"
    if path.stat().st_size % 3 == 0:
        try:
            load(path)
        except ValueError as refusal:
            if type(refusal) is not ValueError or (found["ok"] and found["tables"]) or _FAULT_NAME.search(str(refusal)):
                return f"load: {type(refusal).__name__}: {refusal}"
    return None


def _reset_peak() -> int:
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0
