"""The frame format that both links share: bot to driver, and driver to kernel (see sandbox/protocol.md)."""

import json
import struct
from typing import Any

# Figures from sandbox/protocol.md.
HEADER_LIMIT_BYTES = 1 << 20
PAYLOAD_LIMIT_BYTES = 16 << 20

_LENGTHS = struct.Struct(">II")

Header = dict[str, Any]


class FrameError(Exception):
    """The other side sent something that is not a frame. The link cannot be used any more."""


def encode(header: Header, payload: bytes = b"") -> bytes:
    """One frame as bytes. Raises `FrameError` when it would go over a cap."""
    head = json.dumps(header, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode("utf-8", "replace")
    if len(head) > HEADER_LIMIT_BYTES or len(payload) > PAYLOAD_LIMIT_BYTES:
        raise FrameError(f"frame of {len(head)} + {len(payload)} bytes is over the cap")
    return b"".join((_LENGTHS.pack(len(head), len(payload)), head, payload))


class FrameReader:
    """Cuts a byte stream into frames. Holds at most one frame plus what was fed with it."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def next(self) -> tuple[Header, bytes] | None:
        """The next whole frame, or None until more is fed. Raises `FrameError`; then the stream is lost."""
        buffer = self._buffer
        if len(buffer) < _LENGTHS.size:
            return None
        head_bytes, payload_bytes = _LENGTHS.unpack_from(buffer)
        if not 1 <= head_bytes <= HEADER_LIMIT_BYTES or payload_bytes > PAYLOAD_LIMIT_BYTES:
            raise FrameError(f"frame lengths {head_bytes} and {payload_bytes} are over the cap")
        head_end = _LENGTHS.size + head_bytes
        end = head_end + payload_bytes
        if len(buffer) < end:
            return None
        with memoryview(buffer) as view:
            head, payload = bytes(view[_LENGTHS.size : head_end]), bytes(view[head_end:end])
        del buffer[:end]
        try:
            header = json.loads(head)
        except (ValueError, RecursionError) as problem:
            raise FrameError("frame header is not JSON") from problem
        if not isinstance(header, dict) or not isinstance(header.get("type"), str):
            raise FrameError("frame header is not an object with a type")
        return header, payload
