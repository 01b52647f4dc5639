"""What the ledger's tests share: code that runs as a cell, and what the book says afterwards."""

import tempfile
import unittest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from plotline import ledger


class LedgerCase(unittest.TestCase):
    """Each test has a ledger without sources, an empty directory and names of its own."""

    def setUp(self) -> None:
        self.assertTrue(ledger.install())
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        ledger.BOOK.__init__()  # type: ignore[misc]
        self.names: dict[str, Any] = {"pd": pd, "np": np, "directory": self.directory}

    def cell(self, code: str) -> dict[str, Any]:
        """Runs the code as the kernel does and gives the page it would send; an empty one where it sends none."""
        run(code, self.names)
        return ledger.BOOK.page(code, self.names) or {"sources": [], "steps": [], "more": 0}

    def step(self, code: str) -> dict[str, Any]:
        """The one step that the code takes."""
        steps = self.cell(code)["steps"]
        self.assertEqual(len(steps), 1, (code, steps))
        return steps[0]

    def write(self, name: str, text: str) -> None:
        (self.directory / name).write_text(text)


def run(code: str, names: dict[str, Any]) -> None:
    exec(compile(code, "<cell 1>", "exec"), names)


def counts(step: dict[str, Any]) -> tuple[str, int, int, int]:
    return step["op"], step["before"], step["after"], step["lost"]
