"""Runs once while the image is built: the list of fonts to fall back on, and matplotlib's cache of all of them.

The driver copies the cache into the container's scratch space, where matplotlib wants a directory it can write to.
"""

import os
from pathlib import Path

FAMILIES = (
    "DejaVu Sans",
    "Noto Sans CJK JP",
    "Noto Sans Arabic",
    "Noto Sans Devanagari",
    "Noto Sans Hebrew",
    "Noto Sans Thai",
    "Noto Sans Bengali",
    "Noto Sans Tamil",
    "Noto Sans Telugu",
    "Noto Sans Gujarati",
    "Noto Sans Gurmukhi",
    "Noto Sans Kannada",
    "Noto Sans Malayalam",
    "Noto Sans Sinhala",
    "Noto Sans Khmer",
    "Noto Sans Lao",
    "Noto Sans Myanmar",
    "Noto Sans Ethiopic",
    "Symbola",
)
"""In this order matplotlib looks for a glyph. Symbola has the emoji as outlines: matplotlib cannot draw Noto Color Emoji's bitmaps."""

CACHE = Path("/opt/plotline/matplotlib")


def main() -> None:
    with Path("/etc/matplotlibrc").open("a", encoding="utf-8") as settings:
        settings.write(f"\nfont.family: {', '.join(FAMILIES)}\n")
    CACHE.mkdir(parents=True, exist_ok=True)
    os.environ["MPLCONFIGDIR"] = str(CACHE)
    from matplotlib import font_manager

    known = {font.name for font in font_manager.fontManager.ttflist}
    absent = [family for family in FAMILIES if family not in known]
    if absent:
        raise SystemExit(f"No such font in the image: {', '.join(absent)}")


if __name__ == "__main__":
    main()
