"""One file -> everything in it that is a table. The only place that knows which reader serves which kind."""

from pathlib import Path

import numpy as np

from plotline.intake.delimited import read_delimited
from plotline.intake.encoding import decode, with_line_feeds
from plotline.intake.kinds import kind_of_file
from plotline.intake.model import Note, Reading, Unreadable, check_size

READABLE = "CSV, TSV and other text tables, Excel (.xlsx, .xlsm, .xlsb, .xls), OpenDocument (.ods), JSON, tables in HTML and Markdown, and these in zip or gz files"
WHOLE_UP_TO_BYTES = 200_000_000
"""Larger text files are sampled, and the card says so."""
SAMPLE_BYTES = 64_000_000
WHOLE_UP_TO_LINES = 8_000_000
"""So are files of more lines, however short: each row takes memory of its own."""
SAMPLE_LINES = 2_000_000

_REFUSALS = {
    "tar": "A tar archive. I cannot open it; please send the files themselves or as .zip.",
    "7z": "A 7z archive. I cannot open it; please send the files themselves or as .zip.",
    "rar": "A RAR archive. I cannot open it; please send the files themselves or as .zip.",
    "sqlite": f"A SQLite database. I do not open databases; I can read {READABLE}.",
    "parquet": f"A Parquet file. I cannot open it; I can read {READABLE}.",
    "arrow": f"An Arrow file. I cannot open it; I can read {READABLE}.",
    "document": f"A text document, not a table. I can read {READABLE}.",
    "unknown-binary": f"This is not a kind of file that I know. I can read {READABLE}.",
    "xml": f"An XML file that is not a spreadsheet. I can read {READABLE}.",
}


def read_file(path: Path, depth: int = 0) -> Reading:
    """The tables of the file. Raises `Unreadable` with words for the person where there are none to read; a missing
    file raises FileNotFoundError. `depth` counts the archives around the file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(4096)
    kind = kind_of_file(path, head)
    match kind:
        case "empty":
            raise Unreadable("The file is empty: 0 bytes. Please export it again and send it once more.")
        case "zip":
            from plotline.intake.archive import read_zip

            return read_zip(path, depth, path)
        case "ole" | "xls":
            from plotline.intake.xls import read_xls

            return read_xls(path)
        case "gzip" | "bzip2" | "xz":
            from plotline.intake.archive import read_compressed

            return read_compressed(path, kind, depth)
        case "json":
            from plotline.intake.json_tables import read_json

            return read_json(decode(path.read_bytes()), path.stem)
        case "xml-spreadsheet":
            from plotline.intake.spreadsheet_xml import read_spreadsheet_xml

            return read_spreadsheet_xml(path.read_bytes())
        case "flat-ods":
            from plotline.intake.ods import read_flat_ods

            return read_flat_ods(path.read_bytes())
        case "html" | "markdown" | "web-archive":
            from plotline.intake.markup import read_markup

            return read_markup(decode(path.read_bytes()), path.stem, kind)
        case "image" | "pdf" | "audio" | "video":
            return Reading(kind)
        case "program":
            suffix = path.suffix or "no extension"
            raise Unreadable(f"A program ({suffix}). I do not open programs; I can read {READABLE}.")
        case "text":
            return _read_text(path, size)
        case _:
            raise Unreadable(_REFUSALS.get(kind, _REFUSALS["unknown-binary"]))


def _read_text(path: Path, size: int) -> Reading:
    with path.open("rb") as file:
        data = file.read(SAMPLE_BYTES if size > WHOLE_UP_TO_BYTES else -1)
        lines = data.count(b"\n")
        is_part = size > WHOLE_UP_TO_BYTES or lines > WHOLE_UP_TO_LINES
        if is_part:
            data = _first_lines(data)
        unread = lines - data.count(b"\n") + sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 22), b"")) if is_part else 0
    nothing = b"\x00\xff\xfe\xef\xbb\xbf \t\r\n"
    if not data[:4096].strip(nothing) and not data.strip(nothing):
        raise Unreadable("The file holds nothing but blanks and line ends. Please export it again and send it once more.")
    from plotline.intake.bulk import read_bulk

    data = with_line_feeds(data)
    reading = read_bulk(data, path.stem) or read_delimited(decode(data), path.stem)
    widest = max((len(table.header) for table in reading.tables), default=0)
    check_size(0, widest)
    if is_part:
        read = data.count(b"\n")
        words = f"The file has {size / 1e6:,.0f} MB and {read + unread:,} lines; only its first {len(data) / 1e6:,.0f} MB, {read:,} lines, were read."
        reading.notes.append(Note("sampled", words))
        for table in reading.tables[-1:]:
            table.unread_lines = unread
    return reading


def _first_lines(data: bytes) -> bytes:
    """The first whole lines, as many as are read of a file that is too large."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        line_end = b"\n\0" if data.startswith(b"\xff\xfe") else b"\0\n"
        cut = data.rfind(line_end)
        return data[: (cut + 2) // 2 * 2] if cut > 0 else data[: len(data) // 4 * 4]
    end = max(data.rfind(b"\n"), data.rfind(b"\r"))
    if data.count(b"\n") > SAMPLE_LINES:
        marks = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n"))
        end = int(marks[SAMPLE_LINES - 1])
    return data[: end + 1] or data
