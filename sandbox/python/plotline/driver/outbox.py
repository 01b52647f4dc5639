"""Non-blocking writing to one descriptor."""

import os
from collections import deque

from plotline.frames import Bytes, Header, encode_head

GATHER_BYTES = 64 * 1024
"""Frames are gathered into one write until this much waits; the loop writes what is left before it sleeps."""

_PIECES_PER_WRITE = 64


class Outbox:
    """Queues frames for a non-blocking descriptor. Order is kept; nothing is dropped; payloads are not copied."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._queue: deque[Bytes] = deque()
        self.pending_bytes = 0

    def send(self, header: Header, payload: Bytes = b"") -> None:
        """The payload must not change any more. Raises `OSError` when the reader is gone."""
        head = encode_head(header, len(payload))
        self._queue.append(head)
        if payload:
            self._queue.append(payload)
        self.pending_bytes += len(head) + len(payload)
        if self.pending_bytes >= GATHER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Writes until the descriptor would block or nothing is left."""
        queue = self._queue
        while queue:
            pieces = list(queue) if len(queue) <= _PIECES_PER_WRITE else [queue[index] for index in range(_PIECES_PER_WRITE)]
            try:
                written = os.writev(self._fd, pieces)
            except BlockingIOError:
                return
            self.pending_bytes -= written
            while written:
                first = queue.popleft()
                if written < len(first):
                    queue.appendleft(memoryview(first)[written:])
                    break
                written -= len(first)
