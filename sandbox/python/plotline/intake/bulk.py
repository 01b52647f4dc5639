"""Large text tables, column by column from the file's bytes.

Lines whose bytes prove what they are are taken together (`bulk_scan`); the runs of lines between them go through the same
reader as small files, which knows damage and values that run over several lines. A file that is mostly such lines is left
to that reader altogether.
"""

import codecs
from dataclasses import dataclass

import numpy as np

from plotline.intake.bulk_scan import Scan, scan
from plotline.intake.dialect import detect_dialect
from plotline.intake.encoding import Decoded, decode
from plotline.intake.header import count_header_rows, header_names, several_rows
from plotline.intake.line_notes import encoding_notes, end_note, returns_note
from plotline.intake.model import Dialect, Note, RawTable, Reading, Rejected
from plotline.intake.records import PhysicalLines, Records, read_records, tokeniser
from plotline.intake.table_rows import COMMENT_MARKS, empty_rows_note, few_comments, finish, regular_rows
from plotline.intake.table_start import first_row, header_with_other_delimiter, other_delimiter_note, preamble_note
from plotline.intake.text_column import Buffer, Spans, TextColumn

FROM_BYTES = 150_000
"""Below this size the line-by-line reader is fast enough."""
_HEAD_LINES = 400
_HEAD_BYTES = 1_300_000
_MAX_ODD_SHARE = 0.2
_MAX_UNEVEN_SHARE = 0.02
_HOLLOW = 4
"""Signs for each column up to which a line may be one without values."""
_GAP = 4
"""Runs of lines with fewer plain lines between them are read together: a value that goes on over several lines may hold
lines that look whole."""
_QUOTE, _RETURN = b'"', 13


def read_bulk(data: bytes, name: str) -> Reading | None:
    """The table of a large file, or None where the line-by-line reader has to look at it."""
    if len(data) < FROM_BYTES:
        return None
    body, decoded = _as_utf8(data)
    if b"\n" + codecs.BOM_UTF8 in body:
        return None  # files that were put together
    head = decoded.text
    dialect, width = detect_dialect(head, decoded.encoding)
    if width < 2 or len(dialect.delimiter) != 1 or dialect.delimiter in " \n\r" or dialect.delimiter > "\x7f" or head.lstrip()[:4].lower() == "sep=":
        return None
    if dialect.quote is None and '"' not in head and _QUOTE in body:
        dialect = Dialect(dialect.encoding, dialect.delimiter, '"', '"' if b'""' in body else None)
    if dialect.quote and (dialect.quote > "\x7f" or dialect.escape not in (None, dialect.quote, "\\")):
        return None
    found = _lines_of(body, dialect)
    if found is None:
        return None
    buffer, lines = found
    reader = _Reader(buffer, lines, dialect, name)
    table = reader.table()
    if table is None:
        return None
    notes = encoding_notes(decoded) + returns_note(_lines_with_returns(body, lines)) + end_note(body.count(b"\n") + 1, chr(body[-1]))
    return Reading("tsv" if dialect.delimiter == "\t" else "csv", [table], dialect, notes)


def _as_utf8(data: bytes) -> tuple[bytes, Decoded]:
    """The file's text as UTF-8 bytes, and how it was decoded. `Decoded.text` holds the head alone: the whole text would
    need as much memory again."""
    start = 3 if data.startswith(codecs.BOM_UTF8) else 0
    if b"\0" not in data and b"\x1b$" not in data[:_HEAD_BYTES] and _is_utf8(data):
        encoding = "utf-8-sig" if start else "ascii" if data.isascii() else "utf-8"
        return data[start:], Decoded(_head(data[start : start + _HEAD_BYTES]), encoding)
    decoded = decode(data)
    body = decoded.text.encode("utf-8", "replace")
    kept = {key: getattr(decoded, key) for key in ("encoding", "guessed", "mixed_with", "mixed_lines", "nul_lines", "foreign_lines")}
    return body, Decoded(_head(body[:_HEAD_BYTES]), **kept)


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(data)
    try:
        for start in range(0, len(data), 1 << 20):
            decoder.decode(view[start : start + (1 << 20)])
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _head(piece: bytes) -> str:
    cut = piece.rfind(b"\n") + 1 if len(piece) >= _HEAD_BYTES else len(piece)
    return piece[: cut or len(piece)].decode("utf-8", "replace")


def _lines_of(body: bytes, dialect: Dialect) -> tuple[Buffer, Scan] | None:
    buffer = Buffer(body)
    found = scan(buffer.codes, ord(dialect.delimiter), ord(dialect.quote) if dialect.quote else None, dialect.escape == "\\")
    if found is None or found.width < 2 or len(found.plain) < 100:
        return None
    filled = len(found.starts) - int(found.blank.sum())
    if int(found.odd.sum()) > _MAX_ODD_SHARE * filled:
        return None
    return buffer, found


def _lines_with_returns(body: bytes, lines: Scan) -> list[int]:
    """The records that hold a carriage return which ends no line."""
    if body.count(b"\r") == body.count(b"\r\n"):
        return []
    codes = np.frombuffer(body, dtype=np.uint8)
    places = np.flatnonzero(codes == _RETURN)
    lone = places[codes[np.minimum(places + 1, len(codes) - 1)] != ord("\n")]
    return np.unique(lines.numbers[np.searchsorted(lines.starts, lone, side="right") - 1]).tolist()


@dataclass
class _Head:
    """The top of a table: its header, the record (from 0) on which its body begins, what was said and rejected on the way."""

    rows: list[list[str]]
    body_from: int
    notes: list[Note]
    rejected: list[Rejected]


class _Reader:
    """Makes the table of one file out of its plain lines and the records between them."""

    def __init__(self, buffer: Buffer, lines: Scan, dialect: Dialect, name: str) -> None:
        self.buffer, self.lines, self.dialect, self.name = buffer, lines, dialect, name
        self.how = tokeniser(dialect.delimiter, dialect.quote, dialect.escape)
        self.width = lines.width

    def table(self) -> RawTable | None:
        head = self._head()
        if head is None:
            return None
        names, units = header_names(head.rows, self.width)
        header_rows, body_from = len(head.rows), head.body_from
        out = RawTable(self.name, names, header_rows, [], [], notes=head.notes, units=units, header_cells=several_rows(head.rows, range(self.width)))
        odd = self._odd_records(body_from)
        uneven = sum(len(row) != self.width for row in odd.rows)
        if uneven > _MAX_UNEVEN_SHARE * len(self.lines.plain):
            return None
        total = len(self.lines.plain) + len(odd.rows)
        last_line = self._number(len(self.lines.numbers) - 1)
        rows, starts = regular_rows(odd.rows, odd.lines, self.width, total, last_line, self.dialect, out, self._line_text)
        out.rejected += odd.rejected + head.rejected
        plain = self.lines.plain
        keep = plain >= body_from
        after = 0
        for index, reason in self._not_rows(body_from, header_rows):
            keep[np.searchsorted(plain, index)] = False
            if reason:
                out.rejected.append(Rejected(self._number(index), reason))
            after += reason is None
        if after:
            out.notes.append(empty_rows_note(after, self.name))
        picked = np.flatnonzero(keep)
        main = self.lines.numbers[plain[picked]]
        out.lines, place = _merged(main, np.array(starts, dtype=main.dtype))
        # A slice takes a column of the edges without copying it.
        rows_taken = slice(int(picked[0]), int(picked[-1]) + 1) if len(picked) and picked[-1] - picked[0] + 1 == len(picked) else picked
        for column in range(self.width):
            spans = self._spans(rows_taken, column)
            texts = [row[column] for row in rows]
            out.columns.append(TextColumn.of_spans(spans, place[: len(main)], texts, place[len(main) :]))
        odd.multi_line = sorted({*odd.multi_line, *self._of_several_lines()})
        finish(out, odd, self._number(body_from - header_rows))
        return out

    def _of_several_lines(self) -> list[int]:
        """The plain records that hold line ends."""
        next_line = np.append(self.lines.numbers[1:], self.lines.numbers[-1:] + 1)
        plain = self.lines.plain
        return self.lines.numbers[plain[next_line[plain] - self.lines.numbers[plain] > 1]].tolist()

    def _number(self, index: int) -> int:
        return int(self.lines.numbers[index])

    def _line_text(self, line: int) -> str:
        """A physical line, from 1, of the file."""
        index = int(np.searchsorted(self.lines.numbers, line, side="right")) - 1
        pieces = self._text(index).split("\n")
        return pieces[min(line - self._number(index), len(pieces) - 1)]

    def _text(self, index: int) -> str:
        start, end = int(self.lines.starts[index]), int(self.lines.ends[index])
        return str(self.buffer.data[start:end], "utf-8", "replace")

    def _head(self) -> _Head | None:
        """The top of the table; None where the line-by-line reader has to look at it."""
        texts = [self._text(index) for index in range(min(_HEAD_LINES, len(self.lines.starts)))]
        records = read_records(texts, self.how, self.width)
        start = first_row(records.rows, self.width)
        rows, lines = records.rows[start:], records.lines[start:]
        if len(rows) < 3 or any(len(row) != self.width for row in rows[:3]):
            return None
        whole = [(row, line) for row, line in zip(rows, lines) if len(row) == self.width]
        count = count_header_rows([row for row, _ in whole][:210])
        header = [row for row, _ in whole[:count]]
        body_from = (whole[count][1] if count < len(whole) else lines[0]) - 1
        notes: list[Note] = []
        named = header_with_other_delimiter(texts, records.lines[start - 1], self.width, self.dialect) if start and not count else None
        if named:
            start, header = start - 1, [named]
            notes.append(other_delimiter_note(self.name, self._number(records.lines[start] - 1)))
        elif count and body_from - count + 1 != whole[0][1]:
            return None  # lines between the header's rows and the body
        if start:
            above = [self._number(line - 1) for line in records.lines[:start]]
            notes.append(preamble_note(above, self._number(records.lines[start] - 1), self.name))
        rejected = [Rejected(self._number(item.line - 1), item.reason) for item in records.rejected if item.line <= body_from]
        return _Head(header, body_from, notes, rejected)

    def _odd_records(self, body_from: int) -> Records:
        """The records of the lines that are not plain, read in runs."""
        odd = np.flatnonzero(self.lines.odd)
        odd = odd[odd >= body_from]
        out = Records()
        if not len(odd):
            return out
        edges = np.flatnonzero(np.diff(odd) > _GAP) + 1
        for run in np.split(odd, edges):
            self._read_run(int(run[0]), int(run[-1]), out)
        gone = self.lines.odd[self.lines.plain]
        if gone.any():
            self.lines.edges = self.lines.edges[~gone]
            self.lines.plain = self.lines.plain[~gone]
        return out

    def _read_run(self, first: int, last: int, out: Records) -> None:
        """Reads the records from `first` to `last`, of which some are plain, into `out`, without the plain ones."""
        texts, numbers, plain = PhysicalLines(), [], {}
        returns: list[bool] = []
        for index in range(first, last + 1):
            text, end = self._text(index), int(self.lines.ends[index])
            # Where quotes are out of step, what looks like one record may be many lines.
            pieces = text.split("\n") if self.lines.odd[index] else [text]
            if len(pieces) == 1 and not self.lines.odd[index]:
                plain[len(texts)] = index
            returns += [piece.endswith("\r") for piece in pieces[:-1]] + [end < len(self.buffer.codes) and self.buffer.codes[end] == _RETURN]
            texts += [piece.removesuffix("\r") for piece in pieces[:-1]] + pieces[-1:]
            numbers += range(self._number(index), self._number(index) + len(pieces))
        texts.returns = returns
        found = read_records(texts, self.how, self.width)
        for row, line in zip(found.rows, found.lines):
            if line - 1 not in plain:
                out.rows.append(row)
                out.lines.append(numbers[line - 1])
        # A plain line that went into a value of several lines is no record of its own.
        for place in set(plain) - {line - 1 for line in found.lines}:
            if not self.lines.blank[plain[place]]:
                self.lines.odd[plain[place]] = True
        out.rejected += [Rejected(numbers[item.line - 1], item.reason) for item in found.rejected]
        out.stray += [numbers[line - 1] for line in found.stray]
        out.multi_line += [numbers[line - 1] for line in found.multi_line]

    def _not_rows(self, body_from: int, header_rows: int) -> list[tuple[int, str | None]]:
        """Plain lines that are no rows: without a value, or a repeated header."""
        lines = self.lines
        sizes = lines.ends[lines.plain] - lines.starts[lines.plain]
        out: list[tuple[int, str | None]] = []
        hollow = self._hollow(sizes, body_from)
        none = set(hollow)
        filled = next((index for index in lines.plain[::-1].tolist() if index not in none), 0) if hollow else 0
        last_filled = max(filled, int(np.flatnonzero(lines.odd)[-1]) if lines.odd.any() else 0)
        out += [(index, "holds delimiters but no values" if index < last_filled else None) for index in hollow]
        marks = self.buffer.codes[np.minimum(lines.starts[lines.plain], len(self.buffer.codes) - 1)]
        marked = lines.plain[((marks == ord("#")) | (marks == ord("/"))) & (lines.plain >= body_from)]
        if 0 < len(marked) <= few_comments(len(lines.plain)) and not self._text(max(0, body_from - 1)).startswith(COMMENT_MARKS):
            out += [(index, "is a comment") for index in marked.tolist() if self._text(index).startswith(COMMENT_MARKS)]
        if header_rows == 1:
            first = body_from - 1
            head = self._text(first)
            same = lines.plain[(sizes == lines.ends[first] - lines.starts[first]) & (lines.plain >= body_from)]
            key = self.buffer.word(lines.starts[same].astype(np.int64))
            wanted = self.buffer.word(np.array([lines.starts[first]], dtype=np.int64))[0]
            out += [(index, "repeats the header") for index in same[key == wanted].tolist() if self._text(index) == head]
        return out

    def _hollow(self, sizes: np.ndarray, body_from: int) -> list[int]:
        """Plain lines of the body that hold delimiters alone, or with blanks and empty quotes."""
        lines, signs = self.lines, set(self.dialect.delimiter + (self.dialect.quote or "") + " \t")
        short = lines.plain[sizes <= _HOLLOW * self.width]
        first = self.buffer.codes[np.minimum(lines.starts[short], len(self.buffer.codes) - 1)]
        last = self.buffer.codes[np.maximum(lines.ends[short] - 1, 0)]
        marks = np.array([ord(sign) for sign in signs], dtype=np.uint8)
        suspects = short[np.isin(first, marks) & np.isin(last, marks) & (short >= body_from)]
        return [index for index in suspects.tolist() if signs.issuperset(self._text(index))]

    def _spans(self, picked: np.ndarray | slice, column: int) -> Spans:
        lines, edges = self.lines, self.lines.edges
        starts = lines.starts[lines.plain[picked]] if column == 0 else edges[picked, column - 1] + 1
        ends = lines.ends[lines.plain[picked]] if column == self.width - 1 else edges[picked, column]
        lengths = ends - starts
        if lines.has_quotes and self.dialect.quote:
            mark = ord(self.dialect.quote)
            codes = self.buffer.codes
            quoted = (lengths >= 2) & (codes[np.minimum(starts, len(codes) - 1)] == mark)
            starts += quoted
            lengths -= 2 * quoted
        return Spans(self.buffer, starts, lengths, self.dialect.quote, lines.has_inner_quotes)


def _merged(main: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both lists of lines in order, and the row in which each of them stands."""
    if not len(other):
        return main, np.arange(len(main))
    both = np.concatenate((main, other))
    order = np.argsort(both, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return both[order], place
