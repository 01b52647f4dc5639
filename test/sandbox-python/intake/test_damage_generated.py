"""Thousands of damaged files: loaded exactly, or the damaged line named. `python3 -m damage FILES SEED` looks at more of them."""

import unittest
from collections import defaultdict

from damage.pollution import failures
from damage.runner import Case, run

_FILES, _SEED = 1500, 20

OPEN: dict[str, set[str]] = {}
"""Kind of damage -> verdicts that the loader still gets beside its passes. `*` stands for every kind."""

WELL_FORMED: set[str] = set()
"""Kinds after which the line is as good as any: it may be loaded as it stands without a word."""

OPEN_WAYS: set[str] = set()
"""Ways to write a tidy table (`damage.pollution`) that are not read exactly."""


class GeneratedDamage(unittest.TestCase):
    def test_no_row_is_lost_and_no_cell_changed_in_silence(self) -> None:
        wrong: dict[str, list[Case]] = defaultdict(list)
        counted = 0
        for case in run(_FILES, _SEED):
            counted += 1
            word = case.verdict.word
            allowed = OPEN.get(case.kind, set()) | OPEN.get("*", set()) | ({"as-written"} if case.kind in WELL_FORMED else set())
            if not word.startswith("ok") and word not in allowed:
                wrong[case.kind].append(case)
        words = [
            f"{kind} #{case.number}: {case.verdict.word}: {case.verdict.detail[:200]} (python3 -m damage {case.number} {_SEED} --show)"
            for kind, cases in wrong.items()
            for case in cases
        ]
        self.assertEqual(counted, _FILES)
        self.assertEqual(words, [])

    def test_every_way_to_write_a_tidy_table(self) -> None:
        words = [f"{name} ({shape}): {fault}" for name, shape, fault in failures(1) if name not in OPEN_WAYS]
        self.assertEqual(words, [])


if __name__ == "__main__":
    unittest.main()
