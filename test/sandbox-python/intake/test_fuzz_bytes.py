"""Mutated files of every kind and texts of nasty shapes: each is answered in words, in time, within its memory."""

import json
import os
import random
import tempfile
import time
import unittest
from pathlib import Path
from unittest.mock import patch

from bytes_fuzz.__main__ import files
from bytes_fuzz.child import fault_of, outcomes
from bytes_fuzz.mutations import mutated
from bytes_fuzz.seeds import seeds
from bytes_fuzz.shapes import SHAPES

FILES, SEED = 1200, 2_024
SHAPE_BYTES = 200_000
MAX_PEAK = 600_000_000

TELLS_AN_EXCEPTION = ("while decompressing data",)
"""Words of libraries that still stand in the error of a damaged workbook."""
NOT_ANSWERED_YET = ("spans", "spans of thousands of rows", "all columns", "many rows in a zip")
"""Shapes that take too long or too much memory."""


class MutatedFiles(unittest.TestCase):
    def test_each_is_answered(self) -> None:
        peak = 0
        for number, outcome in enumerate(outcomes(files(FILES, SEED))):
            peak = max(peak, outcome.peak)
            if outcome.fault and not any(words in outcome.fault for words in TELLS_AN_EXCEPTION):
                self.fail(f"file {number} ({outcome.name}, {len(outcome.data)} bytes) {outcome.fault}")
        self.assertGreater(peak, 0)
        self.assertLess(peak, MAX_PEAK)

    def test_unharmed_files_have_tables(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, data in seeds().items():
                with self.subTest(name):
                    path = Path(folder) / name
                    path.write_bytes(data)
                    self.assertIsNone(fault_of(path, Path(folder)))
                    self.assertTrue(list(Path(folder).glob("out.t*.csv")), "no table came out of it")
                    for made in Path(folder).glob("out.*"):
                        made.unlink()

    def test_mutations_depend_on_the_seed_alone(self) -> None:
        names = seeds()
        first, second = ([mutated(names, random.Random(number)) for number in range(50)] for _ in range(2))
        self.assertEqual(first, second)
        self.assertGreater(len({data for _, data in first}), 45)


class NastyShapes(unittest.TestCase):
    def test_each_is_answered_in_time(self) -> None:
        for name, shape in SHAPES.items():
            if name in NOT_ANSWERED_YET:
                continue
            with self.subTest(name):
                outcome = next(outcomes([shape(SHAPE_BYTES)]))
                self.assertIsNone(outcome.fault)
                self.assertLess(outcome.peak, MAX_PEAK)


class Child(unittest.TestCase):
    """The child sees what it has to see."""

    def fault(self, card: dict[str, object]) -> str | None:
        with patch("bytes_fuzz.child.whole_card", return_value={"ok": True, "error": None, "rejected": [], "warnings": [], **card}):
            return fault_of(Path("x.csv"), Path("."))

    def test_faults(self) -> None:
        self.assertIsNone(self.fault({}))
        self.assertIn("tells an exception", str(self.fault({"ok": False, "error": "It failed (ValueError: no)."})))
        self.assertIn("needs too much", str(self.fault({"ok": False, "error": "The file needs more memory than there is."})))
        self.assertIn("ok is True", str(self.fault({"error": "No."})))
        self.assertIn("raises", str(self.fault({"size_bytes": float("nan")})))
        self.assertIn("raises", str(self.fault({"kind": {1, 2}})))
        self.assertIn("raises", str(self.fault({"kind": "\ud800"})))
        self.assertIn("strange line", str(self.fault({"warnings": [{"line": 0}]})))

    def test_a_child_that_dies_or_hangs(self) -> None:
        def acts(path: Path, prefix: str) -> dict[str, object]:
            words = path.read_text()
            if words == "die":
                os._exit(9)
            if words == "hang":
                time.sleep(30)
            return json.loads(words)

        good = json.dumps({"ok": True, "error": None, "rejected": [], "warnings": []}).encode()
        with patch("bytes_fuzz.child.whole_card", acts), patch("bytes_fuzz.child.SECONDS", 0.5):
            found = [outcome.fault for outcome in outcomes([("a", good), ("b", b"die"), ("c", good), ("d", b"hang"), ("e", good)])]
        self.assertEqual([found[0], found[2], found[4]], [None] * 3)
        self.assertIn("kills", str(found[1]))
        self.assertIn("hangs", str(found[3]))


if __name__ == "__main__":
    unittest.main()
