"""XLS (BIFF 2 to 8), and the OLE containers that turn out to be something else."""

import io
import struct
from pathlib import Path

from plotline.intake.biff import Encrypted, read_biff
from plotline.intake.model import Note, Reading, Unreadable
from plotline.intake.ole import SIGNATURE, Compound
from plotline.intake.sheet_tables import add_sheets
from plotline.intake.unlocking import unlocked
from plotline.intake.xlsx import PROTECTED

_DAMAGED = "The workbook is damaged: its container cannot be read. Please save it again as .xlsx and send it once more."


def read_xls(path: Path) -> Reading:
    """Every worksheet of the workbook. Raises `Unreadable`."""
    data = path.read_bytes()
    try:
        if not data.startswith(SIGNATURE):
            return _reading(data, path.stem)
        container = Compound(data)
        if "encryptedpackage" in container.names:
            return _package(data, path)
        return _reading(_workbook_stream(container), path.stem)
    except (ValueError, struct.error):
        raise Unreadable(_DAMAGED) from None
    except Encrypted:
        opened = _unlocked(data)
        try:
            return _reading(_workbook_stream(Compound(opened)), path.stem)
        except Encrypted:
            raise Unreadable(PROTECTED) from None


def _unlocked(data: bytes) -> bytes:
    opened = unlocked(data)
    if opened is None:
        raise Unreadable(PROTECTED)
    return opened


def _package(data: bytes, path: Path) -> Reading:
    """An encrypted XLSX. Excel encrypts workbooks that only forbid changes with a password that everyone knows."""
    from plotline.intake.archive import read_zip

    return read_zip(io.BytesIO(_unlocked(data)), 0, path)


def _workbook_stream(container: Compound) -> bytes:
    """The workbook inside an OLE container."""
    for name in ("workbook", "book"):
        if name in container.names:
            return container.read(name)
    if container.names & {"worddocument", "powerpoint document"}:
        raise Unreadable("A text document or presentation, not a table. Please send its tables as .xlsx or .csv.")
    raise Unreadable("An Office container without a workbook. Please send its tables as .xlsx or .csv.")


def _reading(data: bytes, name: str) -> Reading:
    sheets, date1904, notes = read_biff(data, name[:31])
    reading = Reading("xls", notes=notes)
    if date1904:
        reading.notes.append(Note("dates-1904", "The workbook counts days from 1904; dates were read so."))
    add_sheets(reading, sheets)
    return reading
