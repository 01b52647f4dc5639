"""Columns: the type that all rows allow, and exactly the values that were written."""

import datetime
import unittest

from support import IntakeCase, load, sales, text


class Values(IntakeCase):
    def column(self, values: list[str], name: str = "v", delimiter: str = ";") -> dict:
        rows = [f"{index}{delimiter}{value}" for index, value in enumerate(values)]
        found = self.carded(text([f"k{delimiter}{name}", *rows]))
        return found["tables"][0]["columns_info"][1] | {"codes": [warning["code"] for warning in found["warnings"]]}

    def test_decimal_comma_and_thousands_point(self) -> None:
        frame = self.loaded("k;v\na;1.234,50\nb;2,5\nc;1.000.000,00\n")
        self.assertEqual(frame["v"].tolist(), [1234.5, 2.5, 1_000_000.0])

    def test_thousands_comma(self) -> None:
        self.assertEqual(self.loaded('k,v\na,"1,234.50"\nb,"2,000"\n')["v"].tolist(), [1234.5, 2000.0])

    def test_thousands_blank_and_apostrophe(self) -> None:
        self.assertEqual(self.loaded("k;v\na;1 234,5\nb;12 000,0\n")["v"].tolist(), [1234.5, 12000.0])
        self.assertEqual(self.loaded("k;v\na;1'234.5\nb;12'000.0\n", "b.csv")["v"].tolist(), [1234.5, 12000.0])

    def test_one_dot_and_three_digits_is_said(self) -> None:
        found = self.column(["1.234", "2.345", "3.456"])
        self.assertIn("ambiguous-decimals", found["codes"])

    def test_other_columns_decide_the_decimal_mark(self) -> None:
        frame = self.loaded("a;b\n1.234;1,5\n2.345;2,25\n3.456;3,75\n")
        self.assertEqual(frame["a"].tolist(), [1234, 2345, 3456])

    def test_money_and_percent(self) -> None:
        frame = self.loaded('k,price,share\na,"$1,200.00",12%\nb,$3.50,5.5%\nc,($2.00),7%\n')
        self.assertEqual(frame["price"].tolist(), [1200.0, 3.5, -2.0])
        self.assertEqual(frame["share"].tolist(), [12.0, 5.5, 7.0])
        self.assertEqual(self.column(["5 kg", "7 kg", "9 kg"])["unit"], "kg")

    def test_another_currency_is_not_added_up(self) -> None:
        frame = self.loaded(text(["k;v", *(f"{index};€ {index},50" for index in range(30)), "x;$ 7,50"]))
        self.assertEqual([(found["line"], found["value"]) for found in frame.attrs["unusable"]], [(32, "$ 7,50")])

    def test_ids_stay_text(self) -> None:
        self.assertEqual(self.loaded("zip,n\n01234,1\n90210,2\n")["zip"].tolist(), ["01234", "90210"])
        self.assertEqual(self.column(["1234567890123456789", "1234567890123456788"])["type"], "id")

    def test_dates_by_evidence(self) -> None:
        day_first = self.loaded("d,n\n03/04/2025,1\n25/04/2025,2\n")["d"]
        self.assertEqual(day_first[0].date(), datetime.date(2025, 4, 3))
        month_first = self.loaded("d,n\n03/04/2025,1\n04/25/2025,2\n", "b.csv")["d"]
        self.assertEqual(month_first[0].date(), datetime.date(2025, 3, 4))

    def test_dates_without_evidence_stay_text_and_are_said(self) -> None:
        found = self.column(["03/04/2025", "05/02/2025", "01/06/2025"])
        self.assertEqual(found["type"], "text")
        self.assertIn("ambiguous-dates", found["codes"])

    def test_other_columns_decide_the_order_of_dates(self) -> None:
        frame = self.loaded("a,b\n03/04/2025,25/12/2024\n05/02/2025,26/12/2024\n")
        self.assertEqual(frame["a"][0].date(), datetime.date(2025, 4, 3))

    def test_impossible_date_is_named(self) -> None:
        lines = sales()
        lines[4] = "4,West,6.00,2024-02-31"
        self.assertEqual([found["line"] for found in self.loaded(text(lines)).attrs["unusable"]], [5])

    def test_written_dates_and_times(self) -> None:
        self.assertEqual(self.column(["1 Jan 2024", "15 Feb 2024"])["min"], "2024-01-01")
        self.assertEqual(self.column(["2024-01-01T10:00:00Z", "2024-01-01T11:30:00Z"])["max"], "2024-01-01T11:30:00")

    def test_words_for_missing(self) -> None:
        found = self.column(["1", "n/a", "NA", "", "-", "null", "2"])
        self.assertEqual((found["type"], found["missing"]), ("integer", 5))

    def test_na_is_namibia_among_countries(self) -> None:
        self.assertEqual(self.column(["NA", "DE", "FR", "US", "BR", "JP"])["missing"], 0)

    def test_mixed_column_stays_text(self) -> None:
        found = self.column(["1", "2", "many", "3", "few", "4", "lots"])
        self.assertEqual(found["type"], "mixed")
        self.assertIn("mixed-types", found["codes"])

    def test_booleans(self) -> None:
        self.assertEqual(self.column(["true", "FALSE", "true"])["type"], "boolean")


class Headers(IntakeCase):
    def test_header_of_several_rows_keeps_what_each_row_said(self) -> None:
        found = self.carded(",2023,,2024,\nCity,Sales,Cost,Sales,Cost\nOslo,1,2,3,4\nBern,5,6,7,8\nRome,1,2,3,4\n")
        columns = found["tables"][0]["columns_info"]
        self.assertEqual([column["name"] for column in columns], ["City", "2023 / Sales", "2023 / Cost", "2024 / Sales", "2024 / Cost"])
        self.assertEqual([column["header"] for column in columns], [["", "City"], ["2023", "Sales"], ["", "Cost"], ["2024", "Sales"], ["", "Cost"]])

    def names(self, content: str) -> list[str]:
        return list(self.loaded(content).columns)

    def test_title_rows(self) -> None:
        frame = self.loaded("Quarterly report\nMade on 2024-05-01\n\n" + text(sales()))
        self.assertEqual(list(frame.columns), ["id", "region", "amount", "day"])
        self.assertEqual(len(frame), 30)

    def test_duplicate_and_empty_names(self) -> None:
        self.assertEqual(self.names("a,a,,b \n1,2,3,4\n5,6,7,8\n"), ["a", "a (2)", "Column 3", "b"])

    def test_no_header(self) -> None:
        frame = self.loaded("1,2.5,x\n2,3.5,y\n3,4.5,x\n")
        self.assertEqual((list(frame.columns), len(frame)), (["Column 1", "Column 2", "Column 3"], 3))

    def test_two_header_rows(self) -> None:
        frame = self.loaded("Region,Sales,,Costs,\n,2023,2024,2023,2024\nNorth,1.5,2.5,3.5,4.5\nSouth,5.5,6.5,7.5,8.5\nEast,1.5,2.5,3.5,4.5\n")
        self.assertEqual(list(frame.columns), ["Region", "Sales / 2023", "Sales / 2024", "Costs / 2023", "Costs / 2024"])

    def test_totals_row_is_said(self) -> None:
        codes = [warning["code"] for warning in self.carded("region,n\nNorth,1\nSouth,2\nEast,3\nWest,4\nTotal,10\n")["warnings"]]
        self.assertIn("totals-row", codes)

    def totals_of(self, content: str) -> list[dict[str, int]]:
        return load(self.file("table.csv", content.encode())).attrs["totals"]

    def test_totals_are_named_where_they_are_totals(self) -> None:
        self.assertEqual(self.totals_of("region,n\nNorth,1\nSouth,2\nEast,3\nWest,4\nTotal,10\n"), [{"row": 4, "line": 6}])
        self.assertEqual(self.totals_of("region,n\nNorth,1\nSouth,2\nTotal A,3\nEast,3\nWest,4\nTotal B,7\nOst,1\nGrand total 2024,11\n"), [{"row": row, "line": row + 2} for row in (2, 5, 7)])
        self.assertEqual(self.totals_of("company,n\nShell,1\nTotal Energies,2\nEni,3\nBP,4\nRepsol,5\n"), [])
        self.assertEqual(self.totals_of("day,n\n" + "".join(f"2024-01-{day:02},1\n" for day in range(1, 31)) + "Total,30\n"), [{"row": 30, "line": 32}])

    def test_delimiter_at_every_line_end(self) -> None:
        self.assertEqual(self.names("a,b,\n1,2,\n3,4,\n"), ["a", "b"])


class Dialects(IntakeCase):
    def test_encodings(self) -> None:
        rows = ["id,city,n", *(f"{index},Zürich Köln Málaga,{index}" for index in range(1, 9))]
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "mac_roman", "cp850"):
            with self.subTest(encoding):
                self.assertEqual(self.loaded(text(rows), encoding=encoding)["city"][0], "Zürich Köln Málaga")

    def test_other_scripts(self) -> None:
        samples = {"cp1251": "Москва и область", "cp932": "東京都千代田区です", "gb18030": "北京市朝阳区的", "big5": "臺北市中正區的", "euc_kr": "서울특별시 강남구", "cp1250": "Łódź Kraków Žilina"}
        for encoding, word in samples.items():
            with self.subTest(encoding):
                rows = ["id,city,n", *(f"{index},{word},{index}" for index in range(1, 9))]
                self.assertEqual(self.loaded(text(rows), encoding=encoding)["city"][0], word)

    def test_delimiters(self) -> None:
        for delimiter in (",", ";", "\t", "|", "^", "~", "||", " "):
            with self.subTest(delimiter):
                rows = [line.replace(",", delimiter) for line in sales()]
                frame = self.loaded(text(rows))
                self.assertEqual((list(frame.columns), len(frame)), (["id", "region", "amount", "day"], 30))

    def test_line_ends(self) -> None:
        for end in ("\n", "\r\n", "\r"):
            with self.subTest(repr(end)):
                self.assertEqual(len(self.loaded(text(sales(), end))), 30)

    def test_backslash_escape(self) -> None:
        frame = self.loaded('id,note,n\n1,"say \\"hi\\", now",2\n2,"x",3\n3,"y, z",4\n')
        self.assertEqual(frame["note"].tolist(), ['say "hi", now', "x", "y, z"])

    def test_declared_separator(self) -> None:
        self.assertEqual(list(self.loaded("sep=;\na;b\n1;2\n3;4\n").columns), ["a", "b"])


if __name__ == "__main__":
    unittest.main()
