"""JSON and JSON Lines: shapes, damage, and the physical line of each record."""

import json
import unittest
from typing import Any

from support import IntakeCase

from plotline.intake import card
from plotline.intake.model import RawTable, Reading
from plotline.intake.reading import read_file

LINES = '[\n {"a":1,"b":"x"},\n {"a":2,"b":"y"},\n {"a":3,"b":"z"}\n]'


class JsonCase(IntakeCase):
    def reading(self, content: str | bytes, name: str = "t.json") -> Reading:
        return read_file(self.file(name, content))

    def table(self, content: str | bytes, name: str = "t.json") -> RawTable:
        table, = self.reading(content, name).tables
        return table

    def rows(self, content: str | bytes, name: str = "t.json") -> list[dict[str, Any]]:
        table = self.table(content, name)
        return [dict(zip(table.header, row)) for row in zip(*table.columns)]

    def error(self, content: str | bytes, name: str = "t.json") -> str:
        return card(self.file(name, content))["error"] or ""


class Shapes(JsonCase):
    def test_tables_in_all_the_forms_that_programs_write(self) -> None:
        wanted = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
        for content in (
            '[{"a":1,"b":"x"},{"a":2,"b":"y"}]',
            '{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n',
            '{"a":1,"b":"x"}{"a":2,"b":"y"}',
            '{"a":1,"b":"x"},\n{"a":2,"b":"y"},\n',
            '{\n"a":1,\n"b":"x"\n}\n{\n"a":2,\n"b":"y"\n}\n',
            '[["a","b"],[1,"x"],[2,"y"]]',
            '["a","b"]\n[1,"x"]\n[2,"y"]',
            '{"a":[1,2],"b":["x","y"]}',
            '{"a":{"0":1,"1":2},"b":{"0":"x","1":"y"}}',
            '{"columns":["a","b"],"index":[0,1],"data":[[1,"x"],[2,"y"]]}',
            '{"schema":{"fields":[{"name":"a"},{"name":"b"}]},"data":[{"a":1,"b":"x"},{"a":2,"b":"y"}]}',
            '{"type":"FeatureCollection","features":[{"properties":{"a":1,"b":"x"}},{"properties":{"a":2,"b":"y"}}]}',
        ):
            for encoded in (content.encode(), content.encode("utf-8-sig"), content.encode("utf-16")):
                with self.subTest(content):
                    self.assertEqual(self.rows(encoded), wanted)

    def test_keyed_records_keep_their_keys(self) -> None:
        self.assertEqual(self.rows('{"k1":{"a":1,"b":2},"k2":{"a":3,"b":4}}'), [{"key": "k1", "a": 1, "b": 2}, {"key": "k2", "a": 3, "b": 4}])
        self.assertEqual(self.rows('{"columns":["a"],"index":["r","s"],"data":[[1],[2]]}'), [{"index": "r", "a": 1}, {"index": "s", "a": 2}])

    def test_values_beside_the_records_are_named(self) -> None:
        reading = self.reading('{"page":1,"meta":{"total":2},"results":[\n{"a":1},\n{"a":2}]}')
        self.assertEqual((reading.tables[0].name, reading.tables[0].lines), ("results", [2, 3]))
        self.assertIn("2 value(s) of the document are in no table: page = 1, meta.total = 2", reading.notes[0].message)

    def test_lists_inside_records_are_tables_too(self) -> None:
        outer, inner = self.reading('[{"id":7,"items":[{"s":1},{"s":2}]},\n{"id":8,"items":[{"s":3}]}]').tables
        self.assertEqual((outer.header, inner.name, inner.header), (["id", "items"], "t.items", ["t record", "t id", "s"]))
        self.assertEqual((inner.columns, inner.lines), ([[1, 1, 2], [7, 7, 8], [1, 2, 3]], [1, 1, 2]))


class Lines(JsonCase):
    def test_every_record_has_its_physical_line(self) -> None:
        self.assertEqual(self.table(LINES).lines, [2, 3, 4])
        self.assertEqual(self.table('{"d":\n\n[{"a":1}, {"a":\n2},\n{"a":3}]}').lines, [3, 3, 5])
        self.assertEqual(self.table('{"a":1}\n\n{"a":2}\r\n{"a":3}\n').lines, [1, 3, 4])


class Damage(JsonCase):
    def assert_rejects(self, content: str, values: list[Any], lines: list[int], reason: str = "") -> None:
        table = self.table(content)
        self.assertEqual((list(table.columns[0]), [found.line for found in table.rejected]), (values, lines))
        self.assertIn(reason, table.rejected[0].reason)

    def test_damaged_records_are_named(self) -> None:
        for broken in ('"y}', '"y"', '"y",}', "'y'}", '"y"}}', '"y" "z"}', "tru}"):
            with self.subTest(broken):
                self.assert_rejects(LINES.replace('"y"}', broken), [1, 3], [3])
                self.assert_rejects(LINES.replace('"y"}', broken).strip("[]\n").replace("},", "}"), [1, 3], [2])

    def test_damaged_records_over_several_lines(self) -> None:
        self.assert_rejects('{\n "a":1\n}\n{\n "a":2\n}\n{\n "a":\n}\n{\n "a":4\n}\n', [1, 2, 4], [7])

    def test_a_file_cut_off_keeps_the_records_before(self) -> None:
        self.assert_rejects(LINES[: LINES.index('"z"')], [1, 2], [4], "the file ends there")
        self.assert_rejects('{"data":[{"a":1},{"a":2},{"a"', [1, 2], [1], "the file ends there")
        self.assert_rejects('{"a":1}\n{"a":2}\n{"a":', [1, 2], [3])

    def test_lines_that_are_no_records(self) -> None:
        self.assert_rejects('{"a":1}\n5\n{"a":2}\nhello\n{"a":3}\n', [1, 2, 3], [2, 4])

    def test_every_record_is_loaded_or_named(self) -> None:
        records = [json.dumps({"id": index, "t": f"v{index}", "n": {"k": [index]}}) for index in range(40)]
        for at in range(0, 40, 3):
            for cut in range(1, len(records[at]), 4):
                lines = records[:at] + [records[at][:cut] + records[at][cut + 1 :]] + records[at + 1 :]
                table = self.reading("\n".join(lines), "t.jsonl").tables[0]
                found = set(table.lines) | {rejected.line for rejected in table.rejected}
                self.assertEqual(found, set(range(1, 41)), lines[at])

    def test_refusals_tell_what_is_wrong(self) -> None:
        self.assertIn("single quotes", self.error("[{'a':1}]"))
        self.assertIn("comments", self.error('{"a":1, // one\n"b":2}'))
        self.assertIn("comma before a closing bracket", self.error('{"a":1,}'))
        self.assertIn("nested too deeply", self.error("[" * 100_000))
        self.assertIn("no list", self.error("5"))

    def test_a_comma_after_the_last_record_loses_nothing(self) -> None:
        reading = self.reading('[{"a":1},{"a":2},]')
        self.assertEqual((reading.tables[0].columns, [note.code for note in reading.notes]), ([[1, 2]], ["trailing-comma"]))


class Values(JsonCase):
    def test_keys_that_stand_twice(self) -> None:
        reading = self.reading('[{"a":1,"a":2},{"a":3}]')
        self.assertEqual((reading.tables[0].header, reading.tables[0].columns), (["a", "a (2)"], [[1, 3], [2, None]]))
        self.assertIn("doubled-keys", [note.code for note in reading.notes])

    def test_keys_that_meet_when_flattened(self) -> None:
        self.assertEqual(self.rows('[{"a.b":1,"a":{"b":2}}]'), [{"a.b": 1, "a.b (2)": 2}])

    def test_numbers_that_no_float_holds(self) -> None:
        long = "9" * 5000
        self.assertEqual(self.rows(f'[{{"a":12345678901234567890,"b":{long}}}]'), [{"a": 12345678901234567890, "b": long}])
        reading = self.reading('[{"a":NaN},{"a":-Infinity},{"a":1}]')
        self.assertEqual((reading.tables[0].columns, [note.code for note in reading.notes]), ([[None, None, 1]], ["no-numbers"]))

    def test_half_characters_are_kept(self) -> None:
        self.assertEqual(self.rows('[{"a":"\\ud800x"},{"a":"\\ud83d\\ude00"}]'), [{"a": "\ud800x"}, {"a": "😀"}])

    def test_a_log_is_no_json(self) -> None:
        self.assertNotIn("JSON", self.error("[2024-01-01 10:00:00] start\n[2024-01-01 10:00:01] stop\n", "x.log"))


if __name__ == "__main__":
    unittest.main()
