"""Which files of the working directory a cell made or changed, judged by content."""

import hashlib
import json
import os
import time
from dataclasses import dataclass, field, replace
from typing import Any

from plotline.driver.formula_check import check_files
from plotline.driver.workspace import DEPTH_LIMIT, PathError, name_problem, open_file, walk
from plotline.text import clean, megabytes

COUNT_LIMIT = 200
"""New and changed files reported after one cell."""

LOOKED_AT_LIMIT = 5000
"""Files looked at after one cell."""

FILE_BYTES_LIMIT = 100 << 20
TOTAL_BYTES_LIMIT = 512 << 20
"""Bytes hashed after one cell: one file, and all together."""

TOLD_BYTES_LIMIT = 500_000
"""What is told of all files after one cell, as JSON: together with the longest error it fits into a frame header."""

SECONDS_LIMIT = 5.0
_CHUNK_BYTES = 1 << 20
_NAMES_SHOWN = 5
_ALL_OTHERS = "…"

Stamp = tuple[int, int, int, int]


@dataclass(frozen=True)
class FileChange:
    path: str
    size_bytes: int
    sha256: str
    change: str
    """`new` or `changed`."""
    formulas: dict[str, Any] | None = None
    """`FormulaCells` of src/types.ts."""

    def as_json(self) -> dict[str, object]:
        return {"path": self.path, "sizeBytes": self.size_bytes, "sha256": self.sha256, "change": self.change, "formulas": self.formulas}


@dataclass
class Changes:
    files: list[FileChange] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    truncated: bool = False
    """Something was left out of this look, and `notes` say what."""


def stamp_of(found: os.stat_result) -> Stamp:
    """What says "untouched" without reading. ctime is part of it, because user code can set mtime back."""
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


class _OverBudget(Exception):
    pass


class ChangeWatcher:
    """Remembers the files as they were after the last look."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._known: dict[str, tuple[Stamp, str]] = {}
        self._said: set[str] = set()

    def remember(self, path: str, found: os.stat_result, sha256: str) -> None:
        """A file that the bot wrote: it is not news."""
        self._known[path] = (stamp_of(found), sha256)

    def look(self) -> Changes:
        """New and changed files since the last look, within the budgets; what they leave out is named in `notes`."""
        changes = Changes()
        left_out: list[tuple[str, str]] = []
        seen: set[str] = set()
        until = time.monotonic() + SECONDS_LIMIT
        hashed_bytes = looked_at = 0
        complete = True
        for segments, found in walk(self._root, []):
            path = "/".join(segments)
            looked_at += 1
            if looked_at > LOOKED_AT_LIMIT or time.monotonic() > until or len(changes.files) >= COUNT_LIMIT:
                left_out.append((_ALL_OTHERS, f"more than {COUNT_LIMIT} changed files, {LOOKED_AT_LIMIT:,} files or {SECONDS_LIMIT:.0f} s of looking"))
                complete = False
                break
            if found is None:
                left_out.append((path, f"a folder that cannot be opened or is deeper than {DEPTH_LIMIT} levels"))
                continue
            if problem := next((why for why in map(name_problem, segments) if why), None):
                left_out.append((ascii(path), problem))
                continue
            seen.add(path)
            known = self._known.get(path)
            if known is not None and known[0] == stamp_of(found):
                continue
            if found.st_size > FILE_BYTES_LIMIT:
                left_out.append((path, f"larger than {megabytes(FILE_BYTES_LIMIT)}"))
                continue
            if hashed_bytes + found.st_size > TOTAL_BYTES_LIMIT:
                left_out.append((path, f"more than {megabytes(TOTAL_BYTES_LIMIT)} of new files after one cell"))
                continue
            try:
                stamp, size, sha256 = self._hash(segments, until)
            except PathError:
                continue
            except _OverBudget:
                left_out.append((path, "it grew or took too long while it was read"))
                continue
            hashed_bytes += size
            self._known[path] = (stamp, sha256)
            if known is None or known[1] != sha256:
                changes.files.append(FileChange(path, size, sha256, "new" if known is None else "changed"))
        if complete:
            for gone in self._known.keys() - seen:
                del self._known[gone]
        formulas = check_files(self._root, [file.path for file in changes.files])
        changes.files = self._that_fit([replace(file, formulas=formulas.get(file.path)) for file in changes.files], left_out)
        self._say(changes, left_out)
        return changes

    def _that_fit(self, files: list[FileChange], left_out: list[tuple[str, str]]) -> list[FileChange]:
        """The first ones, as many as can be told at once; the others are news again after the next cell."""
        told_bytes = 0
        for index, file in enumerate(files):
            told_bytes += len(json.dumps(file.as_json(), ensure_ascii=False).encode("utf-8", "replace"))
            if told_bytes > TOLD_BYTES_LIMIT:
                left_out.append((_ALL_OTHERS, f"the names and formulas of all changed files take more than {megabytes(TOLD_BYTES_LIMIT)}"))
                for later in files[index:]:
                    del self._known[later.path]
                return files[:index]
        return files

    def _hash(self, segments: list[str], until: float) -> tuple[Stamp, int, str]:
        fd, before = open_file(self._root, segments)
        try:
            digest, size = hashlib.sha256(), 0
            while chunk := os.read(fd, _CHUNK_BYTES):
                size += len(chunk)
                if size > FILE_BYTES_LIMIT or time.monotonic() > until:
                    raise _OverBudget
                digest.update(chunk)
            return stamp_of(before), size, digest.hexdigest()
        finally:
            os.close(fd)

    def _say(self, changes: Changes, left_out: list[tuple[str, str]]) -> None:
        """Each left-out file is named once in a session, not after every cell; a spent budget again with every cell that changed files."""
        reasons: dict[str, list[str]] = {}
        for path, reason in left_out:
            if (path, reason) not in self._said or (path == _ALL_OTHERS and changes.files):
                changes.truncated = True
                self._said.add((path, reason))
                reasons.setdefault(reason, []).append(path)
        for reason, paths in reasons.items():
            names = ", ".join(paths[:_NAMES_SHOWN]) + (f" and {len(paths) - _NAMES_SHOWN} more" if len(paths) > _NAMES_SHOWN else "")
            changes.notes.append(clean(f"[files not collected: {names}: {reason}]"))
