"""Files loaded one after the other in a child with limits on time and memory, so that none can take the tests along."""

import json
import os
import re
import resource
import select
import signal
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plotline.intake.export import whole_card

SECONDS = 10.0
_BYTES = 1_500_000_000
_EXCEPTION = re.compile(r"\b\w*(?:Error|Exception|Warning|Interrupt)\b|Traceback|\bobject at 0x|struct\.error|zlib\.error")
_TOO_LARGE = re.compile("more memory|more room")


@dataclass(frozen=True)
class Outcome:
    name: str
    data: bytes
    fault: str | None
    """What is wrong with the way the file was answered; None where nothing is."""
    seconds: float
    peak: int
    """Bytes the child held at most, this file and the ones before it."""


def outcomes(files: Iterable[tuple[str, bytes]]) -> Iterator[Outcome]:
    """The outcome of each file. A child serves until it dies or hangs; the next file has a new one."""
    with tempfile.TemporaryDirectory() as folder:
        child = None
        for name, data in files:
            child = child or _Child(Path(folder))
            (Path(folder) / name).write_bytes(data)
            start = time.monotonic()
            answer = child.ask(name)
            seconds = time.monotonic() - start
            if answer is None:
                child.end()
                child = None
                words = f"hangs for {SECONDS:.0f} s" if seconds >= SECONDS else "kills the process"
                yield Outcome(name, data, words, seconds, 0)
            else:
                yield Outcome(name, data, answer["fault"], seconds, answer["peak"])
        if child:
            child.end()


class _Child:
    def __init__(self, folder: Path) -> None:
        asked, self._ask = os.pipe()
        self._answer, answered = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            os.close(self._ask)
            os.close(self._answer)
            _serve(folder, asked, answered)
        os.close(asked)
        os.close(answered)

    def ask(self, name: str) -> dict[str, Any] | None:
        """What the child found; None where it did not answer in time or is gone."""
        os.write(self._ask, name.encode() + b"\n")
        piece = b""
        end = time.monotonic() + SECONDS
        while not piece.endswith(b"\n"):
            ready, _, _ = select.select([self._answer], [], [], max(0.0, end - time.monotonic()))
            more = os.read(self._answer, 65_536) if ready else b""
            if not more:
                return None
            piece += more
        return json.loads(piece)

    def end(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._ask)
        os.close(self._answer)


def _serve(folder: Path, asked: int, answered: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with os.fdopen(asked) as names:
            for name in names:
                fault = fault_of(folder / name.strip(), folder)
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
                os.write(answered, json.dumps({"fault": fault, "peak": peak}).encode() + b"\n")
    finally:
        os._exit(0)


def fault_of(path: Path, folder: Path) -> str | None:
    """What is wrong with the card of the file and its exported cells; None where nothing is."""
    try:
        found = whole_card(path, str(folder / "out"))
        text = json.dumps(found, allow_nan=False, ensure_ascii=False)
        text.encode()
    except Exception as problem:  # noqa: BLE001 - any exception that comes out is the fault to be reported
        return f"raises {type(problem).__name__}: {problem}"
    if found["ok"] == bool(found["error"]):
        return f"ok is {found['ok']} and the error {found['error']!r}"
    if found["error"] and _EXCEPTION.search(found["error"]):
        return f"tells an exception: {found['error']}"
    if found["error"] and _TOO_LARGE.search(found["error"]):
        return f"needs too much: {found['error']}"
    strange = [item for item in (*found["rejected"], *found["warnings"]) if item["line"] is not None and not (type(item["line"]) is int and item["line"] > 0)]
    return f"names a strange line: {strange[0]}" if strange else None
