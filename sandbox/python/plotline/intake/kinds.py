"""What kind of file it is, from its first bytes; the name decides only among text formats."""

import re
from pathlib import Path

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF87a", "image"),
    (b"GIF89a", "image"),
    (b"II*\0", "image"),
    (b"MM\0*", "image"),
    (b"\0\0\1\0", "image"),
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
    (b"\xca\xfe\xba\xbe", "program"),
    (b"\xcf\xfa\xed\xfe", "program"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"SQLite format 3\0", "sqlite"),
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"ID3", "audio"),
    (b"fLaC", "audio"),
    (b"OggS", "audio"),
    (b"\x1aE\xdf\xa3", "video"),
    (b"{\\rtf", "document"),
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_JSON = re.compile(rb"""\{\s*(?:"|\}|'|$)|\[\s*(?:[{\["'\]]|(?:-?[0-9.eE+-]+|true|false|null)\s*[,\]]|$)""")
"""How JSON begins: a line of a log may begin with a bracket too."""
_XML_WORKBOOK = re.compile(
    rb"""(?:\xef\xbb\xbf)?\s*(?=<[?!\w])[^\0]*?(?:progid=["']Excel\.Sheet|<(?:\w+:)?Workbook\b[^>]*urn:schemas-microsoft-com:office:spreadsheet)""", re.IGNORECASE
)
_BY_SUFFIX = {
    "image": "png jpg jpeg gif bmp webp tif tiff ico heic svg",
    "audio": "mp3 wav flac ogg m4a aac opus wma",
    "video": "mp4 mov avi mkv webm wmv m4v mpg mpeg",
    "document": "doc docx odt rtf ppt pptx odp pages key",
    "program": "exe dll com msi apk app dmg bat cmd ps1 scr jar",
    "unknown-binary": "bin dat numbers parquet feather",
}


def kind_of_file(path: Path, head: bytes) -> str:
    """One word for the kind of file; `text` for whatever is read as a text table. `head` is its first 4 KB."""
    suffix = path.suffix.lower().lstrip(".")
    if not head:
        return "empty"
    if head.startswith(_ZIP):
        return "zip"
    if head[257:262] == b"ustar":
        return "tar"
    if head.startswith(_OLE):
        return "ole"
    if re.match(rb"\x09[\x00\x02\x04\x08][\x04-\x14]\x00[\x00-\x07].", head[:6], re.DOTALL):
        return "xls"
    if head[4:8] == b"ftyp":
        return "audio" if suffix in ("m4a", "aac") else "video"
    if head.startswith(b"RIFF"):
        return {b"WEBP": "image", b"WAVE": "audio", b"AVI ": "video"}.get(head[8:12], "unknown-binary")
    if head.startswith(b"BM") and len(head) > 30 and head[14] in (12, 40, 56, 108, 124):
        return "image"
    for magic, kind in _MAGIC:
        # A text may begin with “MZ” or “BZh” too: a program has zero bytes near its start.
        if head.startswith(magic) and (len(magic) > 3 or b"\0" in head[:512] or kind in ("gzip", "bzip2")):
            return kind
    if suffix in ("exe", "dll", "msi", "scr", "com") and suffix != "com":
        return "program"
    probe = head
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        probe = head.decode("utf-16", "ignore").encode("utf-8", "ignore")
    start = probe.lstrip(b"\xef\xbb\xbf \t\r\n")[:512].lower()
    if start.startswith(b"mime-version:") or (b"\nmime-version:" in start and b"multipart/related" in start):
        return "web-archive"
    if _XML_WORKBOOK.match(probe):
        return "xml-spreadsheet"
    if b"<html" in start or b"<table" in start or start.startswith(b"<!doctype html"):
        return "html"
    if start.startswith(b"<?xml") or start.startswith(b"<"):
        if b"urn:oasis:names:tc:opendocument" in probe and b"application/vnd.oasis.opendocument.spreadsheet" in probe:
            return "flat-ods"
        if b"<svg" in probe[:1024].lower():
            return "image"
        if start.startswith(b"<?xml"):
            return "xml"
    if suffix in ("json", "jsonl", "ndjson", "geojson"):
        return "json"
    if suffix not in ("csv", "tsv", "txt") and _JSON.match(start):
        return "json"
    if start[:2] in (b'{"', b"[{") :
        return "json"
    if suffix in ("md", "markdown"):
        return "markdown"
    if _is_binary(head):
        return next((kind for kind, suffixes in _BY_SUFFIX.items() if suffix in suffixes.split()), "unknown-binary")
    return "text"


def _is_binary(head: bytes) -> bool:
    """Bytes that no text encoding uses, in number. UTF-16 and stray NUL bytes are still text."""
    head = head.rstrip(b"\0") or head  # a text that was padded to whole blocks
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return False
    strange = sum((byte < 9 and byte != 1) or 13 < byte < 27 or 28 <= byte < 29 for byte in head)
    zeros = head.count(0)
    if zeros and strange - zeros <= len(head) * 0.02:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        return not (zeros < len(head) * 0.02 or min(even, odd) <= 0.05 * max(even, odd) + 1 or zeros > len(head) * 0.6)
    return strange > max(2, len(head) * 0.03)
