"""Zip files: names, damage, and what is in them."""

import io
import struct
import unittest
import zipfile

from support import IntakeCase, sales, text
from workbook_files import xlsx

from plotline.intake import card, load, tables


def stored(entries: list[tuple[str, bytes]]) -> bytes:
    """A zip of entries that are not packed, so that a test can change their bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


def renamed(data: bytes, old: str, new: bytes) -> bytes:
    """The zip with an entry's name in a code page that nothing tells."""
    assert len(old) == len(new)
    return data.replace(old.encode(), new)


def flagged(data: bytes, flags: int) -> bytes:
    """The zip with the flags of all its entries set."""
    out = bytearray(data)
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = out.find(mark)
        while at >= 0:
            struct.pack_into("<H", out, at + place, flags)
            at = out.find(mark, at + 1)
    return bytes(out)


class Archives(IntakeCase):
    TABLE = text(sales(5)).encode()

    def messages(self, content: bytes) -> str:
        return " ".join(warning["message"] for warning in card(self.file("all.zip", content))["warnings"])

    def test_names_in_code_pages_of_their_time(self) -> None:
        for name, page in (("売上明細表.csv", "cp932"), ("Отчёт по продажам.csv", "cp866"), ("sales é.csv", "utf-8"), ("Übersicht für März.csv", "cp437")):
            encoded = name.encode(page)
            plain = "x" * (len(encoded) - 4) + ".csv"
            with self.subTest(page):
                self.assertEqual(tables(self.file("all.zip", renamed(stored([(plain, self.TABLE)]), plain, encoded))), [name])

    def test_entries_of_the_same_name(self) -> None:
        data = renamed(stored([("a.csv", self.TABLE), ("b.csv", text(sales(3)).encode())]), "b.csv", b"a.csv")
        path = self.file("all.zip", data)
        self.assertEqual([(name, len(load(path, name))) for name in tables(path)], [("a.csv", 5), ("a.csv (2)", 3)])

    def test_the_same_name_in_several_folders_and_workbooks_among_them(self) -> None:
        data = stored([("n/a.csv", self.TABLE), ("s/a.csv", self.TABLE), ("s/b.xlsx", xlsx('<row r="1"><c r="A1"><v>5</v></c></row>')), ("__MACOSX/._a.csv", b"x")])
        self.assertEqual(tables(self.file("all.zip", data)), ["n/a.csv", "s/a.csv", "s/b.xlsx"])

    def test_a_damaged_entry_is_named_and_the_others_are_read(self) -> None:
        data = stored([("good.csv", self.TABLE), ("bad.csv", b"a,b\n1,MARK\n")]).replace(b"MARK", b"mark")
        self.assertEqual(tables(self.file("all.zip", data)), ["good.csv"])
        self.assertIn("bad.csv could not be read: it is damaged, its checksum does not fit", self.messages(data))

    def test_an_entry_with_a_password_is_named(self) -> None:
        self.assertIn("a.csv is password-protected", self.messages(flagged(stored([("a.csv", self.TABLE)]), 1)))

    def test_a_way_of_packing_that_is_unknown(self) -> None:
        data = bytearray(stored([("a.csv", self.TABLE)]))
        for mark, place in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
            struct.pack_into("<H", data, data.find(mark) + place, 97)
        self.assertIn("packed in a way that I do not know", self.messages(bytes(data)))

    def test_warnings_point_to_the_table_in_its_file(self) -> None:
        content = stored([("n/a.csv", b"a,b\n1,2\n3,4\n5,6,7\n8,9\n1,4\n")])
        found = card(self.file("all.zip", content))
        self.assertEqual({entry["table"] for entry in found["rejected"]}, {"n/a.csv"})


if __name__ == "__main__":
    unittest.main()
