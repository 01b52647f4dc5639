"""Which numbers a workbook shows as dates, times of day and lengths of time."""

import datetime
import unittest

from test_workbooks_xlsx import XlsxCase
from workbook_files import formats, xlsx

from plotline.intake.number_formats import Elapsed, format_kind

DAY = datetime.datetime(2024, 3, 1)
KINDS = {
    "number": (
        ["General", "0.00", '0.00"d"', '"Day" 0', "@", "[Red]0.00", "[Color 3]#,##0", "##0.0E+0", "# ?/?", '_-* #,##0.00\\ "€"_-', "[$€-2] #,##0.00", "\\d0", ";;;", "0_d", "*d0"]
        + ['General" dollars"', "#,##0 \\k\\m", '_(* #,##0_);_(* (#,##0);_(* "-"_);_(@_)', '"General"', "[<1]0%;0", "000-00-0000", '#"m"', 'Standard;-Standard']
    ),
    "date": (
        ['yyyy"年"m"月"d"日"', "[$-409]d-mmm-yy;@", "[$-F800]dddd, mmmm dd, yyyy", "mmm-yy", "mm/yy", "m", "yyyy\\-mm\\-dd\\ hh:mm:ss.000", '[$-411]ggge"年"m"月"d"日";@', "aaa", "dd"]
        + ["d/m/yyyy\\ h:mm;@", "[DBNum1]yyyy", "m/d/yy h:mm", "yyyy-mm-ddThh:mm:ssZ", "[Blue]d/m/y;[Red]d/m/y", "bbbb", '"Day "d']
    ),
    "time": ["h:mm AM/PM", "mm:ss.0", "ss.000", "[$-F400]h:mm:ss AM/PM", "h:mm:ss.00", "hh", '上午/下午h"时"mm"分"', "hh:mm:ss;@"],
    "elapsed": ["[h]:mm:ss", "[mm]:ss", "[ss].00", "[Blue][h]:mm", "[hh]:mm;@"],
    "varies": ["[>=100]0;[<0]d/m/yy;h:mm"],
}


class Kinds(unittest.TestCase):
    def test_format_codes(self) -> None:
        for kind, codes in KINDS.items():
            for code in codes:
                with self.subTest(code):
                    self.assertEqual(format_kind(0, code), kind)

    def test_built_in_numbers(self) -> None:
        found = {number: format_kind(number, None) for number in (0, 1, 9, 13, 14, 17, 18, 21, 22, 27, 32, 36, 37, 44, 45, 46, 47, 48, 49, 50, 57, 58, 59, 71, 79)}
        dates = [number for number, kind in found.items() if kind == "date"]
        times = [number for number, kind in found.items() if kind == "time"]
        self.assertEqual((dates, times, found[46]), ([14, 17, 22, 27, 36, 50, 57, 58, 71], [18, 21, 32, 45, 47, 79], "elapsed"))


class Values(XlsxCase):
    def shown(self, code: str | int, *numbers: str, date1904: bool = False) -> list[object]:
        row = "".join(f'<c r="{chr(65 + index)}1" s="1"><v>{number}</v></c>' for index, number in enumerate(numbers))
        properties = '<workbookPr date1904="1"/>' if date1904 else ""
        return list(self.cells(xlsx(f'<row r="1">{row}</row>', styles=formats(0, code), properties=properties)).values())

    def test_days(self) -> None:
        wanted = [0, datetime.datetime(1900, 1, 1), datetime.datetime(1900, 2, 28), "1900-02-29", datetime.datetime(1900, 3, 1), DAY, datetime.datetime(2024, 3, 1, 18), -1, 2958466]
        self.assertEqual(self.shown("d/m/yyyy h:mm", "0", "1", "59", "60", "61", "45352", "45352.75", "-1", "2958466"), wanted)

    def test_days_counted_from_1904(self) -> None:
        self.assertEqual(self.shown(14, "0", "1", "43890", date1904=True), [datetime.datetime(1904, 1, 1), datetime.datetime(1904, 1, 2), DAY])

    def test_times_are_rounded_to_what_the_fraction_means(self) -> None:
        third = repr(1 / 3 + 45352)
        self.assertEqual(self.shown("h:mm", "0.5", "0.333333333333333", third, "45352.999999999"), [datetime.time(12), datetime.time(8), datetime.datetime(2024, 3, 1, 8), datetime.datetime(2024, 3, 2)])

    def test_lengths_of_time_over_a_day(self) -> None:
        found = self.shown("[h]:mm:ss", "1.25", "0.5", "100")
        self.assertEqual((found, [str(value) for value in found]), ([Elapsed(hours=30), Elapsed(hours=12), Elapsed(days=100)], ["30:00:00", "12:00:00", "2400:00:00"]))

    def test_sections_for_their_values(self) -> None:
        self.assertEqual(self.shown("[>=100]0;[<0]d/m/yy;h:mm", "150", "0.5"), [150, datetime.time(12)])
        self.assertEqual(self.shown('d/m/yyyy;0;"-"', "45352", "-5"), [DAY, -5])


if __name__ == "__main__":
    unittest.main()
