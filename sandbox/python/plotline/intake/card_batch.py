"""Cards of many files: what a cell of the `card` command runs."""

import json
import os
import shutil
from pathlib import Path

from plotline.intake.export import whole_card

# Hidden, so that the driver does not take what lies here for files that the cell made for a person.
_FOLDER = Path(".card")


def describe(jobs: list[tuple[str, str]], *, export: bool) -> None:
    """Writes `.card/cards.jsonl`, one line for each job in order, and with `export` the CSV files that these name.

    A job is the name of a file in the working directory and the name that its sender gave it, which tables are named after. Each
    line is there once its card and its cells are whole and its input is gone then, so whatever ends this early costs
    only the file that was under way and those after it. Raises `NoRoom`.
    """
    shutil.rmtree(_FOLDER, ignore_errors=True)
    _FOLDER.mkdir()
    with (_FOLDER / "cards.jsonl").open("w", encoding="ascii") as cards:
        for number, (written, name) in enumerate(jobs):
            home = _FOLDER / f"{number}.input"
            home.mkdir()
            path = home / name
            os.rename(written, path)
            found = whole_card(path, f"{_FOLDER}/{number}" if export else None)
            cards.write(json.dumps(found, allow_nan=False) + "\n")
            cards.flush()
            path.unlink()


def clean() -> None:
    """Removes everything of the batches before, inputs that were never looked at included."""
    shutil.rmtree(_FOLDER, ignore_errors=True)
    for left in Path().glob(".card-*"):
        left.unlink(missing_ok=True)
