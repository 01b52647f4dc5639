"""Bytes that no one meant as a file: each is answered in words, within ten seconds and within memory."""

import re
import tempfile
import unittest
from pathlib import Path

from fuzz.__main__ import broken, monsters
from fuzz.child import Answer, File, answers
from fuzz.monsters import SHAPES
from fuzz.seeds import seeds
from plotline.intake import card

_FILES, _SEED = 900, 20
_MONSTER_BYTES = 300_000

OPEN_FAULTS: tuple[str, ...] = ()
"""Faults, as regular expressions, that the loader still has."""

OPEN_SHAPES: set[str] = set()
"""Shapes of `fuzz.monsters` that still take too long or too much memory."""


class BrokenBytes(unittest.TestCase):
    def answered(self, files: list[File]) -> list[Answer]:
        with tempfile.TemporaryDirectory() as directory:
            found = list(answers(files, Path(directory)))
        self.assertEqual(len(found), len(files))
        return found

    def faults(self, found: list[Answer]) -> list[str]:
        return [f"{answer.name}: {answer.fault}" for answer in found if answer.fault and not any(re.search(known, answer.fault) for known in OPEN_FAULTS)]

    def test_the_valid_files_are_read(self) -> None:
        for name, data in seeds().items():
            with self.subTest(name), tempfile.TemporaryDirectory() as directory:
                path = Path(directory, name)
                path.write_bytes(data)
                found = card(path)
                self.assertIsNone(found["error"])
                self.assertGreater(found["tables"][0]["rows"], 2)

    def test_broken_files_are_answered(self) -> None:
        self.assertEqual(self.faults(self.answered(broken(_FILES, _SEED))), [])

    def test_the_worst_shapes_are_answered_in_time(self) -> None:
        names = [what for what in SHAPES if what not in OPEN_SHAPES]
        self.assertEqual(self.faults(self.answered(list(monsters(_MONSTER_BYTES, names).values()))), [])

    def test_a_reader_that_ends_or_hangs_is_noticed(self) -> None:
        """The watcher itself: a process that dies is a finding and the next file is still read."""

        def dies() -> bytes:
            raise SystemExit(3)

        found = self.answered([File("a.csv", dies), File("b.csv", lambda: b"a,b\n1,2\n")])
        self.assertEqual([answer.fault for answer in found], ["ends the process", None])


if __name__ == "__main__":
    unittest.main()
