"""Reaching into the working directory without trusting it: user code may have put anything there, and may still change it.

Every step opens by directory descriptor, never follows a link, never blocks on a FIFO, and takes only regular files
with a single name.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress

DEPTH_LIMIT = 8
"""Levels of folders that are looked at."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

_IGNORED_FOLDERS = {"__pycache__"}


class PathError(Exception):
    """A path that does not lead to a plain file. `code` is one of the protocol's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def name_problem(name: str) -> str | None:
    """Why a file name cannot travel to the bot; None when it can."""
    try:
        encoded = name.encode("utf-8")
    except UnicodeEncodeError:
        return "its name is not valid UTF-8"
    if len(encoded) > 255:
        return "its name is longer than 255 bytes"
    if any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 or character in "\u2028\u2029" for character in name):
        return "its name holds control characters"
    return None


def split_path(path: object) -> list[str]:
    """Segments of a relative path. Raises `PathError` for anything that could lead out of the working directory."""
    if not isinstance(path, str) or not path:
        raise PathError("bad-path", "The path is empty.")
    segments = path.split("/")
    if len(segments) > DEPTH_LIMIT:
        raise PathError("bad-path", f"The path has more than {DEPTH_LIMIT} segments.")
    for segment in segments:
        if segment in ("", ".", ".."):
            raise PathError("bad-path", "The path must be relative, without empty segments, `.` or `..`.")
        if problem := name_problem(segment):
            raise PathError("bad-path", f"The path cannot be used: {problem}.")
    return segments


def open_root(workspace: str) -> int:
    """The working directory itself, which user code cannot replace (it is a mount point)."""
    return os.open(workspace, _DIRECTORY)


def open_folder(root: int, segments: list[str]) -> int:
    """A folder below `root`. The caller closes it. Raises `PathError`."""
    current = os.dup(root)
    for segment in segments:
        try:
            following = _open_subfolder(segment, current)
        except OSError as problem:
            raise _path_error(problem, "/".join(segments)) from problem
        finally:
            os.close(current)
        current = following
    return current


def _open_subfolder(name: str, folder: int) -> int:
    """A folder that is an entry of `folder` itself. Raises `OSError`.

    gVisor forgets `O_NOFOLLOW` beside `O_DIRECTORY`, so what was opened must be the entry that was looked at.
    """
    entry = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if stat.S_ISLNK(entry.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    fd = os.open(name, _DIRECTORY, dir_fd=folder)
    if not os.path.samestat(entry, os.fstat(fd)):
        os.close(fd)
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return fd


def open_file(root: int, segments: list[str]) -> tuple[int, os.stat_result]:
    """A plain file below `root`, opened for reading. The caller closes it. Raises `PathError`."""
    path = "/".join(segments)
    folder = open_folder(root, segments[:-1])
    try:
        # Opening a FIFO or a device has side effects, so it is looked at first; the check after opening is what counts.
        before = os.stat(segments[-1], dir_fd=folder, follow_symlinks=False)
        if not is_plain(before):
            raise PathError("not-a-file", f"{path} is not a plain file with a single name.")
        fd = os.open(segments[-1], _FILE, dir_fd=folder)
    except OSError as problem:
        raise _path_error(problem, path) from problem
    finally:
        os.close(folder)
    found = os.fstat(fd)
    if not is_plain(found):
        os.close(fd)
        raise PathError("not-a-file", f"{path} is not a plain file with a single name.")
    return fd, found


def is_plain(found: os.stat_result) -> bool:
    """A regular file with exactly one name: a second hard link could change it behind our back."""
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1


def walk(folder: int, prefix: list[str], depth: int = 1) -> Iterator[tuple[list[str], os.stat_result | None]]:
    """Plain files below a folder, sorted by name within it, hidden ones left out.

    A folder that is too deep, or one that cannot be opened, comes with None instead of a stat.
    """
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if not entry.name.startswith("."))
    except OSError:
        yield prefix, None
        return
    for name in names:
        with suppress(OSError):
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                if name not in _IGNORED_FOLDERS:
                    folders.append(name)
            elif is_plain(found):
                yield [*prefix, name], found
    for name in folders:
        if depth >= DEPTH_LIMIT:
            yield [*prefix, name], None
            continue
        try:
            inner = _open_subfolder(name, folder)
        except OSError:
            yield [*prefix, name], None
            continue
        try:
            yield from walk(inner, [*prefix, name], depth + 1)
        finally:
            os.close(inner)


def _path_error(problem: OSError, path: str) -> PathError:
    if problem.errno in (errno.ENOENT, errno.ENOTDIR):
        return PathError("not-found", f"{path} does not exist.")
    if problem.errno == errno.ELOOP:
        return PathError("not-a-file", f"{path} is a link.")
    if problem.errno == errno.EISDIR:
        return PathError("not-a-file", f"{path} is a folder.")
    return PathError("not-a-file", f"{path} cannot be opened: {problem.strerror}.")
