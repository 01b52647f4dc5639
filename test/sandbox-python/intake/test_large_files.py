"""The reader for large files gives what the line-by-line reader gives: rows, lines, reasons, notes and types."""

import random
import unittest
from unittest import mock

import numpy as np
import pandas as pd
from support import IntakeCase

from plotline.intake import bulk, column_types, quick_columns, quick_numbers
from plotline.intake.delimited import read_delimited
from plotline.intake.encoding import decode
from plotline.intake.model import Reading
from plotline.intake.text_column import Buffer, Spans, TextColumn

WORDS = ["Oslo", "São Paulo", "a, b", "", "Quito; Lima", "x"]


def table(rng: random.Random) -> tuple[list[str], str]:
    delimiter = rng.choice([",", ";", "\t", "|"])
    quote_all, lines_inside = rng.random() < 0.3, rng.random() < 0.3

    def written(value: str) -> str:
        needs = quote_all or any(sign in value for sign in (delimiter, '"', "\n"))
        return '"' + value.replace('"', '""') + '"' if needs else value

    lines = [delimiter.join(map(written, ["id", "city", "note", "amount"]))]
    for index in range(rng.randint(150, 300)):
        note = f'{rng.choice(WORDS)} said "{index}"' if rng.random() < 0.3 else rng.choice(WORDS)
        if lines_inside and rng.random() < 0.4:
            note += f"\n{rng.choice(WORDS)} {index}\nend"
        lines.append(delimiter.join(map(written, [str(index), rng.choice(WORDS), note, f"{rng.random() * 100:.2f}"])))
    return lines, delimiter


def damaged(lines: list[str], delimiter: str, rng: random.Random) -> list[str]:
    out = list(lines)
    for _ in range(rng.choice([0, 1, 2])):
        at = rng.randrange(3, len(out))
        # A value of several lines that is damaged itself may be told apart better by the reader of whole files.
        change = rng.choice([3, 4, 5, 6]) if any("\n" in line for line in lines) else rng.randrange(9)
        if change == 0:
            out[at] += delimiter + "x"
        elif change == 1:
            out[at] = out[at].rsplit(delimiter, 1)[0]
        elif change == 2:
            out[at] = out[at].replace(delimiter, "~")
        elif change == 3:
            out.insert(at, "# a comment")
        elif change == 4:
            out.insert(at, out[0])
        elif change == 5:
            out.insert(at, "")
        elif change == 6:
            out.insert(at, delimiter * 3)
        elif change == 7:
            out[at] += delimiter
        else:
            cut = rng.randrange(1, max(2, len(out[at])))
            out[at : at + 1] = [out[at][:cut], out[at][cut:]]
    return out


def described(reading: Reading) -> dict[str, object]:
    found = reading.tables[0]
    return {
        "header": found.header,
        "cells": [list(found.texts(index)) for index in range(len(found.columns))],
        "lines": [int(line) for line in found.lines],
        "rejected": found.rejected,
        "notes": sorted((note.code, note.line or 0, note.message) for note in found.notes + reading.notes),
        "range": found.range,
        "dialect": reading.dialect,
    }


class LargeAsSmall(unittest.TestCase):
    maxDiff = 2000

    def test_random_tables_with_and_without_damage(self) -> None:
        rng = random.Random(11)
        read = 0
        with mock.patch.object(bulk, "FROM_BYTES", 0):
            for number in range(300):
                lines, delimiter = table(rng)
                data = ("\n".join(damaged(lines, delimiter, rng)) + rng.choice(["\n", ""])).encode(rng.choice(["utf-8", "utf-8", "utf-16"]))
                data = data.replace(b"\n", b"\r\n") if rng.random() < 0.3 and not data.startswith(b"\xff\xfe") else data
                large = bulk.read_bulk(data, "t")
                if large is None:
                    continue
                read += 1
                with self.subTest(number=number):
                    self.assertEqual(described(large), described(read_delimited(decode(data), "t")))
        self.assertGreater(read, 250)

    def test_numbers_from_bytes_as_from_texts(self) -> None:
        rng = random.Random(12)
        forms = [
            lambda x: f"{x:.2f}", lambda x: f"{x:,.2f}", lambda x: str(int(x)), lambda x: f"{int(x):,}", lambda x: f"{x:.2f}".replace(".", ","),
            lambda x: f"{x:,.2f}".translate(str.maketrans(",.", ".,")), lambda x: f"${x:,.2f}", lambda x: f"{x:.1f}%", lambda x: f"{x:.3f}",
            lambda x: f"{x:.2e}", lambda x: f"({x:.2f})", lambda x: f"2024-0{1 + int(x) % 9}-11", lambda x: f"2024-03-{10 + int(x) % 20} 08:0{int(x) % 10}:00",
        ]  # fmt: skip
        others = ["", "n/a", "-", "abc", "007", "5 kg", "1.2.3", "1,2", "+3", "2024-02-30"]
        with mock.patch.object(quick_numbers, "QUICK_FROM", 0), mock.patch.object(quick_columns, "QUICK_FROM", 0):
            for number in range(600):
                form, share, scale = rng.choice(forms), rng.choice([0, 0, 0.01, 0.1]), rng.choice([1, 100, 1e5])
                cells = [rng.choice(others) if rng.random() < share else form(rng.uniform(0, 1) * scale) for _ in range(rng.choice([100, 200]))]
                quick, slow = column_types.type_column("x", spans(cells), column_types.Hints()), column_types.type_column("x", cells, column_types.Hints())
                with self.subTest(number=number, cells=cells[:5]):
                    self.assertEqual((quick.type, quick.unit, sorted(quick.unusable)), (slow.type, slow.unit, sorted(slow.unusable)))
                    pd.testing.assert_series_equal(pd.Series(quick.values), pd.Series(slow.values), check_exact=True)

    def test_every_cell_of_a_text_column_is_the_text_in_the_file(self) -> None:
        rng = random.Random(13)
        for longest in (3, 8, 9, 40, 700):
            cells = ["".join(rng.choice("abé0") for _ in range(rng.randint(0, longest))) for _ in range(400)]
            self.assertEqual(list(spans(cells)), cells)
            rows = np.array([row for row in range(400) if row % 7])
            other = np.array([row for row in range(400) if row % 7 == 0])
            column = TextColumn.of_spans(spans_of(cells).take(rows), rows, [cells[row] for row in other], other)
            self.assertEqual(list(column), cells)


def spans_of(cells: list[str]) -> Spans:
    pieces = [cell.encode() for cell in cells]
    lengths = np.array([len(piece) for piece in pieces])
    return Spans(Buffer(b"".join(pieces)), np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths)


def spans(cells: list[str]) -> TextColumn:
    return TextColumn.of_spans(spans_of(cells))


class LargeFiles(IntakeCase):
    def test_values_of_several_lines(self) -> None:
        body = "".join(f'{index},"first {index}\nsecond, third",{index / 4}\n' for index in range(40_000))
        frame = self.loaded("id,note,n\n" + body)
        self.assertEqual((len(frame), frame["note"][39_999], frame.attrs["rejected"]), (40_000, "first 39999\nsecond, third", []))

    def test_quotes_out_of_step_cost_no_row(self) -> None:
        for apart in (1, 801):
            lines = ["id,name,note,size"]
            for number in range(1, 8001):
                note = '"first line\nsecond line"' if number % 10 == 0 else f"plain note {number}"
                size = '5" pipe' if number in (5001, 5001 + apart) else f"{number % 50} cm"
                lines.append(f"{number},Name {number},{note},{size}")
            frame = self.loaded("\n".join(lines) + "\n")
            self.assertEqual((frame["id"].tolist(), frame.attrs["rejected"]), ([*range(1, 8001)], []))
            self.assertEqual(len(frame.attrs["unusable"]), 2)

    def test_lines_above_and_below_a_large_table_are_named(self) -> None:
        body = [f"{number},Name {number},some note here {number},2" for number in range(8000)]
        head = "id,name,note,x"
        self.assertEqual(self.lines_rejected(self.loaded("\n".join(['"Report of 2024', head, *body]) + "\n")), [1])
        codes = [warning["code"] for warning in self.carded("\n".join([head, *body, *[",,,"] * 3]) + "\n")["warnings"]]
        self.assertIn("empty-rows", codes)
        for hollow in (",,,", ", , ,", '"","","",""'):
            frame = self.loaded("\n".join([head, *body, hollow, "9,bad"]) + "\n")
            self.assertEqual((len(frame), self.lines_rejected(frame)), (8000, [8002, 8003]))

    def test_two_encodings_in_a_large_file(self) -> None:
        lines = [f"{index},Zürich,{index / 4}".encode() for index in range(60_000)]
        lines[50_000] = "50000,Málaga,3".encode("cp1252")
        path = self.file("mixed.csv", b"id,city,n\n" + b"\n".join(lines) + b"\n")
        self.assertEqual(self.loaded(path.read_bytes())["city"][50_000], "Málaga")


if __name__ == "__main__":
    unittest.main()
