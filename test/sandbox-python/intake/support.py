"""What the intake tests share: files made on the spot in a directory that goes away."""

import tempfile
import unittest
from pathlib import Path
from typing import Any

import pandas as pd

from plotline.intake import card, load


class IntakeCase(unittest.TestCase):
    """Each test has an empty directory of its own."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def file(self, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
        path = self.directory / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    def loaded(self, content: str | bytes, name: str = "table.csv", encoding: str = "utf-8") -> pd.DataFrame:
        return load(self.file(name, content, encoding))

    def carded(self, content: str | bytes, name: str = "table.csv") -> dict[str, Any]:
        return card(self.file(name, content))

    def lines_rejected(self, frame: pd.DataFrame) -> list[int]:
        return [found["line"] for found in frame.attrs["rejected"]]


def sales(rows: int = 30) -> list[str]:
    """A tidy table's lines, header first."""
    regions = ["North", "South", "East", "West"]
    body = [f"{index},{regions[index % 4]},{index * 1.5:.2f},2024-03-{index % 28 + 1:02d}" for index in range(1, rows + 1)]
    return ["id,region,amount,day", *body]


def text(lines: list[str], end: str = "\n") -> str:
    return end.join(lines) + end
