"""Wide tables come with a picture of their first rows."""

import statistics
import struct
import zlib

from sandbox_case import SandboxCase

PICTURE = "application/vnd.plotline.table+png"
WIDE = "pd.DataFrame({f'column {i}': range(340) for i in range(8)})"


def size_of(png: bytes) -> tuple[int, int]:
    return struct.unpack(">II", png[16:24])


def ink_of(png: bytes) -> int:
    """How much there is to pack in its pixels: what grows with what is drawn."""
    packed, place = b"", 8
    while place < len(png):
        size, kind = struct.unpack(">I4s", png[place : place + 8])
        packed += png[place + 8 : place + 8 + size] if kind == b"IDAT" else b""
        place += 12 + size
    zlib.decompress(packed)
    return len(packed)


class TablePictures(SandboxCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.driver.run("import pandas as pd, numpy as np")

    def picture_of(self, code: str) -> bytes:
        result = self.only_result(code)
        self.assertIn("text/csv", result)
        self.assertIn(PICTURE, result, code)
        self.assertEqual(result[PICTURE][:8], b"\x89PNG\r\n\x1a\n")
        return result[PICTURE]

    def test_only_tables_wider_than_a_code_block_have_one(self) -> None:
        narrow = ("pd.DataFrame({'a': range(400), 'b': 'x'})", "pd.DataFrame()", "pd.DataFrame(columns=list('abcdefghijklmnopqrstuvwxyz'))")
        edge = "pd.DataFrame({'n' * 23: [1], 'm' * %d: [2]})"
        for code in (*narrow, edge % 23):
            self.assertNotIn(PICTURE, self.only_result(code), code)
        for code in (edge % 24, WIDE, "pd.DataFrame({'a': ['word ' * 60], 'b': [1]})", "pd.DataFrame({'都市': ['東京都千代田区丸の内一丁目九番地東京駅八重洲口前広場']})", f"{WIDE}.style"):
            self.picture_of(code)

    def test_a_whole_table_that_is_no_file_has_none(self) -> None:
        result = self.only_result("pd.DataFrame({f'c{i}': range(200_000) for i in range(20)})")
        self.assertNotIn("text/csv", result)
        self.assertNotIn(PICTURE, result)

    def test_it_stays_small_whatever_is_in_the_table(self) -> None:
        tables = (
            "pd.DataFrame(np.random.default_rng(1).random((1000, 200)))",
            "pd.DataFrame({f'a very long name of a column, number {i}, that goes on': ['x' * 700] * 50 for i in range(90)})",
            "pd.DataFrame({str(i): ['\u202eabc\\n\\t\\x00', '👩‍🔬🇩🇪1️⃣', 'مرحبا (EUR) 5', None, '\\ud800', '\u200d\ufe0f'] for i in range(30)})",
            "pd.DataFrame([[float('nan'), float('inf'), 1e300, -1e-300, True, pd.Timestamp('2024-01-01'), 10**30]] * 3).rename(columns=lambda c: f'{c}' * 12)",
        )
        for code in tables:
            picture = self.picture_of(code)
            width, height = size_of(picture)
            self.assertLessEqual(width, 2080, code)
            self.assertLessEqual(height, 2600, code)
            self.assertLess(len(picture), 600_000, code)

    def test_scripts_and_emoji_are_drawn(self) -> None:
        # A letter that no font has is an empty box: all of them would look the same.
        code = "pd.DataFrame({'a' * 30: [%s] * 20, 'b' * 30: ''})"
        inks = {text: ink_of(self.picture_of(code % repr(text * 4))) for text in ("東京", "서울", "שלום", "سلام", "नमस्ते", "ไทย", "😀🚀", "🇩🇪🇯🇵", "→∑")}
        boxes = ink_of(self.picture_of(code % repr("\U000e1234" * 8)))
        for text, ink in inks.items():
            self.assertGreater(abs(ink - boxes), 40, text)
        self.assertEqual(len(set(inks.values())), len(inks))

    def test_the_same_table_gives_the_same_picture_and_leaves_no_trace(self) -> None:
        first = self.picture_of(WIDE)
        before = self.output_of("np.random.seed(3); import random; random.seed(3); print(np.random.random(), random.random())")
        after = self.output_of(f"np.random.seed(3); random.seed(3); display({WIDE}); print(np.random.random(), random.random())")
        self.assertEqual(before, after)
        self.assertEqual(self.picture_of(WIDE), first)
        self.assertEqual(self.output_of("import matplotlib.pyplot as plt; print(plt.get_fignums())"), "[]")

    def test_a_cell_that_shows_many_tables_pays_for_five(self) -> None:
        results = self.run_ok(f"for _ in range(12): display({WIDE})").results
        self.assertEqual([PICTURE in result for result in results], [True] * 5 + [False] * 7)
        self.picture_of(WIDE)

    def test_a_broken_font_library_loses_the_picture_and_not_the_table(self) -> None:
        code = f"import PIL.ImageFont as f; kept = f.truetype; f.truetype = None\nimport plotline.table_picture.lettering as l; [c.cache_clear() for c in (l._font, l._width, l._runs)]\ndisplay({WIDE})\nf.truetype = kept"
        result = self.only_result(code)
        self.assertNotIn(PICTURE, result)
        self.assertIn("text/csv", result)

    def test_it_costs_little(self) -> None:
        code = f"import time\nt = time.process_time(); display({WIDE}); print(time.process_time() - t)"
        seconds = statistics.median(float(self.output_of(code)) for _ in range(5))
        self.assertLess(seconds, 0.5)
