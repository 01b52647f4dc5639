"""The kernel's side of its private link to the driver."""

import os
import signal
import threading
from typing import Any

from plotline.frames import encode_head

HELD_LIMIT_BYTES = 64 * 1024


class Channel:
    """Sends whole frames, each with the nonce of the run that is under way. Says nothing until it is connected."""

    def __init__(self) -> None:
        self._fd = -1
        self._owner = 0
        self._lock = threading.Lock()
        self._held: list[bytes] = []
        self.nonce = ""

    def connect(self, fd: int) -> None:
        self._fd = fd
        self._owner = os.getpid()

    def send(self, header: dict[str, Any], payload: bytes = b"", *, hold: bool = False) -> None:
        """
        Blocks until the driver has taken it. Does nothing in a forked child of user code. With `hold` a small frame may wait
        for the next one, so that both wake the driver once.
        """
        if self._fd < 0 or os.getpid() != self._owner:
            return
        head = encode_head({**header, "nonce": self.nonce}, len(payload))
        # An interrupt in the middle would leave half a frame behind.
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with self._lock:
                self._held += [head, payload]
                if hold and sum(map(len, self._held)) < HELD_LIMIT_BYTES:
                    return
                data = memoryview(b"".join(self._held))
                self._held.clear()
                while data:
                    data = data[os.write(self._fd, data) :]
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)

    def forget(self) -> None:
        """In a forked child: the link belongs to the kernel alone."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
