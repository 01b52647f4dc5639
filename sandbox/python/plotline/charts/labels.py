"""Texts of a figure as the file has them: dollars are money, not formulas, and a label is never longer than a line."""

import re
from typing import Any

LABEL_CHARACTERS = 60

_MONEY = re.compile(r"\$\s*[\d.)\]]")
_FORMULA = re.compile(r"[\\^_]")


def shorten_categories(axes: Any) -> None:
    """Labels of categories over `LABEL_CHARACTERS` are cut on the axis; a cell of a megabyte could not be drawn at all."""
    from matplotlib.category import StrCategoryFormatter
    from matplotlib.ticker import FuncFormatter

    for axis in (axes.xaxis, axes.yaxis):
        formatter = axis.get_major_formatter()
        if not isinstance(formatter, StrCategoryFormatter):
            continue
        names = getattr(axis.units, "_mapping", {})
        if any(len(name) > LABEL_CHARACTERS for name in names):
            short = {place: name if len(name) <= LABEL_CHARACTERS else f"{name[: LABEL_CHARACTERS - 1]}…" for name, place in names.items()}
            axis.set_major_formatter(FuncFormatter(lambda place, _, short=short: short.get(round(place), "")))


def show_dollars(figure: Any) -> None:
    """`Price ($) by cost ($)` would lose its dollars, and what is between them its blanks, as a formula."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        content = text.get_text()
        if content.count("$") > 1 and _MONEY.search(content) and not _FORMULA.search(content):
            text.set_parse_math(False)
