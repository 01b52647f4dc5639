"""What a kernel may say. User code runs in the kernel, so every message is checked before it is believed."""

import re
from typing import Any

from plotline.frames import Header
from plotline.text import clean, clip

RESULTS_LIMIT = 100
"""Results of one run."""

RESULT_BYTES_LIMIT = 64 << 20
"""Bytes of all results of one run together."""

_TEXT_LIMITS = {"name": 200, "message": 16_000, "traceback": 64_000}
_MIME = re.compile(r"[a-z0-9.+-]{1,40}/[a-z0-9.+-]{1,80}")
_ENCODINGS = ("utf8", "json", "binary")
PARTS_LIMIT = 20


class MessageError(Exception):
    """A kernel's message does not have the agreed shape."""


def check_parts(header: Header, payload: bytes | bytearray) -> list[dict[str, Any]]:
    """The `parts` of a result, rebuilt from what was checked. Raises `MessageError`."""
    parts = header.get("parts")
    if not isinstance(parts, list) or not 1 <= len(parts) <= PARTS_LIMIT:
        raise MessageError("result without parts")
    checked: list[dict[str, Any]] = []
    view = memoryview(payload)
    offset = 0
    for part in parts:
        if not isinstance(part, dict):
            raise MessageError("result part is not an object")
        mime, size, encoding = part.get("mime"), part.get("bytes"), part.get("encoding")
        if not isinstance(mime, str) or _MIME.fullmatch(mime) is None:
            raise MessageError("result part without a MIME type")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0 or encoding not in _ENCODINGS:
            raise MessageError("result part without size or encoding")
        chunk = view[offset : offset + size]
        offset += size
        if encoding != "binary":
            try:
                str(chunk, "utf-8")
            except UnicodeDecodeError as problem:
                raise MessageError("result text is not UTF-8") from problem
        checked.append({"mime": mime, "bytes": size, "encoding": encoding})
    if offset != len(payload):
        raise MessageError("result sizes do not add up")
    return checked


def check_error(value: object) -> dict[str, str] | None:
    """A `done` message's error with bounded, valid text. Raises `MessageError`."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise MessageError("error is not an object")
    checked: dict[str, str] = {}
    for key, limit in _TEXT_LIMITS.items():
        text = value.get(key)
        if not isinstance(text, str):
            raise MessageError(f"error without {key}")
        checked[key] = clip(clean(text), limit)
    return checked
