"""Zip files: workbooks are zips too, so the entries decide. Guards stand before anything is unpacked."""

import bz2
import gzip
import lzma
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from plotline.intake.model import Note, Reading, Unreadable

MAX_ENTRIES = 2_000
MAX_TOTAL_BYTES = 1_000_000_000
MAX_RATIO = 200
"""Unpacked size over packed size; text compresses 5 to 30 times, repeated text up to about 100."""
_RATIO_FROM_BYTES = 20_000_000
_PIECE_BYTES = 1 << 20
_TABLE_SUFFIXES = frozenset(".csv .tsv .tab .txt .psv .dat .xlsx .xlsm .xltx .xltm .xls .ods .json .jsonl .ndjson .zip .gz .md .html .htm .fwf".split())


def read_zip(file: Path | BinaryIO, depth: int, path: Path) -> Reading:
    """The tables of a workbook, or of every readable file in an archive; `path` is where it came from. Raises `Unreadable`."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise Unreadable("The zip file or workbook is damaged or incomplete; please send it again.") from None
    with archive:
        entries = archive.infolist()
        guard(entries)
        names = {entry.filename.replace("\\", "/").lower() for entry in entries}
        if "[content_types].xml" in names and any(name.endswith("workbook.bin") for name in names):
            raise Unreadable("An Excel binary workbook (.xlsb). Please save it as .xlsx and send it again.")
        if "[content_types].xml" in names and any(name.endswith(".xml") and name.startswith("xl/") for name in names):
            from plotline.intake.xlsx import read_xlsx

            return read_xlsx(archive, path)
        if "content.xml" in names and "mimetype" in names or "meta-inf/manifest.xml" in names and "content.xml" in names:
            from plotline.intake.ods import read_ods

            return read_ods(archive)
        if "[content_types].xml" in names and any(name.startswith(("word/", "ppt/")) for name in names):
            raise Unreadable("A text document or presentation, not a table. Please send its tables as .xlsx or .csv.")
        if depth >= 2:
            raise Unreadable("A zip inside a zip inside a zip. Please unpack it and send the files themselves.")
        return _read_entries(archive, entries, depth)


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
    others: dict[str, int] = {}
    readable = [entry for entry in files if PurePosixPath(entry.filename).suffix.lower() in _TABLE_SUFFIXES]
    with tempfile.TemporaryDirectory() as directory:
        for number, entry in enumerate(files):
            suffix = PurePosixPath(entry.filename).suffix.lower()
            if entry not in readable:
                others[suffix or "no extension"] = others.get(suffix or "no extension", 0) + 1
                continue
            if entry.flag_bits & 1:
                out.notes.append(Note("not-read", f"{entry.filename} is password-protected; remove the password and send it again."))
                continue
            place = Path(directory) / f"{number}{suffix}"
            try:
                _unpack(archive, entry, place)
                inner = read_file(place, depth + 1)
            except Unreadable as refusal:
                out.notes.append(Note("not-read", f"{entry.filename}: {refusal}"))
                continue
            except Exception as fault:  # noqa: BLE001 - one damaged entry must not hide the others
                out.notes.append(Note("not-read", f"{entry.filename} could not be read ({type(fault).__name__})."))
                continue
            finally:
                place.unlink(missing_ok=True)
            _add(out, inner, entry.filename, place.stem)
    if others:
        listed = ", ".join(f"{count} {suffix}" for suffix, count in sorted(others.items(), key=lambda item: -item[1])[:12])
        out.notes.append(Note("other-files", f"The zip also holds files that are not tables: {listed}." if out.tables else f"The zip holds {len(files)} file(s), none of them a table: {listed}."))
    return out


def _add(out: Reading, inner: Reading, filename: str, stem: str) -> None:
    out.dialect = out.dialect or inner.dialect
    for table in inner.tables:
        label = filename if len(inner.tables) == 1 else f"{filename}: {table.name.replace(stem, PurePosixPath(filename).stem, 1)}"
        old, table.name = table.name, label
        table.notes = [Note(note.code, note.message, label if note.table == old else note.table, note.line) for note in table.notes]
        out.tables.append(table)
    out.notes += [Note(note.code, f"{filename}: {note.message}", note.table, note.line) for note in inner.notes]


def _is_clutter(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return "__MACOSX" in parts or bool(parts) and (parts[-1].startswith("._") or parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini"))


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, place: Path) -> None:
    """Copies one entry, stopping at the size it declared: a lying header must not fill the disk."""
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
    limit = min(MAX_TOTAL_BYTES, max(_RATIO_FROM_BYTES, MAX_RATIO * path.stat().st_size))
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
        except (OSError, EOFError, lzma.LZMAError):
            raise Unreadable("The compressed file is damaged or incomplete; please send it again.") from None
        inner = read_file(place, depth + 1)
    inner.notes.append(Note("compressed", f"Read from a {kind} file."))
    return inner
