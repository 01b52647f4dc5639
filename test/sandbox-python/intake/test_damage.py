"""A tidy table, damaged in one way: loaded exactly, or the damaged line named."""

import unittest

from support import IntakeCase, sales, text

from plotline.intake import card


class Damage(IntakeCase):
    def damaged(self, line: int, replacement: str) -> list[str]:
        lines = sales()
        lines[line - 1] = replacement
        return lines

    def test_extra_field_is_rejected_with_its_line(self) -> None:
        frame = self.loaded(text(self.damaged(8, "7,North,1.5,2024-01-01,oops")))
        self.assertEqual(frame.attrs["rejected"], [{"line": 8, "reason": "has 5 fields where the table has 4"}])
        self.assertEqual(len(frame), 29)
        self.assertEqual(frame.attrs["source_rows"], 30)

    def test_missing_field_is_rejected_with_its_line(self) -> None:
        frame = self.loaded(text(self.damaged(5, "4,North,6.00")))
        self.assertEqual(self.lines_rejected(frame), [5])

    def test_quote_left_open_costs_one_line(self) -> None:
        frame = self.loaded(text(self.damaged(10, '9,"North,13.50,2024-03-10')))
        self.assertEqual(self.lines_rejected(frame), [10])
        self.assertEqual(frame["id"].tolist(), [*range(1, 9), *range(10, 31)])

    def test_quote_left_open_in_a_quoted_file(self) -> None:
        lines = ['"id","name","note"', *(f'"{index}","Name {index}","a, b"' for index in range(1, 41))]
        lines[20] = '"20","Name 20,"a, b"'
        frame = self.loaded(text(lines))
        self.assertEqual(self.lines_rejected(frame), [21])
        self.assertEqual(len(frame), 39)

    def test_line_end_inside_quotes_is_part_of_the_value(self) -> None:
        frame = self.loaded('id,note,n\n1,"first\nsecond, third",5\n2,plain,6\n3,plain,7\n')
        self.assertEqual(frame["note"][0], "first\nsecond, third")
        self.assertEqual(frame.attrs["rejected"], [])

    def test_lines_after_a_long_value_keep_their_numbers(self) -> None:
        lines = ["id,note,n", '1,"a', 'b",5', *(f"{index},x,6" for index in range(2, 30)), "30,x"]
        frame = self.loaded(text(lines))
        self.assertEqual(self.lines_rejected(frame), [32])

    def test_two_encodings_are_read_line_by_line_and_said(self) -> None:
        lines = [line.encode() for line in ("id,city,n", *(f"{index},Zürich,5" for index in range(1, 30)))]
        lines[12] = "12,Málaga,5".encode("cp1252")
        path = self.file("mixed.csv", b"\n".join(lines) + b"\n")
        found = card(path)
        self.assertIn(("mixed-encoding", 13), [(warning["code"], warning["line"]) for warning in found["warnings"]])
        self.assertEqual(self.loaded(path.read_bytes())["city"][11], "Málaga")

    def test_wrong_delimiter_in_three_lines(self) -> None:
        lines = sales()
        for line in (4, 9, 20):
            lines[line - 1] = lines[line - 1].replace(",", ";")
        frame = self.loaded(text(lines))
        self.assertEqual(self.lines_rejected(frame), [4, 9, 20])
        self.assertIn("separated by “;”", frame.attrs["rejected"][0]["reason"])
        self.assertAlmostEqual(frame["amount"].sum(), sum(index * 1.5 for index in range(1, 31) if index not in (3, 8, 19)))

    def test_truncated_last_line(self) -> None:
        frame = self.loaded(text(sales()) + "31,Nor")
        self.assertEqual(self.lines_rejected(frame), [32])

    def test_text_in_a_number_column_is_named_and_the_row_kept(self) -> None:
        frame = self.loaded(text(self.damaged(6, "5,South,abc,2024-03-06")))
        self.assertEqual(len(frame), 30)
        self.assertEqual(frame.attrs["unusable"], [{"line": 6, "column": "amount", "value": "abc", "reason": "is not a number"}])
        self.assertEqual(str(frame["amount"].dtype), "float64")

    def test_repeated_header(self) -> None:
        lines = sales()
        lines.insert(15, lines[0])
        frame = self.loaded(text(lines))
        self.assertEqual(self.lines_rejected(frame), [16])
        self.assertEqual(str(frame["id"].dtype), "Int64")

    def test_comment_line_in_the_middle(self) -> None:
        lines = sales()
        lines.insert(15, "# checked by Ann")
        self.assertEqual(self.lines_rejected(self.loaded(text(lines))), [16])

    def test_line_without_values(self) -> None:
        lines = sales()
        lines.insert(15, ",,,")
        self.assertEqual(self.lines_rejected(self.loaded(text(lines))), [16])

    def test_footer(self) -> None:
        frame = self.loaded(text([*sales(), "", "Source: our own figures"]))
        self.assertEqual((len(frame), self.lines_rejected(frame)), (30, [33]))

    def test_duplicate_rows_are_said(self) -> None:
        lines = sales()
        lines.insert(15, lines[9])
        codes = [warning["code"] for warning in self.carded(text(lines))["warnings"]]
        self.assertIn("duplicate-rows", codes)

    def test_nul_bytes(self) -> None:
        frame = self.loaded(text(sales()).replace("North", "No\0rth", 1).encode())
        self.assertEqual(len(frame), 30)


class LargeFilesAreDamagedToo(IntakeCase):
    """The same through the reader for large files."""

    def big(self) -> list[str]:
        return ["id,code,name,value,note", *(f'{index},{index:06d},Name {index % 7},{index / 7:.4f},"a, b {index}"' for index in range(1, 40_001))]

    def test_the_same_cells_as_line_by_line(self) -> None:
        lines = self.big()
        large = self.loaded(text(lines))
        small = self.loaded(text(lines[:2001]), "small.csv")
        self.assertGreater(sum(map(len, lines)), 1_000_000)
        self.assertEqual(large.head(2000).to_csv(), small.to_csv())
        self.assertEqual(list(large.dtypes), list(small.dtypes))
        self.assertEqual(large["code"][0], "000001")

    def test_bad_lines_are_named(self) -> None:
        lines = self.big()
        lines[30_000] = "30000;x;y"
        lines[35_000] += ",extra"
        frame = self.loaded(text(lines))
        self.assertEqual(self.lines_rejected(frame), [30_001, 35_001])
        self.assertEqual(len(frame), 39_998)

    def test_a_late_leading_zero_keeps_the_column_text(self) -> None:
        lines = ["id,number,pad", *(f"{index},{index + 10_000},{'x' * 20}" for index in range(1, 40_001))]
        lines[39_990] = "39990,00042,x"
        frame = self.loaded(text(lines))
        self.assertEqual(frame["number"][39_989], "00042")

    def test_card_numbers_stay_exact(self) -> None:
        lines = ["id,card,pad", *(f"{index},{index},{'x' * 20}" for index in range(1, 40_001))]
        lines[39_990] = "39990,4111111111111111,x"
        frame = self.loaded(text(lines))
        self.assertEqual((str(frame["card"].dtype), frame["card"][39_989]), ("Int64", 4111111111111111))


if __name__ == "__main__":
    unittest.main()
