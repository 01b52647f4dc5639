"""The bot's file requests: one incoming and one outgoing file at a time."""

from collections.abc import Callable

from plotline.driver.changes import ChangeWatcher
from plotline.driver.outbox import Outbox
from plotline.driver.transfers import FileRead, FileWrite, listing
from plotline.driver.workspace import PathError
from plotline.frames import Header


class ProtocolError(Exception):
    """The bot broke the protocol; the session cannot go on."""


class FileService:
    """Answers `write`, `read` and `list`. What a path does wrong becomes `failed`, never an exception."""

    def __init__(self, outbox: Outbox, root: int, watcher: ChangeWatcher) -> None:
        self._outbox = outbox
        self._root = root
        self._watcher = watcher
        self._write: tuple[int, FileWrite | None] | None = None
        """The write under way; its file is None after `failed`, while the rest of its data is dropped."""
        self._read: tuple[int, FileRead] | None = None

    @property
    def reading(self) -> bool:
        return self._read is not None

    def list(self, request: int, header: Header) -> None:
        def send() -> None:
            self._outbox.send({"type": "listing", "id": request, "entries": listing(self._root, header.get("path"))})

        self._attempt(request, send)

    def begin_write(self, request: int, header: Header) -> None:
        """Raises `ProtocolError`."""
        if self._write is not None:
            raise ProtocolError("a write began before the last one ended")
        self._write = (request, None)

        def begin() -> None:
            self._write = (request, FileWrite(self._root, header.get("path"), header.get("sizeBytes")))

        self._attempt(request, begin)

    def write_data(self, request: int, piece: bytearray) -> None:
        """Raises `ProtocolError`."""
        write = self._current_write(request)
        if write is not None and not self._attempt(request, lambda: write.data(piece)):
            self._write = (request, None)

    def end_write(self, request: int, *, abort: bool) -> None:
        """Raises `ProtocolError`."""
        write = self._current_write(request)
        self._write = None
        if write is None:
            return
        if abort:
            write.abort()
            self._outbox.send({"type": "failed", "id": request, "code": "aborted", "message": "The upload was stopped."})
            return

        def finish() -> None:
            size_bytes, sha256 = write.finish(self._watcher)
            self._outbox.send({"type": "written", "id": request, "sizeBytes": size_bytes, "sha256": sha256})

        self._attempt(request, finish)

    def begin_read(self, request: int, header: Header) -> None:
        def begin() -> None:
            self._read = (request, FileRead(self._root, header.get("path"), header.get("maxBytes")))

        self._attempt(request, begin)

    def send_piece(self) -> None:
        """One piece of the outgoing file, or its end."""
        if self._read is None:
            return
        request, file = self._read

        def send() -> None:
            piece = file.next_piece()
            if piece is not None:
                self._outbox.send({"type": "data", "id": request}, piece)
                return
            self._read = None
            self._outbox.send({"type": "end", "id": request, "sizeBytes": file.size_bytes, "sha256": file.sha256})

        if not self._attempt(request, send):
            self._read = None
        if self._read is None:
            file.close()

    def _current_write(self, request: int) -> FileWrite | None:
        if self._write is None or self._write[0] != request:
            raise ProtocolError("file data without its write")
        return self._write[1]

    def _attempt(self, request: int, action: Callable[[], None]) -> bool:
        try:
            action()
        except PathError as problem:
            self._outbox.send({"type": "failed", "id": request, "code": problem.code, "message": str(problem)})
            return False
        return True
