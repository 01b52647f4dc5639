"""Setting lines of text in any script with Pillow: fonts are chosen letter by letter, HarfBuzz shapes, emoji are in colour."""

import functools
import unicodedata
from typing import Any

from plotline.charts.scripts import is_right_to_left, visual_order
from plotline.charts.style import fonts_for_all_scripts

_EMOJI_FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
_EMOJI_PIXELS = 109
"""The one size that the font's bitmaps have."""

_EMOJI_HEIGHT = 1.15
"""Of an emoji, in sizes of the text around it."""

_EMOJI_LIKE = 0x203C
_EMOJI_BLOCKS = 0x1F000
_AS_EMOJI = "\ufe0f"
# Joiners, choices of a form, keycaps, skin tones: they stay with the letter before.
_FOLLOWERS = frozenset([0x200C, 0x200D, 0xFE0E, 0xFE0F, 0x20E3, *range(0x1F3FB, 0x1F400), *range(0xE0020, 0xE0080)])


class Lettering:
    """One size and weight. `pixels`: of the text's em."""

    def __init__(self, pixels: int, *, bold: bool) -> None:
        self.pixels = pixels
        self._bold = bold
        self.has_emoji = False
        """Whether any were drawn."""

    def width(self, text: str) -> float:
        return _width(text, self.pixels, self._bold)

    def fitted(self, text: str, room: float) -> str:
        """The longest beginning of `text` that fits, an ellipsis at its end where something was cut."""
        if self.width(text) <= room:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.width(_begun(text, middle)) <= room else (low, middle - 1)
        return _begun(text, low)

    def draw(self, picture: Any, x: float, baseline: float, text: str, ink: str) -> None:
        from PIL import ImageDraw

        pen = ImageDraw.Draw(picture)
        for path, run, shaped in _runs(text, self._bold):
            if path == _EMOJI_FONT:
                self.has_emoji = True
                tile = _emoji(run, self.pixels)
                picture.paste(tile, (round(x), round(baseline - tile.height * 0.8)), tile)
                x += tile.width
            else:
                font = _font(path, self.pixels, shaped)
                pen.text((x, baseline), run, fill=ink, font=font, anchor="ls")
                x += font.getlength(run)


def _begun(text: str, letters: int) -> str:
    while 0 < letters < len(text) and (_follows(text[letters]) or text[letters - 1] == "\u200d"):
        letters -= 1
    return text[:letters].rstrip() + "…"


def _follows(letter: str) -> bool:
    return ord(letter) in _FOLLOWERS or unicodedata.category(letter).startswith("M")


@functools.lru_cache(maxsize=4000)
def _width(text: str, pixels: int, bold: bool) -> float:
    return sum(_emoji(run, pixels).width if path == _EMOJI_FONT else _font(path, pixels, shaped).getlength(run) for path, run, shaped in _runs(text, bold))


@functools.lru_cache(maxsize=4000)
def _runs(text: str, bold: bool) -> tuple[tuple[str, str, bool], ...]:
    """The text from left to right in pieces of one font each: its path, the letters, whether HarfBuzz has to shape them."""
    fonts = _font_paths(bold)
    if text.isascii():
        return ((fonts[0], text, False),) if text else ()
    turned = is_right_to_left(text)
    # The letters come in their joined forms and in visual order then; a second look at either would turn them back.
    line = visual_order(text) if turned else text
    runs: list[tuple[str, str]] = []
    for place, letter in enumerate(line):
        before = runs[-1] if runs else None
        if before and (_follows(letter) or before[1].endswith("\u200d")):
            runs[-1] = (before[0], before[1] + letter)
            continue
        path = _font_of(letter, line[place + 1 : place + 2], before[0] if before else None, fonts)
        if before and before[0] == path:
            runs[-1] = (path, before[1] + letter)
        else:
            runs.append((path, letter))
    return tuple((path, run, not turned) for path, run in runs)


def _font_of(letter: str, after: str, current: str | None, fonts: tuple[str, ...]) -> str:
    code = ord(letter)
    if code >= _EMOJI_LIKE or after == _AS_EMOJI:
        is_emoji = after == _AS_EMOJI or (after != "\ufe0e" and (code >= _EMOJI_BLOCKS or unicodedata.east_asian_width(letter) == "W"))
        if is_emoji and not 0x2E80 <= code < 0x1F000 and _has(_EMOJI_FONT, code):
            return _EMOJI_FONT
    if letter == " " and current not in (None, _EMOJI_FONT):
        return str(current)
    return next((path for path in fonts if _has(path, code)), fonts[0])


@functools.lru_cache(maxsize=4000)
def _has(path: str, code: int) -> bool:
    from matplotlib.font_manager import get_font

    if path == _EMOJI_FONT:
        return code in _emoji_letters()
    return bool(get_font(path).get_char_index(code))


@functools.lru_cache(maxsize=1)
def _emoji_letters() -> frozenset[int]:
    """matplotlib cannot open a font of bitmaps."""
    from fontTools.ttLib import TTFont

    with TTFont(_EMOJI_FONT, lazy=True) as font:
        return frozenset(font.getBestCmap())


@functools.lru_cache(maxsize=2)
def _font_paths(bold: bool) -> tuple[str, ...]:
    """For each family of the image its face of this weight, or its regular one."""
    from matplotlib.font_manager import fontManager

    faces = {(font.name, font.weight): font.fname for font in fontManager.ttflist if font.style == "normal"}
    wanted = ([700] if bold else []) + [400]
    found = (next((faces[name, weight] for weight in wanted if (name, weight) in faces), None) for name in fonts_for_all_scripts())
    return tuple(path for path in found if path)


@functools.lru_cache(maxsize=100)
def _font(path: str, pixels: int, shaped: bool) -> Any:
    from PIL import ImageFont, features

    layout = ImageFont.Layout.RAQM if shaped and features.check("raqm") else ImageFont.Layout.BASIC
    return ImageFont.truetype(path, pixels, layout_engine=layout)


@functools.lru_cache(maxsize=200)
def _emoji(run: str, pixels: int) -> Any:
    """Emoji in colour on nothing, as high as the text."""
    from PIL import Image, ImageDraw

    font = _font(_EMOJI_FONT, _EMOJI_PIXELS, True)
    left, top, right, bottom = font.getbbox(run)
    tile = Image.new("RGBA", (max(1, round(right - left)), max(1, round(bottom - top))), (255, 255, 255, 0))
    ImageDraw.Draw(tile).text((-left, -top), run, font=font, embedded_color=True)
    height = round(pixels * _EMOJI_HEIGHT)
    return tile.resize((max(1, round(tile.width * height / tile.height)), height), Image.Resampling.LANCZOS)
