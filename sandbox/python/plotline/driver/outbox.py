"""Non-blocking writing to one descriptor."""

import os
from collections import deque

from plotline.frames import Header, encode


class Outbox:
    """Queues frames for a non-blocking descriptor. Order is kept; nothing is dropped."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._queue: deque[memoryview] = deque()
        self.pending_bytes = 0

    def send(self, header: Header, payload: bytes = b"") -> None:
        """Writes what the descriptor takes now and keeps the rest. Raises `OSError` when the reader is gone."""
        data = encode(header, payload)
        self._queue.append(memoryview(data))
        self.pending_bytes += len(data)
        self.flush()

    def flush(self) -> None:
        """Writes until the descriptor would block or nothing is left."""
        while self._queue:
            try:
                written = os.write(self._fd, self._queue[0])
            except BlockingIOError:
                return
            self.pending_bytes -= written
            if written == len(self._queue[0]):
                self._queue.popleft()
            else:
                self._queue[0] = self._queue[0][written:]
