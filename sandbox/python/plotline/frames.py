"""The frame format that both links share: bot to driver, and driver to kernel (see sandbox/protocol.md)."""

import json
import os
import struct
from typing import Any

# Figures from sandbox/protocol.md.
HEADER_LIMIT_BYTES = 1 << 20
PAYLOAD_LIMIT_BYTES = 16 << 20

READ_AHEAD_BYTES = 64 * 1024
"""Taken in one read beyond what the frame under way still needs."""

_LENGTHS = struct.Struct(">II")
_to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode

Header = dict[str, Any]
Bytes = bytes | bytearray | memoryview


class FrameError(Exception):
    """The other side sent something that is not a frame. The link cannot be used any more."""


def encode_head(header: Header, payload_bytes: int) -> bytes:
    """A frame's bytes before its payload. Raises `FrameError` when the frame would go over a cap."""
    head = _to_json(header).encode("utf-8", "replace")
    if len(head) > HEADER_LIMIT_BYTES or payload_bytes > PAYLOAD_LIMIT_BYTES:
        raise FrameError(f"frame of {len(head)} + {payload_bytes} bytes is over the cap")
    return _LENGTHS.pack(len(head), payload_bytes) + head


class FrameReader:
    """
    Cuts a stream into frames. A payload is read straight into the memory it is handed out in; beside it at most
    one header and `READ_AHEAD_BYTES` are held.
    """

    def __init__(self) -> None:
        self._ahead = bytearray()
        self._spare = bytearray(READ_AHEAD_BYTES)
        self._header: Header | None = None
        self._payload = bytearray()
        self._filled = 0

    @property
    def held_bytes(self) -> int:
        return len(self._ahead) + len(self._payload)

    def read(self, fd: int) -> int:
        """Reads once from a descriptor; returns how many bytes came, 0 at its end. Raises `OSError`, also where it would block."""
        missing = len(self._payload) - self._filled
        if missing == 0:
            count = os.readv(fd, [self._spare])
            self._ahead += self._spare if count == READ_AHEAD_BYTES else self._spare[:count]
            return count
        with memoryview(self._payload) as view:
            count = os.readv(fd, [view[self._filled :], self._spare])
        self._filled += min(count, missing)
        if count > missing:
            self._ahead += self._spare[: count - missing]
        return count

    def next(self) -> tuple[Header, bytearray] | None:
        """The next whole frame, or None until more is read. Raises `FrameError`; then the stream is lost."""
        if self._header is None and not self._begin():
            return None
        if self._filled < len(self._payload) or self._header is None:
            return None
        frame = self._header, self._payload
        self._header, self._payload, self._filled = None, bytearray(), 0
        return frame

    def _begin(self) -> bool:
        ahead = self._ahead
        if len(ahead) < _LENGTHS.size:
            return False
        head_bytes, payload_bytes = _LENGTHS.unpack_from(ahead)
        if not 1 <= head_bytes <= HEADER_LIMIT_BYTES or payload_bytes > PAYLOAD_LIMIT_BYTES:
            raise FrameError(f"frame lengths {head_bytes} and {payload_bytes} are over the cap")
        head_end = _LENGTHS.size + head_bytes
        if len(ahead) < head_end:
            return False
        try:
            header = json.loads(ahead[_LENGTHS.size : head_end])
        except (ValueError, RecursionError) as problem:
            raise FrameError("frame header is not JSON") from problem
        if not isinstance(header, dict) or not isinstance(header.get("type"), str):
            raise FrameError("frame header is not an object with a type")
        here = ahead[head_end : head_end + payload_bytes]
        del ahead[: head_end + len(here)]
        self._header, self._filled = header, len(here)
        if len(here) == payload_bytes:
            self._payload = here
        else:
            self._payload = bytearray(payload_bytes)
            self._payload[: len(here)] = here
        return True
