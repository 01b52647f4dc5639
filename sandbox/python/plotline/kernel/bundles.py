"""MIME bundles on their way out of the kernel."""

import base64
import binascii
import json
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from plotline.frames import PAYLOAD_LIMIT_BYTES
from plotline.kernel.channel import Channel
from plotline.text import clean, clip, megabytes

PICTURE_MIME = "application/vnd.plotline.table+png"
BINARY = ("image/png", "image/jpeg", "application/pdf", PICTURE_MIME)
TEXT = ("text/plain", "text/html", "text/markdown", "text/latex", "text/csv", "image/svg+xml")
JSON = ("application/json",)
CHART_MIME = "application/vnd.plotline.chart+json"
TABLE_MIME = "application/vnd.plotline.table+json"
SHOW_MIME = "application/vnd.plotline.show+json"
OWN_JSON_PREFIX = "application/vnd.plotline."

PLAIN_CHARACTERS = 64_000
"""`text/plain` is for reading; longer ones are cut in the middle."""

Bundle = Mapping[str, Any]


class Publisher:
    """Sends bundles to the driver in the order they come."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.truncated = False
        self.pictures = 0
        """Tables drawn since the cell began."""
        self._added: Bundle = {}
        self._hold = False

    @contextmanager
    def holding(self) -> Iterator[None]:
        """What is published inside may travel with the frame after it: for the last value, which the cell's end follows at once."""
        self._hold = True
        try:
            yield
        finally:
            self._hold = False

    @contextmanager
    def adding(self, parts: Bundle) -> Iterator[None]:
        """Everything published inside carries `parts` too."""
        before, self._added = self._added, {**self._added, **parts}
        try:
            yield
        finally:
            self._added = before

    def publish(self, bundle: Bundle) -> None:
        """Parts of unknown types are left out; so are, with a word on stderr, the largest ones of a bundle over the cap."""
        parts = [part for mime, value in {**bundle, **self._added}.items() if (part := _encode(mime, value)) is not None]
        while sum(len(data) for _, _, data in parts) > PAYLOAD_LIMIT_BYTES:
            largest = max(parts, key=lambda part: len(part[2]))
            parts.remove(largest)
            self.truncated = True
            print(
                f"[a result's {largest[0]} was left out: {megabytes(len(largest[2]))}, the limit is {megabytes(PAYLOAD_LIMIT_BYTES)}]",
                file=sys.stderr,
            )
        if not parts:
            return
        header = {"type": "result", "parts": [{"mime": mime, "bytes": len(data), "encoding": kind} for mime, kind, data in parts]}
        self._channel.send(header, b"".join(data for _, _, data in parts), hold=self._hold)


def _encode(mime: str, value: Any) -> tuple[str, str, bytes] | None:
    if value is None:
        return None
    if mime in BINARY:
        data = value if isinstance(value, bytes) else _from_base64(value)
        return None if not data else (mime, "binary", data)
    if mime in TEXT:
        text = "".join(value) if isinstance(value, list) else str(value)
        if mime == "text/plain":
            text = clip(text, PLAIN_CHARACTERS)
        return mime, "utf8", clean(text).encode()
    if mime in JSON or (mime.startswith(OWN_JSON_PREFIX) and mime.endswith("+json")):
        try:
            text = json.dumps(json_safe(value), allow_nan=False, ensure_ascii=True, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError):
            return None
        return mime, "json", text.encode()
    return None


def _from_base64(value: Any) -> bytes:
    try:
        return base64.b64decode(str(value))
    except (binascii.Error, ValueError):
        return b""


def json_safe(value: Any) -> Any:
    """`value` with only what JSON has: numbers that are not finite become null, unknown objects their text."""
    if value is None or isinstance(value, (bool, int, str)):
        return clean(value) if isinstance(value, str) else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): json_safe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_safe(item) for item in value]
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "ndim", None) == 0:
        return json_safe(item())
    return clean(str(value))
