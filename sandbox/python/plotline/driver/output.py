"""A run's stdout and stderr on their way to the bot: decoded, joined into frames of a useful size, capped."""

import codecs
import time
from collections.abc import Callable

FRAME_CHARACTERS = 32 * 1024
"""A frame is sent at the latest when this much text waits."""

FRAME_DELAY_SECONDS = 0.03
"""…or this long after its first character came."""

Emit = Callable[[str, str], None]
STREAMS = ("stdout", "stderr")


class RunOutput:
    """Collects one run's output. `emit(stream, text)` gets valid UTF-8 text with whole characters only."""

    def __init__(self, emit: Emit, limit_bytes: int) -> None:
        self._emit = emit
        self._limit_bytes = limit_bytes
        self._kept_bytes = 0
        self._dropped_bytes = 0
        self._waiting_since: float | None = None
        self._text = {stream: "" for stream in STREAMS}
        self._decoders = {stream: codecs.getincrementaldecoder("utf-8")("replace") for stream in STREAMS}

    @property
    def truncated(self) -> bool:
        return self._dropped_bytes > 0

    def feed(self, stream: str, data: bytes) -> None:
        """Takes raw bytes of the kernel. The cap counts both streams together, as they are sent: an invalid byte is three then."""
        room = self._limit_bytes - self._kept_bytes
        dropped = max(0, len(data) - room)
        if room:
            sent = self._decoders[stream].decode(data[:room]).encode()
            dropped += max(0, len(sent) - room)
            self._kept_bytes += min(len(sent), room)
            self._add(stream, sent[:room].decode("utf-8", "ignore"))
        if dropped:
            # Nothing that comes later may close the gap.
            self._dropped_bytes += dropped
            self._kept_bytes = self._limit_bytes

    def note(self, line: str) -> None:
        """A line of the driver's own on stderr; it does not count towards the cap and stands on its own line."""
        current = self._text["stderr"]
        self._add("stderr", ("\n" if current and not current.endswith("\n") else "") + line + "\n")

    def deadline(self) -> float | None:
        """Monotonic time at which `flush` should be called; None when nothing waits."""
        return None if self._waiting_since is None else self._waiting_since + FRAME_DELAY_SECONDS

    def flush(self) -> None:
        self._waiting_since = None
        for stream in STREAMS:
            text, self._text[stream] = self._text[stream], ""
            for start in range(0, len(text), FRAME_CHARACTERS):
                self._emit(stream, text[start : start + FRAME_CHARACTERS])

    def close(self) -> None:
        """Ends the run: half characters become U+FFFD, dropped bytes are said once, everything is sent."""
        for stream in STREAMS:
            self._add(stream, self._decoders[stream].decode(b"", final=True))
        if self._dropped_bytes:
            self.note(
                f"[output cut: the limit is {self._limit_bytes:,} bytes a cell, {self._dropped_bytes:,} more bytes were "
                "dropped; print less, or write to a file]"
            )
        self.flush()

    def _add(self, stream: str, text: str) -> None:
        if not text:
            return
        self._text[stream] += text
        if self._waiting_since is None:
            self._waiting_since = time.monotonic()
        if len(self._text[stream]) >= FRAME_CHARACTERS:
            self.flush()
