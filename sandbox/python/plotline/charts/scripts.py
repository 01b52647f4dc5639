"""Writing that matplotlib cannot set by itself: from right to left, and with letters that change beside each other.

matplotlib puts one glyph after the other from left to right. For Arabic and Hebrew the letters are brought into their joined
forms and their visual order when a text is drawn; `get_text()` keeps what the cell wrote. Syllables from Devanagari to Khmer
have no such forms in Unicode, so on the pixel canvas Pillow sets them, shaped by HarfBuzz (in SVG and PDF they stay unshaped).
"""

import functools
import re
import unicodedata
from collections.abc import Callable, Container
from math import cos, radians, sin
from types import ModuleType
from typing import Any

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_JOINED = re.compile("[\ufb50-\ufdff\ufe70-\ufefc]")
_CLOSED = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]\\s*[)\\]}]")
_LATIN_IN_BRACKETS = re.compile("([\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]\\s*[(\\[{][^()\\[\\]{}]*)([)\\]}])")
_LETTERS = re.compile("[\u0620-\u06ff]")
# Devanagari to Lao, Burmese, Khmer; with the joiners between them.
_SYLLABLES = re.compile("([\u0900-\u0eff\u1000-\u109f\u1780-\u17ff][\u0900-\u0eff\u1000-\u109f\u1780-\u17ff\u200c\u200d]*)")
_REMEMBERED = 1000


def install_scripts(ordered: Container[str]) -> None:
    """Wraps matplotlib's text drawing once. Other texts pay one look at their characters. `ordered`: lines to leave alone."""
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.text import Text

    prepare = Text._preprocess_math
    draw, measure = RendererAgg.draw_text, RendererAgg.get_text_width_height_descent

    def prepare_visually(self: Any, s: str) -> tuple[str, Any]:
        text, kind = prepare(self, s)
        return (text, kind) if text.isascii() or kind or not _RIGHT_TO_LEFT.search(text) else (visual_order(text, ordered), kind)

    def measure_shaped(self: Any, s: str, prop: Any, ismath: Any) -> tuple[float, float, float]:
        if ismath or s.isascii() or not _SYLLABLES.search(s):
            return measure(self, s, prop, ismath)
        sizes = [_measure_run(self, run, prop) if _SYLLABLES.match(run) else measure(self, run, prop, False) for run in _runs(s)]
        descent = max(size[2] for size in sizes)
        return sum(size[0] for size in sizes), max(size[1] - size[2] for size in sizes) + descent, descent

    def draw_shaped(self: Any, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, ismath: Any = False, mtext: Any = None) -> None:
        if ismath or s.isascii() or not _SYLLABLES.search(s):
            return draw(self, gc, x, y, s, prop, angle, ismath, mtext)
        for run in _runs(s):
            if _SYLLABLES.match(run):
                width = _draw_run(self, gc, x, y, run, prop, angle)
            else:
                draw(self, gc, x, y, run, prop, angle, False, mtext)
                width = measure(self, run, prop, False)[0]
            x, y = x + width * cos(radians(angle)), y - width * sin(radians(angle))
        return None

    Text._preprocess_math = prepare_visually  # type: ignore[method-assign]
    RendererAgg.draw_text = draw_shaped  # type: ignore[method-assign]
    RendererAgg.get_text_width_height_descent = measure_shaped  # type: ignore[method-assign]


def is_right_to_left(text: str) -> bool:
    """Whether some of it is."""
    return not text.isascii() and _RIGHT_TO_LEFT.search(text) is not None


def visual_order(text: str, ordered: Container[str] = ()) -> str:
    """A line as it is read from left to right. One that the cell has joined or `ordered` itself is left as it is."""
    if text in ordered or _JOINED.search(text) and not _LETTERS.search(text):
        return text
    return _reordered(text)


def remember_ordered(ordered: set[str]) -> Callable[[ModuleType], None]:
    """What to do with `bidi.algorithm` once a cell imports it: note the lines it has put into visual order for matplotlib's sake."""

    def adjust(module: ModuleType) -> None:
        original = module.get_display

        @functools.wraps(original)
        def get_display(*args: Any, **keywords: Any) -> Any:
            text = original(*args, **keywords)
            if isinstance(text, str) and len(ordered) < _REMEMBERED:
                ordered.update(text.split("\n"))
            return text

        module.get_display = get_display  # type: ignore[attr-defined]

    return adjust


@functools.lru_cache(maxsize=2000)
def _reordered(text: str) -> str:
    from bidi import algorithm

    order = getattr(algorithm.get_display, "__wrapped__", algorithm.get_display)
    joined = str(_reshaper().reshape(text))
    strong = next((kind for letter in joined if (kind := unicodedata.bidirectional(letter)) in ("L", "R", "AL")), "L")
    if strong == "L":
        # Without this mark a number behind takes the bracket along: this library knows no pairs of brackets (UAX #9, N0).
        joined = _CLOSED.sub("\\g<0>\u200e", joined)
    else:
        joined = _LATIN_IN_BRACKETS.sub("\\g<1>\u200f\\g<2>\u200f", joined)
    return str(order(joined)).replace("\u200e", "").replace("\u200f", "")


@functools.lru_cache(maxsize=1)
def _reshaper() -> Any:
    from arabic_reshaper import ArabicReshaper

    return ArabicReshaper({"delete_harakat": False})


def _runs(text: str) -> list[str]:
    return [run for run in _SYLLABLES.split(text) if run]


def _font(renderer: Any, text: str, prop: Any) -> Any:
    """The first of the text's fonts that has all of its letters, at the size it is drawn in."""
    from matplotlib.font_manager import fontManager, get_font

    paths = fontManager._find_fonts_by_props(prop)
    letters = {ord(letter) for letter in text} - {0x200C, 0x200D}
    path = next((path for path in paths if all(get_font(path).get_char_index(letter) for letter in letters)), paths[0])
    return _pillow_font(str(path), prop.get_size_in_points() * renderer.dpi / 72)


@functools.lru_cache(maxsize=50)
def _pillow_font(path: str, pixels: float) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(path, pixels)


def _measure_run(renderer: Any, run: str, prop: Any) -> tuple[float, float, float]:
    font = _font(renderer, run, prop)
    _, top, _, bottom = font.getbbox(run, anchor="ls")
    return font.getlength(run), bottom - top, max(bottom, 0)


def _draw_run(renderer: Any, gc: Any, x: float, y: float, run: str, prop: Any, angle: float) -> float:
    """Returns the run's width."""
    import numpy as np
    from PIL import Image, ImageDraw

    font = _font(renderer, run, prop)
    left, top, right, bottom = font.getbbox(run, anchor="ls")
    picture = Image.new("L", (max(1, round(right - left)), max(1, round(bottom - top))))
    ImageDraw.Draw(picture).text((-left, -top), run, fill=255, font=font, anchor="ls")
    across, down = left * cos(radians(angle)) + bottom * sin(radians(angle)), bottom * cos(radians(angle)) - left * sin(radians(angle))
    renderer._renderer.draw_text_image(np.array(picture), round(x + across), round(y + down) + 1, angle, gc)
    return float(font.getlength(run))
