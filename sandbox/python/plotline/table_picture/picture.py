"""A wide table as a PNG: for chats, whose code blocks are narrow. The whole table always goes beside it as a file."""

import functools
import io
from collections.abc import Mapping, Sequence
from typing import Any

from plotline.charts.style import GRID, INK, SOFT_INK
from plotline.table_picture.cells import MISSING, text_width
from plotline.table_picture.layout import CELL_PADDING, Column, lay_out
from plotline.table_picture.lettering import Lettering

TEXT_COLUMNS = 48
"""Columns of a monospaced font that a code block shows on a phone: as `tablePreview.maxWidth` of adapters/discord/limits.ts."""

TEXT_ROWS = 15
SCALE = 2
FONT_PIXELS = 15
NOTE_PIXELS = 13
MARGIN = 16
ROW_HEIGHT = 30
HEADER_HEIGHT = 36
LINE_HEIGHT = 20
BLOCK_GAP = 18
NOTE_HEIGHT = 22
STRIPE = "#f1f4f8"
HEADER = "#e3e9f0"
HEADER_RULE = "#b8c1cb"
NAME_LINES = 3
SHADES = 14


def table_picture(table: Mapping[str, Any]) -> bytes | None:
    """The PNG of a `TableData`; None where it needs no picture, because a code block shows its columns."""
    if not table["columns"] or not table["rows"] or text_width(table, TEXT_ROWS) <= TEXT_COLUMNS:
        return None
    return _Drawing(table).as_png()


class _Drawing:
    def __init__(self, table: Mapping[str, Any]) -> None:
        self._text = Lettering(FONT_PIXELS * SCALE, bold=False)
        self._bold = Lettering(FONT_PIXELS * SCALE, bold=True)
        self._small = Lettering(NOTE_PIXELS * SCALE, bold=False)
        self._layout = lay_out(table, lambda text, bold: (self._bold if bold else self._text).width(text) / SCALE)
        self._rows = min(self._layout.rows, len(table["rows"]))
        self._width = max(sum(column.width for column in block) for block in self._layout.blocks) + 2 * MARGIN
        self._notes = self._noted(table["rowCount"], len(table["columns"]))

    def as_png(self) -> bytes:
        from PIL import Image

        blocks = self._layout.blocks
        height = 2 * MARGIN + sum(_header_height(block) + self._rows * ROW_HEIGHT for block in blocks) + (len(blocks) - 1) * BLOCK_GAP
        height += len(self._notes) * NOTE_HEIGHT + (6 if self._notes else 0)
        self._picture = Image.new("RGB", (round(self._width * SCALE), round(height * SCALE)), "white")
        top = float(MARGIN)
        for block in blocks:
            top = self._draw_block(block, top) + BLOCK_GAP
        top += 6 - BLOCK_GAP
        for note in self._notes:
            self._small.draw(self._picture, MARGIN * SCALE, (top + NOTE_HEIGHT - 6) * SCALE, note, SOFT_INK)
            top += NOTE_HEIGHT
        target = io.BytesIO()
        # Text on stripes has few colours: with a palette the file is a third as large, and takes no longer.
        shown = self._picture if self._text.has_emoji or self._bold.has_emoji or self._small.has_emoji else self._picture.quantize(palette=_palette(), dither=Image.Dither.NONE)
        shown.save(target, "PNG", compress_level=6)
        return target.getvalue()

    def _draw_block(self, block: Sequence[Column], top: float) -> float:
        """Returns where it ends."""
        width = sum(column.width for column in block)
        header = _header_height(block)
        self._fill(MARGIN, top, width, header, HEADER)
        for row in range(1, self._rows, 2):
            self._fill(MARGIN, top + header + row * ROW_HEIGHT, width, ROW_HEIGHT, STRIPE)
        left = float(MARGIN)
        for column in block:
            above = len(column.header) - 1
            for line, text in enumerate(column.header):
                self._put(self._bold, column, text, left, top + header - HEADER_HEIGHT / 2 + (line - above) * LINE_HEIGHT)
            for row, text in enumerate(column.texts[: self._rows]):
                self._put(self._text, column, text, left, top + header + (row + 0.5) * ROW_HEIGHT)
            left += column.width
        bottom = top + header + self._rows * ROW_HEIGHT
        self._fill(MARGIN, top + header - 1, width, 1, HEADER_RULE)
        self._fill(MARGIN, bottom - 0.5, width, 1, GRID)
        return bottom

    def _put(self, lettering: Lettering, column: Column, text: str, left: float, middle: float) -> None:
        room = (column.width - 2 * CELL_PADDING) * SCALE
        shown = lettering.fitted(text, room + 1)
        indent = room - lettering.width(shown) if column.is_number else 0
        ink = SOFT_INK if text == MISSING else INK
        lettering.draw(self._picture, (left + CELL_PADDING) * SCALE + indent, (middle + FONT_PIXELS * 0.36) * SCALE, shown, ink)

    def _fill(self, left: float, top: float, width: float, height: float, colour: str) -> None:
        box = (round(left * SCALE), round(top * SCALE), round((left + width) * SCALE), round((top + height) * SCALE))
        self._picture.paste(colour, box)

    def _noted(self, row_count: int, column_count: int) -> list[str]:
        """What is not in the picture, each on a line."""
        left_out = self._layout.left_out
        notes = [f"First {self._rows:,} of {row_count:,} rows"] if self._rows < row_count else []
        if left_out:
            notes += self._named(f"First {column_count - len(left_out):,} of {column_count:,} columns. Not shown: ", left_out)
        return [self._small.fitted(note, self._room()) for note in notes]

    def _named(self, beginning: str, names: Sequence[str]) -> list[str]:
        """The names on as many lines as they need, at most `NAME_LINES`; the rest are counted."""
        lines = [beginning]
        for place, name in enumerate(names):
            last = place == len(names) - 1
            word = self._small.fitted(name, self._room() / 2) + ("" if last else ", ")
            rest = "" if last else f"and {len(names) - place - 1} more"
            is_last_line = len(lines) == NAME_LINES
            if self._small.width(lines[-1] + word + (rest if is_last_line else "")) <= self._room():
                lines[-1] += word
            elif is_last_line:
                lines[-1] += f"and {len(names) - place} more"
                break
            else:
                lines.append(word)
        return lines

    def _room(self) -> float:
        return (self._width - 2 * MARGIN) * SCALE


def _header_height(block: Sequence[Column]) -> float:
    return HEADER_HEIGHT + LINE_HEIGHT * (max(len(column.header) for column in block) - 1)


@functools.lru_cache(maxsize=1)
def _palette() -> Any:
    """Every ground, every ink, and between them what the edges of letters need."""
    from PIL import Image, ImageColor

    colours = [HEADER_RULE, GRID]
    mixed = [ImageColor.getrgb(colour) for colour in colours]
    for ground in ("white", STRIPE, HEADER):
        for ink in (INK, SOFT_INK):
            first, last = ImageColor.getrgb(ground), ImageColor.getrgb(ink)
            mixed += [tuple(round(a + (b - a) * step / SHADES) for a, b in zip(first, last)) for step in range(SHADES + 1)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([value for colour in mixed for value in colour[:3]])
    return palette
