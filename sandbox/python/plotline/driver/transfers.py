"""Files to and from the working directory, in pieces, under caps."""

import errno
import hashlib
import os
import secrets
from contextlib import suppress

from plotline.driver.changes import ChangeWatcher
from plotline.driver.workspace import PathError, open_file, open_folder, split_path, walk
from plotline.text import megabytes

PIECE_BYTES = 1 << 20
LISTING_LIMIT = 5000
LISTING_BYTES = 900_000
"""Entries of one listing and bytes of their paths, so that it fits into a frame header."""

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class FileWrite:
    """One incoming file: written under a hidden name, renamed when it is whole."""

    def __init__(self, root: int, path: object, size_bytes: object) -> None:
        """Raises `PathError`."""
        segments = split_path(path)
        if len(segments) != 1 or segments[0].startswith(".plotline-"):
            raise PathError("bad-path", "A file is written to the working directory itself, not to a folder below it.")
        self._root = root
        self._name = segments[0]
        self._declared = size_bytes if isinstance(size_bytes, int) and not isinstance(size_bytes, bool) else None
        self._part = f".plotline-{secrets.token_hex(8)}.part"
        self._digest = hashlib.sha256()
        self._size = 0
        self._closed = False
        free = os.fstatvfs(root)
        if self._declared is not None and self._declared > free.f_bavail * free.f_frsize:
            raise self._no_space(self._declared)
        try:
            self._fd = os.open(self._part, _CREATE, 0o644, dir_fd=root)
        except OSError as problem:
            raise self._failure(problem) from problem

    def data(self, piece: bytes | bytearray) -> None:
        """Raises `PathError`; then nothing of the file is left."""
        view = memoryview(piece)
        self._digest.update(view)
        self._size += len(view)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as problem:
            self.abort()
            raise self._failure(problem) from problem

    def finish(self, watcher: ChangeWatcher) -> tuple[int, str]:
        """Puts the file in place; returns its size and SHA-256. Raises `PathError`."""
        if self._declared is not None and self._declared != self._size:
            self.abort()
            raise PathError("aborted", f"{self._name} was announced with {self._declared} bytes and came with {self._size}.")
        try:
            os.rename(self._part, self._name, src_dir_fd=self._root, dst_dir_fd=self._root)
        except OSError as problem:
            self.abort()
            raise self._failure(problem) from problem
        sha256 = self._digest.hexdigest()
        watcher.remember(self._name, os.fstat(self._fd), sha256)
        self._close()
        return self._size, sha256

    def abort(self) -> None:
        with suppress(OSError):
            os.unlink(self._part, dir_fd=self._root)
        self._close()

    def _close(self) -> None:
        if not self._closed:
            self._closed = True
            os.close(self._fd)

    def _failure(self, problem: OSError) -> PathError:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return self._no_space(self._size)
        if problem.errno in (errno.EISDIR, errno.ENOTEMPTY, errno.EEXIST):
            return PathError("bad-path", f"{self._name} is a folder.")
        return PathError("bad-path", f"{self._name} cannot be written: {problem.strerror}.")

    def _no_space(self, size_bytes: int) -> PathError:
        disk = os.fstatvfs(self._root)
        return PathError(
            "no-space",
            f"{self._name} ({megabytes(size_bytes)}) does not fit: the workspace holds {megabytes(disk.f_blocks * disk.f_frsize)} "
            f"and {megabytes(disk.f_bavail * disk.f_frsize)} of it are free.",
        )


class FileRead:
    """One outgoing file. `next_piece` until it returns None, then `size_bytes` and `sha256` are final."""

    def __init__(self, root: int, path: object, max_bytes: object) -> None:
        """Raises `PathError`."""
        if not isinstance(max_bytes, int) or isinstance(max_bytes, bool) or max_bytes < 0:
            raise PathError("bad-path", "maxBytes must be a number of bytes.")
        self._path = "/".join(segments := split_path(path))
        self._limit = max_bytes
        self._digest = hashlib.sha256()
        self.size_bytes = 0
        self._fd, found = open_file(root, segments)
        if found.st_size > max_bytes:
            self.close()
            raise self._too_large(found.st_size)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def next_piece(self) -> bytes | None:
        """Raises `PathError` when the file grew past the cap while it was read."""
        try:
            piece = os.read(self._fd, PIECE_BYTES)
        except OSError as problem:
            raise PathError("not-a-file", f"{self._path} cannot be read: {problem.strerror}.") from problem
        self.size_bytes += len(piece)
        if self.size_bytes > self._limit:
            raise self._too_large(self.size_bytes)
        self._digest.update(piece)
        return piece or None

    def close(self) -> None:
        os.close(self._fd)

    def _too_large(self, size_bytes: int) -> PathError:
        return PathError("too-large", f"{self._path} has {megabytes(size_bytes)}; the limit is {megabytes(self._limit)}.")


def listing(root: int, path: object) -> list[dict[str, object]]:
    """Plain files below a folder ("" or "." = the working directory). Raises `PathError`."""
    segments = [] if path in ("", ".") else split_path(path)
    folder = open_folder(root, segments)
    try:
        entries: list[dict[str, object]] = []
        header_bytes = 0
        for found_path, found in walk(folder, segments):
            if found is None:
                continue
            try:
                split_path("/".join(found_path))
            except PathError:
                continue
            name = "/".join(found_path)
            header_bytes += len(name.encode()) + 60
            if header_bytes > LISTING_BYTES or len(entries) == LISTING_LIMIT:
                break
            entries.append({"path": name, "sizeBytes": found.st_size})
        return entries
    finally:
        os.close(folder)
