"""Zip files: workbooks are zips too, so the entries decide. Guards stand before anything is unpacked."""

import bz2
import contextlib
import gzip
import lzma
import re
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from plotline.intake.model import Note, Reading, Unreadable

MAX_ENTRIES = 2_000
MAX_TOTAL_BYTES = 1_000_000_000
MAX_ENTRY_BYTES = 250_000_000
"""One unpacked file: it lies in the sandbox's folder for temporary files, which has 256 MB unless set otherwise."""
MAX_RATIO = 200
"""Unpacked size over packed size; text compresses 5 to 30 times, repeated text up to about 100."""
_RATIO_FROM_BYTES = 20_000_000
_PIECE_BYTES = 1 << 20
_TABLE_SUFFIXES = frozenset(".csv .tsv .tab .txt .psv .dat .xlsx .xlsm .xltx .xltm .xlam .xlsb .xls .xlt .ods .fods .json .jsonl .ndjson .geojson .zip .gz .bz2 .xz .md .html .htm .mht .fwf".split())


def read_zip(file: Path | BinaryIO, depth: int, path: Path) -> Reading:
    """The tables of a workbook, or of every readable file in an archive; `path` is where it came from. Raises `Unreadable`."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise Unreadable("The zip file or workbook is damaged or incomplete; please send it again.") from None
    with archive:
        entries = archive.infolist()
        guard(entries)
        document = _as_document(archive, path)
        if document:
            return document
        if depth >= 2:
            raise Unreadable("A zip inside a zip inside a zip. Please unpack it and send the files themselves.")
        return _read_entries(archive, entries, depth)


def _as_document(archive: zipfile.ZipFile, path: Path) -> Reading | None:
    """The workbook that the zip is, None for a plain archive. Raises `Unreadable` for other documents."""
    names = {entry.filename.replace("\\", "/").lstrip("/").lower(): entry.filename for entry in archive.infolist()}
    types = b""
    if "[content_types].xml" in names:
        with contextlib.suppress(zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError, EOFError):
            types = part_bytes(archive, names["[content_types].xml"]).replace(b"\0", b"").lower()
    workbook = any(re.search(r"(?:^|/)workbook\d*\.xml$", name) for name in names) and any("worksheets/" in name or name.startswith("xl/") for name in names)
    if b"ms-excel.sheet.binary" in types or any(re.search(r"(?:^|/)workbook\d*\.bin$", name) for name in names):
        from plotline.intake.xlsb import read_xlsb

        return read_xlsb(archive)
    if workbook or (b"spreadsheetml" in types and b"wordprocessingml.document.main" not in types and b"presentationml.presentation.main" not in types):
        from plotline.intake.xlsx import read_xlsx

        return read_xlsx(archive, path)
    if "content.xml" in names and ("mimetype" in names or "meta-inf/manifest.xml" in names):
        from plotline.intake.ods import read_ods

        return read_ods(archive)
    if "index/document.iwa" in names or "index.zip" in names:
        raise Unreadable("An Apple document (Numbers, Pages or Keynote). In Numbers choose File > Export To > Excel and send that file.")
    if types and any(name.startswith(("word/", "ppt/")) for name in names):
        raise Unreadable("A text document or presentation, not a table. Please send its tables as .xlsx or .csv.")
    return None


def guard(entries: list[zipfile.ZipInfo]) -> None:
    """Raises `Unreadable` for what would not fit when unpacked."""
    total = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if len(entries) > MAX_ENTRIES * 10 or total > MAX_TOTAL_BYTES:
        raise Unreadable(
            f"A zip of {len(entries):,} files that unpacks to {total / 1e6:,.0f} MB; I open at most {MAX_TOTAL_BYTES / 1e6:,.0f} MB. Please send the part you need."
        )
    if total > _RATIO_FROM_BYTES and total > MAX_RATIO * max(1, packed):
        raise Unreadable(f"The zip unpacks to {total / max(1, packed):,.0f} times its size, as zip bombs do, so I did not open it. Please send the files themselves.")


def part_bytes(archive: zipfile.ZipFile, name: str) -> bytes:
    """One part of a workbook. In pieces, because `ZipFile.read` unpacks all there is before it cuts at the declared size.

    Raises `KeyError`, `zipfile.BadZipFile` and what the decompression raises.
    """
    with archive.open(name) as source:
        return b"".join(iter(lambda: source.read(_PIECE_BYTES), b""))


def _read_entries(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], depth: int) -> Reading:
    from plotline.intake.reading import read_file

    out = Reading("zip")
    files = [entry for entry in entries if not entry.is_dir() and not _is_clutter(entry.filename)]
    if not files:
        raise Unreadable("The zip file is empty.")
    if len(files) > MAX_ENTRIES:
        out.notes.append(Note("many-files", f"The zip has {len(files)} files; the first {MAX_ENTRIES} were looked at."))
        files = files[:MAX_ENTRIES]
    names = entry_names(files)
    others: dict[str, int] = {}
    readable = [entry for entry in files if PurePosixPath(entry.filename).suffix.lower() in _TABLE_SUFFIXES]
    with tempfile.TemporaryDirectory() as directory:
        for number, (entry, name) in enumerate(zip(files, names)):
            suffix = PurePosixPath(entry.filename).suffix.lower()
            if entry not in readable:
                others[suffix or "no extension"] = others.get(suffix or "no extension", 0) + 1
                continue
            if entry.flag_bits & 1:
                out.notes.append(Note("not-read", f"{name} is password-protected; remove the password and send it again."))
                continue
            place = Path(directory) / f"{number}{suffix}"
            try:
                _unpack(archive, entry, place)
                inner = read_file(place, depth + 1)
            except Unreadable as refusal:
                out.notes.append(Note("not-read", f"{name}: {refusal}"))
                continue
            except Exception as fault:  # noqa: BLE001 - one damaged entry must not hide the others
                out.notes.append(Note("not-read", f"{name} could not be read: {_what_is_wrong(fault)}."))
                continue
            finally:
                place.unlink(missing_ok=True)
            _add(out, inner, name, place.stem)
    if others:
        listed = ", ".join(f"{count} {suffix}" for suffix, count in sorted(others.items(), key=lambda item: -item[1])[:12])
        out.notes.append(Note("other-files", f"The zip also holds files that are not tables: {listed}." if out.tables else f"The zip holds {len(files)} file(s), none of them a table: {listed}."))
    return out


def _add(out: Reading, inner: Reading, filename: str, stem: str) -> None:
    out.dialect = out.dialect or inner.dialect
    taken = {table.name for table in out.tables}
    labels: dict[str | None, str] = {}
    for table in inner.tables:
        label = filename if len(inner.tables) == 1 else f"{filename}: {table.name.replace(stem, PurePosixPath(filename).stem, 1)}"
        number = 2
        while label in taken:
            label = f"{label.removesuffix(f' ({number - 1})')} ({number})"
            number += 1
        taken.add(label)
        old, table.name = table.name, label
        labels[old] = label
        table.notes = [Note(note.code, note.message, label if note.table == old else note.table, note.line) for note in table.notes]
        out.tables.append(table)
    out.notes += [Note(note.code, f"{filename}: {note.message}", labels.get(note.table, note.table), note.line) for note in inner.notes]


def entry_names(entries: list[zipfile.ZipInfo]) -> list[str]:
    """The entries' names, with those that are in an unmarked code page read in the page that all of them fit; each once."""
    unmarked = [entry.filename.encode("cp437", "replace") for entry in entries if not entry.flag_bits & 0x800 and not entry.filename.isascii()]
    page = _name_page(b"\n".join(unmarked)) if unmarked else "cp437"
    out: list[str] = []
    for entry in entries:
        name = entry.filename if entry.flag_bits & 0x800 or entry.filename.isascii() else entry.filename.encode("cp437", "replace").decode(page, "replace")
        number, plain = 2, name
        while name in out:
            name, number = f"{plain} ({number})", number + 1
        out.append(name)
    return out


def _name_page(names: bytes) -> str:
    from plotline.intake.code_pages import best_code_page

    with contextlib.suppress(UnicodeDecodeError):
        names.decode("utf-8")
        return "utf-8"
    page = best_code_page(names)
    try:
        text = names.decode(page)
    except (UnicodeDecodeError, LookupError):
        return "cp437"
    # Western names look alike in many pages; the zip format's own is right then.
    return page if sum(character > "\u036f" for character in text) * 2 > sum(character > "\x7f" for character in text) else "cp437"


def _what_is_wrong(fault: Exception) -> str:
    if isinstance(fault, zipfile.BadZipFile) and "CRC" in str(fault):
        return "it is damaged, its checksum does not fit its content"
    if isinstance(fault, NotImplementedError):
        return "it is packed in a way that I do not know"
    if isinstance(fault, RuntimeError) and "password" in str(fault):
        return "it is password-protected"
    return "it is damaged"


def _is_clutter(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return "__MACOSX" in parts or bool(parts) and (parts[-1].startswith("._") or parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini"))


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, place: Path) -> None:
    """Copies one entry, stopping at the size it declared: a lying header must not fill the disk."""
    if entry.file_size > MAX_ENTRY_BYTES:
        raise Unreadable(f"It unpacks to {entry.file_size / 1e6:,.0f} MB; I open at most {MAX_ENTRY_BYTES / 1e6:,.0f} MB. Please send the part you need.")
    left = entry.file_size
    with archive.open(entry) as source, place.open("wb") as target:
        while piece := source.read(min(_PIECE_BYTES, left + 1)):
            left -= len(piece)
            if left < 0:
                raise Unreadable("is larger than the zip file declares; it was not opened.")
            target.write(piece)


def read_compressed(path: Path, kind: str, depth: int) -> Reading:
    """A single compressed file. Raises `Unreadable`."""
    from plotline.intake.reading import read_file

    if depth >= 2:
        raise Unreadable("An archive inside an archive inside an archive. Please unpack it and send the files themselves.")
    opener = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}[kind]
    limit = min(MAX_ENTRY_BYTES, max(_RATIO_FROM_BYTES, MAX_RATIO * path.stat().st_size))
    name = path.stem if Path(path.stem).suffix else f"{path.stem}.csv"
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory) / name[-200:]
        try:
            with opener(path, "rb") as source, place.open("wb") as target:
                left = limit
                while piece := source.read(_PIECE_BYTES):
                    left -= len(piece)
                    if left < 0:
                        raise Unreadable(f"The file unpacks to more than {limit / 1e6:,.0f} MB, as zip bombs do, so I did not open it.")
                    target.write(piece)
        except (OSError, EOFError, zlib.error, lzma.LZMAError):
            raise Unreadable("The compressed file is damaged or incomplete; please send it again.") from None
        inner = read_file(place, depth + 1)
    inner.notes.append(Note("compressed", f"Read from a {kind} file."))
    return inner
