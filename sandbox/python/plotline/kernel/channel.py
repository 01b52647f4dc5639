"""The kernel's side of its private link to the driver."""

import os
import signal
import threading
from typing import Any

from plotline.frames import encode


class Channel:
    """Sends whole frames, each with the nonce of the run that is under way."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self.nonce = ""

    def send(self, header: dict[str, Any], payload: bytes = b"") -> None:
        """Blocks until the driver has taken it. Does nothing in a forked child of user code."""
        if self._fd < 0 or os.getpid() != self._owner:
            return
        data = memoryview(encode({**header, "nonce": self.nonce}, payload))
        # An interrupt in the middle would leave half a frame behind.
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with self._lock:
                while data:
                    data = data[os.write(self._fd, data) :]
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)

    def forget(self) -> None:
        """In a forked child: the link belongs to the kernel alone."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
